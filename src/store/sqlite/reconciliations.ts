import type { Database } from "bun:sqlite";
import type { Micros } from "../../core/money.ts";
import type { EpochMs } from "../../core/window.ts";
import type { DueReconciliation } from "../due-reconciliation.ts";

interface DueRow {
  readonly call_id: string;
  readonly vendor: string;
  readonly path: string;
  readonly besides_micros: Micros;
  readonly attempts: bigint;
  readonly vendor_txn_id: string | null;
}

/** Calls whose price the vendor tells later, a statement for each step of waiting for it. */
export function prepareReconciliations(database: Database) {
  return {
    due: database.query<DueRow, [EpochMs, number]>(
      `SELECT call_id, reconciliations.vendor AS vendor, reconciliations.path AS path, besides_micros, attempts, vendor_txn_id
       FROM reconciliations LEFT JOIN audit_rows ON audit_rows.id = call_id
       WHERE due_at <= ? ORDER BY due_at LIMIT ?`,
    ),
    claim: database.query<unknown, [EpochMs, string, number]>(
      "UPDATE reconciliations SET attempts = attempts + 1, due_at = ? WHERE call_id = ? AND attempts = ?",
    ),
    remove: database.query<unknown, [string]>("DELETE FROM reconciliations WHERE call_id = ?"),
  };
}

export function dueReconciliation(row: DueRow): DueReconciliation {
  const { call_id: callId, vendor, path, besides_micros: besidesMicros, vendor_txn_id: vendorTxnId } = row;
  const attempts = Number(row.attempts);
  return { callId, vendor, path, besidesMicros, attempts, vendorTxnId };
}
