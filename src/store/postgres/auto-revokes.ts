import type { SQL as Pool, TransactionSQL } from "bun";
import type { EpochMs } from "../../core/window.ts";
import type { AlertCursor, AlertSlice } from "../alert-queue.ts";
import type { AutoRevokes, RevokeFindings } from "../auto-revokes.ts";
import { addTallies, moveCursor, READ_ONCE, readSlice } from "./alert-slices.ts";

/** So far behind the cursor may be where nobody has rules: less than a second's reading when somebody gets some. */
const BEHIND_MAX = 5_000n;

const NOWHERE: AlertCursor = { version: 0, chainSeq: 0, place: 0, pass: null };

/** The store's part in `auto_revoke` on PostgreSQL. */
export class PostgresAutoRevokes implements AutoRevokes {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async readRevokeSlice(rowsMax: number, now: EpochMs): Promise<AlertSlice> {
    if (await isAnyWatched(this.#pool, now)) {
      return this.#pool.begin(READ_ONCE, (tx) => readSlice(tx, "revoke_cursor", rowsMax));
    }
    if ((await this.#behind()) > BEHIND_MAX) await this.#skip(now);
    return { from: NOWHERE, next: NOWHERE, rows: [], more: false };
  }

  finishRevokeSlice(
    slice: AlertSlice,
    { tallies, aged, revocations, at }: RevokeFindings,
  ): Promise<readonly string[] | undefined> {
    return this.#pool.begin(async (tx) => {
      // In force for every call that is decided from now on, as a revoke by hand.
      await tx.unsafe("SELECT 1 FROM ledger_state WHERE id = 1 FOR UPDATE");
      if (!(await moveCursor(tx, "revoke_cursor", slice))) return undefined;
      await addTallies(tx, tallies);
      for (const { kind, subject, before } of aged) {
        const old = "DELETE FROM alert_tallies WHERE kind = $1 AND subject = $2 AND slot < $3";
        await tx.unsafe(old, [kind, subject, before]);
      }
      const revoked: string[] = [];
      for (const { keyId, reason, tripped } of revocations) {
        const { count } = await tx.unsafe(
          `UPDATE vault_keys SET revoked_at = $1, revoke_reason = $2, auto_revoked = $3
           WHERE id = $4 AND revoked_at IS NULL`,
          [at, reason, JSON.stringify(tripped), keyId],
        );
        if (Number(count) > 0) revoked.push(keyId);
      }
      return revoked;
    });
  }

  async purgeRevokeTallies(before: EpochMs): Promise<void> {
    await this.#pool.unsafe(
      `DELETE FROM alert_tallies
       WHERE at < $1 AND kind IN ('cap_hits', 'vendor_errors', 'calls', 'family_calls', 'family_hours')`,
      [before],
    );
  }

  async #behind(): Promise<bigint> {
    const [row] = (await this.#pool.unsafe(
      "SELECT chain_count - chain_seq AS behind FROM ledger_state, revoke_cursor WHERE ledger_state.id = 1",
    )) as [{ behind: bigint }];
    return row.behind;
  }

  /** Leaves unread what nobody has rules for; looked at once more, as a key may have got some this moment. */
  async #skip(now: EpochMs): Promise<void> {
    await this.#pool.begin(async (tx) => {
      await tx.unsafe("SELECT 1 FROM ledger_state WHERE id = 1 FOR UPDATE");
      if (await isAnyWatched(tx, now)) return;
      await tx.unsafe(
        `UPDATE revoke_cursor SET version = version + 1, pass_to = NULL, pass_end = NULL, pass_floor = NULL,
           chain_seq = (SELECT chain_count FROM ledger_state WHERE id = 1),
           place = coalesce((SELECT min(batch) FROM open_batches), (SELECT last_seq + 1 FROM ledger_state WHERE id = 1))
         WHERE id = 1`,
      );
    });
  }
}

/** In the words of the index, or it is not used. */
async function isAnyWatched(sql: Pool | TransactionSQL, now: EpochMs): Promise<boolean> {
  const found = await sql.unsafe(
    `SELECT 1 FROM vault_keys WHERE revoked_at IS NULL AND (policy::json ->> 'auto_revoke') IS NOT NULL
       AND expires_at > $1 LIMIT 1`,
    [now],
  );
  return found.length > 0;
}
