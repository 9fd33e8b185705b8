import type { Micros } from "../../core/money.ts";
import type { Charge, ResolveRequest } from "../../ledger/entry.ts";
import { counterChanges } from "../../ledger/settlement.ts";
import type { Counters } from "./counters.ts";
import type { FinalRow, FinalRows } from "./final-rows.ts";
import type { LedgerLoad } from "./ledger-reads.ts";
import type { OpenCall } from "./open-call.ts";

/** A transaction of the ledger under way: what it has read, and what it will write when it commits. */
export interface Work extends LedgerLoad {
  /** Holds taken in it that have not ended in it, by call. */
  readonly opened: Map<string, OpenCall>;
  /** How many calls of an earlier batch have got their final row in it. */
  readonly ended: Map<number, number>;
  /** The batch that each owner's holds go into. */
  readonly batches: Map<string, number>;
  /** Calls whose COMMIT has failed, and which this transaction has not withdrawn. */
  doubtful: readonly string[];
  /** The id of a row that is no call of its own. */
  readonly makeId: () => string;
}

/** Adds a row to the end of the chain; false where there is such a row already. */
export function addRow({ state }: Work, rows: FinalRows, row: FinalRow): boolean {
  const head = rows.add(state.chain, row);
  if (!head) return false;
  state.chain = head;
  return true;
}

/** Takes what a resolution gives back, or adds what it has cost more, on every counter that the hold charged. */
export function correctCounters(
  { counters }: Work,
  charges: readonly Charge[],
  to: ResolveRequest["to"],
  costMicros: Micros,
): void {
  for (const change of counterChanges(charges, to, costMicros)) {
    counters.add(change.budgetId, change.windowStart, change.delta);
  }
}

/** What the tightest dollar budget will have used; its charge stands first (`HoldDecision`). */
export function useAfter(
  { counters }: Work,
  charges: readonly Charge[],
  to: ResolveRequest["to"],
  costMicros: Micros,
): Micros | null {
  const first = firstDollarCharge(charges);
  if (!first) return null;
  const [change] = counters.counts(first) ? counterChanges([first], to, costMicros) : [];
  return counters.used(first) + (change?.delta ?? 0n);
}

/** The same while the call is held. */
export function firstDollarUse(counters: Counters, charges: readonly Charge[]): Micros | null {
  const first = firstDollarCharge(charges);
  return first ? counters.used(first) : null;
}

function firstDollarCharge(charges: readonly Charge[]): Charge | undefined {
  return charges.find((charge) => charge.unit === "usd");
}
