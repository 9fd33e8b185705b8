import type { CallEnd } from "../audit/row.ts";
import type { Resolution } from "../core/hold.ts";
import { MICROS_MAX, type Micros } from "../core/money.ts";
import type { Charge, ResolveRequest } from "./entry.ts";

/** A correction of one counter; never more than what the hold put there, unless the cost was above the estimate. */
export interface CounterChange {
  readonly budgetId: string;
  readonly windowStart: number;
  readonly delta: bigint;
}

/**
 * What a resolution leaves on the books: nothing unless it settles. A refund counts its absolute amount (ledger.md), and
 * a vendor's answer with an absurd price counts as the largest amount there is, so that it can be written at all.
 */
export function finalCost(to: Resolution, end: Pick<CallEnd, "costMicros">): Micros {
  if (to !== "settled") return 0n;
  const absolute = end.costMicros < 0n ? -end.costMicros : end.costMicros;
  return absolute > MICROS_MAX ? MICROS_MAX : absolute;
}

/** Whether no later call, and no repeat, can tell if the resolution is on the books yet: the counters stay as they are. */
export function changesNothing({ receipt, repeat, object, to, end }: ResolveRequest): boolean {
  return (
    receipt !== undefined &&
    !repeat &&
    object === undefined &&
    counterChanges(receipt.charges, to, finalCost(to, end)).length === 0
  );
}

/** What is left of a charge when its call has ended so. */
export function amountAfter(
  { unit, amount }: Pick<Charge, "unit" | "amount">,
  to: Resolution,
  costMicros: Micros,
): bigint {
  if (to === "unresolved" || unit === "requests") return amount;
  if (to === "released") return 0n;
  return unit === "usd" ? costMicros : amount;
}

/**
 * How a resolution changes the counters that its hold charged. An unresolved call keeps everything; a released one gives
 * back exactly what it held; a settled one leaves its cost. Sends and writes stay counted when a call is settled: they
 * were made. Requests stay counted even when it is released: a rate is about what an agent asks for.
 */
export function counterChanges(charges: readonly Charge[], to: Resolution, costMicros: Micros): CounterChange[] {
  if (to === "unresolved") return [];
  const changes: CounterChange[] = [];
  for (const { budgetId, windowStart, unit, amount } of charges) {
    const final = amountAfter({ unit, amount }, to, costMicros);
    if (final !== amount) changes.push({ budgetId, windowStart, delta: final - amount });
  }
  return changes;
}
