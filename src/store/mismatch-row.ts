import type { CounterMismatch } from "./store.ts";

/** What the stores' recount of their counters answers for each that is wrong. */
export interface MismatchRow {
  readonly budget_id: string;
  readonly window_start: bigint;
  readonly counter: bigint;
  readonly amount: bigint;
}

export function mismatchOf(row: MismatchRow): CounterMismatch {
  return {
    budgetId: row.budget_id,
    windowStart: Number(row.window_start),
    counter: row.counter,
    rows: row.amount,
  };
}
