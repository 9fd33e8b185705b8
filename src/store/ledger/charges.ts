import type { Micros } from "../../core/money.ts";
import type { Charge } from "../../ledger/entry.ts";
import { amountAfter } from "../../ledger/settlement.ts";

/**
 * As a row keeps it: a key's own budget without the `key:vk_…:` that the row says already, and no amount where it is the
 * row's exposure.
 */
type Written = [budget: string, windowStart: number, unit: Charge["unit"], amount?: string];

/** What a hold put on which counters, as its row keeps it: a JSON list. */
export function encodeCharges(keyId: string, exposureMicros: Micros, charges: readonly Charge[]): string {
  const prefix = ownPrefix(keyId);
  return JSON.stringify(
    charges.map(({ budgetId, windowStart, unit, amount }): Written => {
      const budget = budgetId.startsWith(prefix) ? budgetId.slice(prefix.length) : budgetId;
      return amount === exposureMicros ? [budget, windowStart, unit] : [budget, windowStart, unit, amount.toString()];
    }),
  );
}

export function decodeCharges(keyId: string, exposureMicros: Micros, text: string | null): readonly Charge[] {
  return (JSON.parse(text ?? "[]") as Written[]).map(([budget, windowStart, unit, amount]) => ({
    budgetId: budget.includes(":") ? budget : ownPrefix(keyId) + budget,
    windowStart,
    unit,
    amount: amount === undefined ? exposureMicros : BigInt(amount),
  }));
}

/** What is left of a charge on its counter once its row is final. `check-counters.ts` adds up the same in SQL. */
export function chargeLeft(
  { state, costMicros }: { readonly state: string; readonly costMicros: Micros | null },
  { unit, amount }: Charge,
): bigint {
  if (state !== "released" && state !== "settled") return amount;
  return amountAfter({ unit, amount }, state, costMicros ?? 0n);
}

function ownPrefix(keyId: string): string {
  return `key:${keyId}:`;
}
