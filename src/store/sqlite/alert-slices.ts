import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { AlertSlice, TallyKind } from "../alert-queue.ts";
import {
  ALERT_ROW_COLUMNS,
  type AlertRowRead,
  beginSlice,
  type CursorRow,
  type CursorTable,
  cursorValues,
  sliceOf,
} from "../alert-rows.ts";

/** Reads the audit rows that no rule has seen, by their place in the table, so that no call pays for an index. */
export function prepareSlices(database: Database, cursor: CursorTable) {
  const state = database.query<CursorRow, []>(
    `SELECT version, chain_seq, place, pass_to, pass_end, pass_floor, chain_count, last_seq,
       (SELECT min(batch) FROM open_batches) AS open_from
     FROM ${cursor} JOIN ledger_state ON ledger_state.id = 1 WHERE ${cursor}.id = 1`,
  );
  const page = database.query<AlertRowRead, [number, number, number]>(
    `SELECT ${ALERT_ROW_COLUMNS} FROM audit_rows WHERE seq >= ? AND seq <= ? ORDER BY seq LIMIT ?`,
  );
  return database.transaction((rowsMax: number): AlertSlice => {
    const from = beginSlice(state.get()!);
    return sliceOf(from, from.pass ? page.all(from.place, from.pass.end, rowsMax) : [], rowsMax);
  });
}

/** Moves a cursor on; 0 changes where another server has. */
export function prepareMove(database: Database, cursor: CursorTable) {
  const move = database.query(
    `UPDATE ${cursor} SET version = ?, chain_seq = ?, place = ?, pass_to = ?, pass_end = ?, pass_floor = ?
     WHERE id = 1 AND version = ?`,
  );
  return (slice: AlertSlice): boolean => move.run(...cursorValues(slice)).changes > 0;
}

export function prepareTally(database: Database) {
  return database.query<unknown, [TallyKind, string, EpochMs, bigint, EpochMs]>(
    `INSERT INTO alert_tallies (kind, subject, slot, amount, at) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT DO UPDATE SET amount = amount + excluded.amount, at = max(at, excluded.at)`,
  );
}
