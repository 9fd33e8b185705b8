import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { AlertCursor, AlertSlice } from "../alert-queue.ts";
import type { RevokeFindings } from "../auto-revokes.ts";
import { prepareMove, prepareSlices, prepareTally } from "./alert-slices.ts";

/** So far behind the cursor may be where nobody has rules: less than a second's reading when somebody gets some. */
const BEHIND_MAX = 5_000n;

const NOWHERE: AlertCursor = { version: 0, chainSeq: 0, place: 0, pass: null };

const KINDS = "('cap_hits', 'vendor_errors', 'calls', 'family_calls', 'family_hours')";

/** The store's part in `auto_revoke` on SQLite. */
export class SqliteAutoRevokes {
  readonly #database: Database;
  readonly #read: (rowsMax: number) => AlertSlice;
  readonly #isAnyWatched;

  constructor(database: Database) {
    this.#database = database;
    this.#read = prepareSlices(database, "revoke_cursor");
    // In the words of the index, or it is not used.
    this.#isAnyWatched = database.query<{ found: bigint }, [EpochMs]>(
      `SELECT EXISTS (SELECT 1 FROM vault_keys WHERE revoked_at IS NULL AND policy ->> 'auto_revoke' IS NOT NULL
         AND expires_at > ?) AS found`,
    );
  }

  readSlice(rowsMax: number, now: EpochMs): AlertSlice {
    if (this.#isAnyWatched.get(now)!.found === 1n) return this.#read(rowsMax);
    if (this.#behind() > BEHIND_MAX) this.#skip(now);
    return { from: NOWHERE, next: NOWHERE, rows: [], more: false };
  }

  finishSlice(slice: AlertSlice, { tallies, aged, revocations, at }: RevokeFindings): readonly string[] | undefined {
    const move = prepareMove(this.#database, "revoke_cursor");
    const add = prepareTally(this.#database);
    const forget = this.#database.query("DELETE FROM alert_tallies WHERE kind = ? AND subject = ? AND slot < ?");
    const revoke = this.#database.query(
      "UPDATE vault_keys SET revoked_at = ?, revoke_reason = ?, auto_revoked = ? WHERE id = ? AND revoked_at IS NULL",
    );
    return this.#write(() => {
      if (!move(slice)) return undefined;
      for (const tally of tallies) add.run(tally.kind, tally.subject, tally.slot, tally.amount, tally.at);
      for (const { kind, subject, before } of aged) forget.run(kind, subject, before);
      return revocations
        .filter(({ keyId, reason, tripped }) => revoke.run(at, reason, JSON.stringify(tripped), keyId).changes > 0)
        .map(({ keyId }) => keyId);
    });
  }

  purge(before: EpochMs): void {
    this.#write(() => {
      this.#database.query(`DELETE FROM alert_tallies WHERE at < ? AND kind IN ${KINDS}`).run(before);
    });
  }

  #behind(): bigint {
    const { behind } = this.#database
      .query<{ behind: bigint }, []>(
        "SELECT chain_count - chain_seq AS behind FROM ledger_state, revoke_cursor WHERE ledger_state.id = 1",
      )
      .get()!;
    return behind;
  }

  /** Leaves unread what nobody has rules for; looked at once more, as a key may have got some this moment. */
  #skip(now: EpochMs): void {
    this.#write(() => {
      if (this.#isAnyWatched.get(now)!.found === 1n) return;
      this.#database.run(
        `UPDATE revoke_cursor SET version = version + 1, pass_to = NULL, pass_end = NULL, pass_floor = NULL,
           chain_seq = (SELECT chain_count FROM ledger_state WHERE id = 1),
           place = coalesce((SELECT min(batch) FROM open_batches), (SELECT last_seq + 1 FROM ledger_state WHERE id = 1))
         WHERE id = 1`,
      );
    });
  }

  #write<Result>(work: () => Result): Result {
    return this.#database.transaction(work).immediate();
  }
}
