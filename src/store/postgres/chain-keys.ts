import { sql } from "drizzle-orm";
import type { SealedChainKey } from "../../vault/chain-key.ts";
import { behindTheLedger, type Db, type Tx } from "./db.ts";

/** The one sealed chain key of the installation. */
export class PostgresChainKeys {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  get(): Promise<SealedChainKey | undefined> {
    return getIn(this.#db);
  }

  /**
   * Keeps `made` where there is no key, or where no row was hashed with the one there is; the key that is then there.
   * Two processes that open a new installation at the same moment get the same one.
   */
  put({ id, sealed }: SealedChainKey, replacedId: string | undefined): Promise<SealedChainKey> {
    const made = Buffer.from(sealed);
    return behindTheLedger(this.#db, async (tx) => {
      await tx.execute(sql`
        INSERT INTO chain_key ("only", id, sealed) SELECT 1, ${id}, ${made} FROM ledger_state WHERE chain_count = 0
        ON CONFLICT ("only") DO UPDATE SET id = excluded.id, sealed = excluded.sealed
        WHERE chain_key.id = ${replacedId ?? null}`);
      return (await getIn(tx)) ?? { id, sealed };
    });
  }
}

async function getIn(db: Db | Tx): Promise<SealedChainKey | undefined> {
  const [row] = (await db.execute(sql`SELECT id, sealed FROM chain_key`)) as unknown as SealedChainKey[];
  return row && { id: row.id, sealed: row.sealed };
}
