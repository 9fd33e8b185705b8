import type { Charge } from "../../ledger/entry.ts";

/** What a hold put on which counters, as its row keeps it: a JSON list of `[budget, window start, unit, "amount"]`. */
export function encodeCharges(charges: readonly Charge[]): string {
  return JSON.stringify(charges.map((c) => [c.budgetId, c.windowStart, c.unit, c.amount.toString()]));
}

export function decodeCharges(text: string | null): readonly Charge[] {
  const rows = JSON.parse(text ?? "[]") as [string, number, Charge["unit"], string][];
  return rows.map(([budgetId, start, unit, amount]) => ({
    budgetId,
    windowStart: start,
    unit,
    amount: BigInt(amount),
  }));
}
