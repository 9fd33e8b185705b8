import type { Database } from "bun:sqlite";
import type { SealedChainKey } from "../../vault/chain-key.ts";

interface KeyRow {
  readonly id: string;
  readonly sealed: Uint8Array;
}

/** The one sealed chain key of the installation. */
export class ChainKeys {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  get(): SealedChainKey | undefined {
    return this.#database.query<KeyRow, []>("SELECT id, sealed FROM chain_key").get() ?? undefined;
  }

  /**
   * Keeps `made` where there is no key, or where no row was hashed with the one there is; the key that is then there.
   * Two processes that open a new installation at the same moment get the same one.
   */
  put({ id, sealed }: SealedChainKey, replacedId: string | undefined): SealedChainKey {
    this.#database
      .query<unknown, [string, Uint8Array, string | null]>(
        `INSERT INTO chain_key (only, id, sealed) SELECT 1, ?1, ?2 FROM ledger_state WHERE chain_count = 0
         ON CONFLICT DO UPDATE SET id = excluded.id, sealed = excluded.sealed WHERE chain_key.id = ?3`,
      )
      .run(id, sealed, replacedId ?? null);
    return this.get() ?? { id, sealed };
  }
}
