import type { Resolution } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { Charge } from "./entry.ts";

/** A correction of one counter; never more than what the hold put there, unless the cost was above the estimate. */
export interface CounterChange {
  readonly budgetId: string;
  readonly windowStart: number;
  readonly delta: bigint;
}

/**
 * How a resolution changes the counters that its hold charged. An unresolved call keeps everything; a released one gives
 * back exactly what it held; a settled one leaves its cost. Sends stay counted when a call is settled: they were sent.
 */
export function counterChanges(charges: readonly Charge[], to: Resolution, costMicros: Micros): CounterChange[] {
  if (to === "unresolved") return [];
  const changes: CounterChange[] = [];
  for (const { budgetId, windowStart, unit, amount } of charges) {
    const final = to === "released" ? 0n : unit === "usd" ? costMicros : amount;
    if (final !== amount) changes.push({ budgetId, windowStart, delta: final - amount });
  }
  return changes;
}
