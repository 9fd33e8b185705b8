import { sql } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { CounterMismatch } from "../store.ts";

/**
 * Every counter beside the sum of what its calls hold or cost, recomputed from the rows and, for rows
 * that retention has removed, from what their segments keep. Of an unresolved call that was
 * resolved later the later row counts, and its own no more.
 */
export function checkCounters(db: BunSQLiteDatabase): readonly CounterMismatch[] {
  const rows = db.all<[string, bigint, bigint, bigint]>(sql`
    WITH calls AS (
      SELECT vault_key_id, state, exposure_micros, cost_micros, charges FROM audit_rows
      WHERE charges IS NOT NULL AND state <> 'released' AND NOT (
        state = 'unresolved' AND EXISTS (SELECT 1 FROM audit_rows AS later WHERE later.refers_to = audit_rows.id)
      )
      UNION ALL
      SELECT vault_key_id, 'held', exposure_micros, NULL, charges FROM calls_in_flight
    ), charged AS (
      SELECT CASE
               WHEN instr(charge.value ->> 0, ':') = 0 THEN 'key:' || vault_key_id || ':' || (charge.value ->> 0)
               ELSE charge.value ->> 0
             END AS budget_id,
             charge.value ->> 1 AS window_start,
             CASE
               WHEN state = 'settled' AND charge.value ->> 2 = 'usd' THEN cost_micros
               ELSE coalesce(CAST(charge.value ->> 3 AS INTEGER), exposure_micros)
             END AS amount
      FROM calls, json_each(calls.charges) AS charge
    ), pruned AS (
      SELECT sum.value ->> 0 AS budget_id, sum.value ->> 1 AS window_start, CAST(sum.value ->> 2 AS INTEGER) AS amount
      FROM audit_segments, json_each(audit_segments.sums) AS sum
    ), summed AS (
      SELECT budget_id, window_start, sum(amount) AS amount
      FROM (SELECT * FROM charged UNION ALL SELECT * FROM pruned) GROUP BY budget_id, window_start
    )
    SELECT coalesce(counters.budget_id, summed.budget_id) AS budget_id,
           coalesce(counters.window_start, summed.window_start) AS window_start,
           coalesce(counters.used, 0) AS counter,
           coalesce(summed.amount, 0) AS amount
    FROM counters FULL OUTER JOIN summed
      ON counters.budget_id = summed.budget_id AND counters.window_start = summed.window_start
    WHERE coalesce(counters.used, 0) <> coalesce(summed.amount, 0)
  `) as unknown as { budget_id: string; window_start: bigint; counter: bigint; amount: bigint }[];
  return rows.map((row) => ({
    budgetId: row.budget_id,
    windowStart: Number(row.window_start),
    counter: row.counter,
    rows: row.amount,
  }));
}
