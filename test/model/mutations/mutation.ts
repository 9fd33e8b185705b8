import type { HoldRequest, LedgerEntry, LedgerResult, ResolveRequest } from "../../../src/ledger/entry.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Invariant } from "../invariant.ts";

/** Turns a store into one with a planted bug. */
export type Mutate = (store: Store) => Store;

/** A bug, planted around a real store. */
export interface Mutation {
  readonly bug: string;
  /** The invariant that it must be found to break; that another one is found broken too does not count. */
  readonly breaks: Invariant;
  /** Set where the pipeline is tried with it, too. */
  readonly inPipeline?: true;
  readonly mutate: Mutate;
}

export type Apply = Store["apply"];

/** Changes holds and ends on their way into the store, each by itself. */
export function entries(change: {
  hold?: (entry: HoldRequest) => HoldRequest;
  end?: (entry: ResolveRequest) => ResolveRequest;
}): Mutate {
  const changed = (entry: LedgerEntry): LedgerEntry =>
    entry.type === "hold" ? (change.hold?.(entry) ?? entry) : (change.end?.(entry) ?? entry);
  return applied((apply) => (batch, now) => apply(batch.map(changed), now));
}

export function budgets(change: (budget: HoldRequest["budgets"][number]) => HoldRequest["budgets"][number]): Mutate {
  return entries({ hold: (entry) => ({ ...entry, budgets: entry.budgets.map(change) }) });
}

export function applied(change: (apply: Apply) => Apply): Mutate {
  return (store) => ({ ...store, apply: change(store.apply) });
}

/** Leaves some entries of a batch out, and answers for them. */
export function leavingOut(isLeftOut: (entry: LedgerEntry) => boolean, answer: LedgerResult): Mutate {
  return applied((apply) => async (batch, now) => {
    const results = [
      ...(await apply(
        batch.filter((entry) => !isLeftOut(entry)),
        now,
      )),
    ];
    return batch.map((entry) => (isLeftOut(entry) ? answer : results.shift()!));
  });
}
