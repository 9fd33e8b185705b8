import type { Database } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { CounterUse } from "../counter-reads.ts";

/**
 * The counters under a prefix in these windows. Steps from id to id, so that a budget's earlier windows (a row a day, for
 * ever) are not read on the way.
 */
export function countersUnder(database: Database, prefix: string, starts: readonly EpochMs[]): readonly CounterUse[] {
  const rows = database
    .query<{ budget_id: string; window_start: bigint; used: bigint }, [string, string, string, string]>(
      `WITH RECURSIVE ids (id) AS (
         SELECT min(budget_id) FROM counters WHERE budget_id >= ? AND budget_id < ?
         UNION ALL
         SELECT (SELECT min(budget_id) FROM counters WHERE budget_id > ids.id AND budget_id < ?)
         FROM ids WHERE ids.id IS NOT NULL
       )
       SELECT budget_id, window_start, used FROM ids JOIN counters ON counters.budget_id = ids.id
       WHERE window_start IN (SELECT value FROM json_each(?)) ORDER BY budget_id, window_start`,
    )
    .all(prefix, `${prefix}\u{10ffff}`, `${prefix}\u{10ffff}`, JSON.stringify(starts));
  return rows.map((row) => ({ budgetId: row.budget_id, windowStart: Number(row.window_start), used: row.used }));
}
