import type { TransactionSQL } from "bun";
import type { AlertSlice, Tally } from "../alert-queue.ts";
import {
  ALERT_ROW_COLUMNS,
  type AlertRowRead,
  beginSlice,
  type CursorRow,
  type CursorTable,
  cursorValues,
  sliceOf,
} from "../alert-rows.ts";

/** A transaction in which several reads see one moment. */
export const READ_ONCE = "ISOLATION LEVEL REPEATABLE READ READ ONLY";

/** Reads the audit rows that no rule has seen, by their place in the table, so that no call pays for an index. */
export async function readSlice(tx: TransactionSQL, cursor: CursorTable, rowsMax: number): Promise<AlertSlice> {
  const [state] = (await tx.unsafe(
    `SELECT version, chain_seq, place, pass_to, pass_end, pass_floor, chain_count, last_seq,
       (SELECT min(batch) FROM open_batches) AS open_from
     FROM ${cursor} JOIN ledger_state ON ledger_state.id = 1 WHERE ${cursor}.id = 1`,
  )) as [CursorRow];
  const from = beginSlice(state);
  if (!from.pass) return sliceOf(from, [], rowsMax);
  const found = await tx.unsafe(
    `SELECT ${ALERT_ROW_COLUMNS} FROM audit_rows WHERE seq >= $1 AND seq <= $2 ORDER BY seq LIMIT $3`,
    [from.place, from.pass.end, rowsMax],
  );
  return sliceOf(from, found as AlertRowRead[], rowsMax);
}

/** False where another replica has moved it. */
export async function moveCursor(tx: TransactionSQL, cursor: CursorTable, slice: AlertSlice): Promise<boolean> {
  const moved = await tx.unsafe(
    `UPDATE ${cursor} SET version = $1, chain_seq = $2, place = $3, pass_to = $4, pass_end = $5, pass_floor = $6
     WHERE id = 1 AND version = $7`,
    [...cursorValues(slice)],
  );
  return Number(moved.count) > 0;
}

export async function addTallies(tx: TransactionSQL, tallies: readonly Tally[]): Promise<void> {
  for (const { kind, subject, slot, amount, at } of tallies) {
    await tx.unsafe(
      `INSERT INTO alert_tallies (kind, subject, slot, amount, at) VALUES ($1, $2, $3, $4, $5)
       ON CONFLICT (kind, subject, slot)
       DO UPDATE SET amount = alert_tallies.amount + excluded.amount, at = greatest(alert_tallies.at, excluded.at)`,
      [kind, subject, slot, amount, at],
    );
  }
}
