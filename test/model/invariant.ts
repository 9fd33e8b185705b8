/**
 * The invariants of the ledger, as the tests name them when one is broken. The seventh needs recorded answers and has a
 * test of its own; the second half of the eighth, that narrowing a policy never admits what was refused, is proven over
 * generated policies in test/policy/narrow.test.ts.
 */
export const INVARIANTS = {
  1: "settled + held + unresolved ≤ the cap in force at each admission, for every budget and window",
  2: "every vendor call has a durable hold written before its first byte; every refused call has no vendor call",
  3: "one resolution per hold; a released call frees exactly what it held",
  4: "counters equal the sum over the rows, recomputed from scratch",
  5: "exactly one audit row per call with a known key",
  6: "no hold commits after a revocation that has returned",
  7: "the same idempotency key and bytes: at most one vendor operation and one hold",
  8: "the same history gives the same verdicts on every store",
} as const;

export type Invariant = keyof typeof INVARIANTS;

/** What a test throws where the store has broken one of them. */
export class InvariantBroken extends Error {
  readonly invariant: Invariant;

  constructor(invariant: Invariant, what: string) {
    super(`invariant ${invariant} (${INVARIANTS[invariant]}): ${what}`);
    this.name = "InvariantBroken";
    this.invariant = invariant;
  }
}

/** @param what is only called where `holds` is false. */
export function must(invariant: Invariant, holds: boolean, what: () => string): void {
  if (!holds) throw new InvariantBroken(invariant, what());
}
