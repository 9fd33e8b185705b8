import type { Database } from "bun:sqlite";
import type { SpendMismatch } from "../spend.ts";
import { DAY_MS, HOUR_MS } from "../spend-groups.ts";
import { ROW_SUMS } from "./spend-sums.ts";

interface CheckRow {
  readonly hour: bigint;
  readonly sums: string;
  readonly rows: string;
}

/**
 * The sums of each hour beside its rows, and those of each day beside its hours. Hours of which retention has removed rows
 * are left to the latter.
 */
export function checkSpend(database: Database): readonly SpendMismatch[] {
  const found = database
    .query<CheckRow, []>(
      `WITH hours AS (
         SELECT called_at - called_at % ${HOUR_MS} AS hour, ${ROW_SUMS}
         FROM audit_rows, spend_state
         WHERE spend_state.id = 1 AND seq < next_seq AND called_at >= pruned_to GROUP BY 1
       ), summed AS (
         SELECT slot AS hour, ${SLOT_SUMS} FROM spend_sums WHERE slot_ms = ${HOUR_MS} GROUP BY slot
       ), days AS (
         SELECT slot AS hour, ${SLOT_SUMS} FROM spend_sums WHERE slot_ms = ${DAY_MS} GROUP BY slot
       ), of_days AS (
         SELECT hour - hour % ${DAY_MS} AS hour, sum(calls) AS calls, sum(refused) AS refused,
           sum(settled_micros) AS settled_micros, sum(unresolved_micros) AS unresolved_micros
         FROM summed GROUP BY 1
       )
       ${compared("summed", "hours", "hour >= (SELECT pruned_to FROM spend_state)")}
       UNION ALL
       ${compared("days", "of_days", "TRUE")}
       ORDER BY hour`,
    )
    .all();
  return found.map(({ hour, sums, rows }) => ({ hour: Number(hour), sums, rows }));
}

const SLOT_SUMS = `sum(calls) AS calls, sum(refused) AS refused, sum(settled_micros) AS settled_micros,
  sum(unresolved_micros) AS unresolved_micros`;

function compared(kept: string, right: string, condition: string): string {
  return `
    SELECT * FROM (
      SELECT coalesce(${kept}.hour, ${right}.hour) AS hour, ${inWords(kept)} AS sums, ${inWords(right)} AS rows
      FROM ${kept} FULL OUTER JOIN ${right} ON ${kept}.hour = ${right}.hour
    ) WHERE sums <> rows AND ${condition}`;
}

function inWords(table: string): string {
  const part = (column: string) => `coalesce(${table}.${column}, 0)`;
  return `(${part("calls")} || ' calls, ' || ${part("refused")} || ' refused, ' || ${part("settled_micros")}
    || ' settled and ' || ${part("unresolved_micros")} || ' unresolved micro-dollars')`;
}
