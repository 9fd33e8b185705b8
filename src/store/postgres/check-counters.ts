import { sql } from "drizzle-orm";
import { ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { type MismatchRow, mismatchOf } from "../mismatch-row.ts";
import type { CounterMismatch } from "../store.ts";
import type { Db } from "./db.ts";

/**
 * Every counter beside the sum of what its calls hold or cost, recomputed from the rows and, for rows
 * that retention has removed, from what their segments keep. Of an unresolved call that was
 * resolved later the later row counts, and its own no more.
 * A rolling budget is checked twice: each entry that still counts beside its calls, and its total (as window 0) beside all
 * its entries. What has aged by the ledger's clock is nobody's business any more.
 */
export async function checkCounters(db: Db): Promise<readonly CounterMismatch[]> {
  const windows = sql.join(
    Object.entries(ROLLING_WINDOWS_MS).map(([name, countsMs]) => sql`(${`@${name}`}::text, ${countsMs}::int8)`),
    sql`, `,
  );
  const rows = (await db.execute(sql`
    WITH calls AS (
      SELECT vault_key_id, state, exposure_micros, cost_micros, charges FROM audit_rows
      WHERE charges IS NOT NULL AND NOT (
        state = 'unresolved' AND EXISTS (SELECT 1 FROM audit_rows AS later WHERE later.refers_to = audit_rows.id)
      )
      UNION ALL
      SELECT vault_key_id, 'held', exposure_micros, NULL::int8, charges FROM calls_in_flight
    ), charged AS (
      SELECT CASE
               WHEN strpos(charge.value ->> 0, ':') = 0 THEN 'key:' || vault_key_id || ':' || (charge.value ->> 0)
               ELSE charge.value ->> 0
             END AS budget_id,
             (charge.value ->> 1)::int8 AS window_start,
             CASE
               WHEN state = 'released' AND charge.value ->> 2 <> 'requests' THEN 0
               WHEN state = 'settled' AND charge.value ->> 2 = 'usd' THEN cost_micros
               ELSE coalesce((charge.value ->> 3)::int8, exposure_micros)
             END AS amount
      FROM calls, json_array_elements(calls.charges::json) AS charge (value)
    ), windows (ending, counts_ms) AS (
      VALUES ${windows}
    ), kept AS (
      SELECT budget_id, window_start, used FROM counters
      UNION ALL
      SELECT budget_id, taken_at, amount
      FROM rolling_entries JOIN windows ON right(budget_id, length(ending)) = ending, ledger_state
      WHERE taken_at > now - counts_ms
    ), pruned AS (
      SELECT sum.value ->> 0 AS budget_id, (sum.value ->> 1)::int8 AS window_start, (sum.value ->> 2)::int8 AS amount
      FROM audit_segments, json_array_elements(audit_segments.sums::json) AS sum (value)
    ), summed AS (
      SELECT budget_id, window_start, sum(amount)::int8 AS amount
      FROM (SELECT * FROM charged UNION ALL SELECT * FROM pruned) AS counted
      LEFT JOIN windows ON right(budget_id, length(ending)) = ending, ledger_state
      WHERE counts_ms IS NULL OR window_start > now - counts_ms
      GROUP BY budget_id, window_start
    )
    SELECT coalesce(kept.budget_id, summed.budget_id) AS budget_id,
           coalesce(kept.window_start, summed.window_start) AS window_start,
           coalesce(kept.used, 0) AS counter,
           coalesce(summed.amount, 0) AS amount
    FROM kept FULL OUTER JOIN summed
      ON kept.budget_id = summed.budget_id AND kept.window_start = summed.window_start
    WHERE coalesce(kept.used, 0) <> coalesce(summed.amount, 0)
    UNION ALL
    SELECT coalesce(rolling_totals.budget_id, entries.budget_id), 0, coalesce(used, 0), coalesce(amount, 0)
    FROM rolling_totals FULL OUTER JOIN (
      SELECT budget_id, sum(amount)::int8 AS amount FROM rolling_entries GROUP BY budget_id
    ) AS entries ON entries.budget_id = rolling_totals.budget_id
    WHERE coalesce(used, 0) <> coalesce(amount, 0)
  `)) as unknown as MismatchRow[];
  return rows.map(mismatchOf);
}
