import { sql } from "drizzle-orm";
import type { EpochMs } from "../../core/window.ts";
import type { DueReconciliation } from "../due-reconciliation.ts";
import { KNOWN_MS, PURGED_MAX } from "../ledger/life.ts";
import type { Db } from "./db.ts";

/** Forgets a slice of what repeats are no longer answered with, and of the objects that nobody has named for a week. */
export async function purge(db: Db, now: EpochMs): Promise<number> {
  const records = (await db.execute(sql`
    DELETE FROM recorded_calls WHERE (vault_key_id, slot) IN (
      SELECT vault_key_id, slot FROM recorded_calls WHERE expires_at <= ${now} LIMIT ${PURGED_MAX}
      FOR UPDATE SKIP LOCKED) RETURNING 1 AS one`)) as unknown as unknown[];
  const objects = (await db.execute(sql`
    DELETE FROM vendor_objects WHERE name IN (
      SELECT name FROM vendor_objects WHERE touched_at <= ${now - KNOWN_MS} AND held_by IS NULL LIMIT ${PURGED_MAX}
      FOR UPDATE SKIP LOCKED) RETURNING 1 AS one`)) as unknown as unknown[];
  return records.length + objects.length;
}

/** Whether any rolling total has entries that count no more: asked before a transaction that would write nothing. */
export async function isAnyRollingDue(db: Db, now: EpochMs): Promise<boolean> {
  const due = (await db.execute(sql`SELECT 1 AS one FROM rolling_totals WHERE due_at <= ${now} LIMIT 1`)) as unknown;
  return (due as unknown[]).length > 0;
}

interface DueRow {
  readonly call_id: string;
  readonly vendor: string;
  readonly path: string;
  readonly besides_micros: bigint;
  readonly attempts: bigint;
  readonly vendor_txn_id: string | null;
}

/** Settled calls whose price is to be asked for, the longest waiting first. */
export async function dueReconciliations(db: Db, now: EpochMs, limit: number): Promise<readonly DueReconciliation[]> {
  const rows = (await db.execute(sql`
    SELECT call_id, reconciliations.vendor AS vendor, reconciliations.path AS path, besides_micros, attempts, vendor_txn_id
    FROM reconciliations LEFT JOIN audit_rows ON audit_rows.id = call_id
    WHERE due_at <= ${now} ORDER BY due_at LIMIT ${limit}`)) as unknown as DueRow[];
  return rows.map((row) => ({
    callId: row.call_id,
    vendor: row.vendor,
    path: row.path,
    besidesMicros: row.besides_micros,
    attempts: Number(row.attempts),
    vendorTxnId: row.vendor_txn_id,
  }));
}

/** Takes a question, which comes again at `askAgainAt`; false where another replica has taken it. */
export async function claimReconciliation(
  db: Db,
  { callId, attempts }: DueReconciliation,
  askAgainAt: EpochMs,
): Promise<boolean> {
  const claimed = (await db.execute(sql`
    UPDATE reconciliations SET attempts = attempts + 1, due_at = ${askAgainAt}
    WHERE call_id = ${callId} AND attempts = ${attempts} RETURNING 1 AS one`)) as unknown as unknown[];
  return claimed.length > 0;
}

export async function dropReconciliation(db: Db, callId: string): Promise<void> {
  await db.execute(sql`DELETE FROM reconciliations WHERE call_id = ${callId}`);
}
