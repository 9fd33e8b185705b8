import { sql } from "drizzle-orm";
import type { EpochMs } from "../../core/window.ts";
import type { CounterUse } from "../counter-reads.ts";
import type { Db } from "./db.ts";

/**
 * The counters under a prefix in these windows. Steps from id to id, so that a budget's earlier windows (a row a day, for
 * ever) are not read on the way.
 */
export async function countersUnder(
  db: Db,
  prefix: string,
  starts: readonly EpochMs[],
): Promise<readonly CounterUse[]> {
  const end = `${prefix}\u{10ffff}`;
  const rows = (await db.execute(sql`
    WITH RECURSIVE ids (id) AS (
      (SELECT budget_id FROM counters WHERE budget_id >= ${prefix} AND budget_id < ${end} ORDER BY budget_id LIMIT 1)
      UNION ALL
      SELECT (SELECT budget_id FROM counters WHERE budget_id > ids.id AND budget_id < ${end} ORDER BY budget_id LIMIT 1)
      FROM ids WHERE ids.id IS NOT NULL
    )
    SELECT budget_id, window_start, used FROM ids JOIN counters ON counters.budget_id = ids.id
    WHERE window_start IN (SELECT value::int8 FROM json_array_elements_text(${JSON.stringify(starts)}::text::json))
    ORDER BY budget_id, window_start`)) as unknown as { budget_id: string; window_start: bigint; used: bigint }[];
  return rows.map((row) => ({ budgetId: row.budget_id, windowStart: Number(row.window_start), used: row.used }));
}
