import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Resolution } from "../../../src/core/hold.ts";
import { DAY_MS, dailyCap, holdOf, kindCap, NOON, resolutionOf, totalCap, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const KINDS = ["charge", "refund", "payout"] as const;
type Kind = (typeof KINDS)[number];

interface CallOfKind {
  readonly kind: Kind;
  readonly dollars: number;
  /** How it ends at once, or that it does not. */
  readonly end: Resolution | undefined;
  readonly cost: number;
  readonly day: 0 | 1;
}

const callOfKind: fc.Arbitrary<CallOfKind> = fc.record({
  kind: fc.constantFrom(...KINDS),
  dollars: fc.nat(40),
  end: fc.constantFrom<Resolution | undefined>(undefined, "settled", "released", "unresolved"),
  cost: fc.nat(40),
  day: fc.constantFrom(0, 1),
});

export function kindConformance(open: OpenStore): void {
  test(
    "counts a call to the caps of its kind and to those of all, all or nothing",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 100), kindCap(id, "refund", 30), kindCap(id, "payout", 0)];
      const of = (kind: Kind, dollars: number) => holdOf(id, dollars, { kind, budgets });
      const results = await store.apply(
        [of("charge", 60), of("refund", 31), of("refund", 30), of("refund", 1), of("payout", 1), of("charge", 10)],
        NOON,
      );
      expect(results.map((result) => ("admitted" in result && !result.admitted ? result : undefined))).toMatchObject([
        undefined,
        { code: "cap_exceeded", rule: "caps.refund.daily_usd", budget: { used: 0n, cap: usd(30) } },
        undefined,
        { code: "cap_exceeded", rule: "caps.refund.daily_usd", budget: { used: usd(30) } },
        { code: "cap_exceeded", rule: "caps.payout.daily_usd", budget: { used: 0n, cap: 0n } },
        undefined,
      ] as never);
      const { counters } = await store.keySpend(id);
      expect(counters.map(({ name, used }) => [name, used])).toEqual([
        ["caps.refund.daily_usd", usd(30)],
        ["daily_usd_cap", usd(100)],
      ]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "corrects the caps of a kind by what a call did cost, also days later and by hand",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 100), kindCap(id, "refund", 50), kindCap(id, "refund", 90, "lifetime")];
      const [first, second] = [1, 2].map(() => holdOf(id, 20, { kind: "refund", budgets }));
      await store.apply([first!, second!, resolutionOf(second!.facts.id, "unresolved")], NOON);
      await store.apply([resolutionOf(first!.facts.id, "settled", 5)], NOON + 1);
      await store.apply([resolutionOf(second!.facts.id, "settled", 7)], NOON + 2 * DAY_MS);
      const { counters } = await store.keySpend(id);
      expect(counters.map(({ used }) => used)).toEqual([usd(12), usd(12), usd(12)]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test("passes no cap, of a kind or of all, and counts what the rows say, over any sequence of calls", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(callOfKind, { maxLength: 25 }), (calls) => within(open, over(calls))()),
      { numRuns: 25 },
    );
  }, 60_000);
}

/** Runs the calls in batches of a few, and adds up by kind what each admitted one left, counter by counter. */
function over(calls: readonly CallOfKind[]): Parameters<typeof within>[1] {
  return async ({ store }) => {
    const { id } = await issue(store);
    const budgets = [
      dailyCap(id, 90),
      totalCap(id, 150),
      kindCap(id, "refund", 40),
      kindCap(id, "refund", 60, "lifetime"),
      kindCap(id, "payout", 0),
    ];
    const left = new Map<string, bigint>();
    const add = (counter: string, amount: bigint) => left.set(counter, (left.get(counter) ?? 0n) + amount);
    for (const { kind, dollars, end, cost, day } of [...calls].sort((a, b) => a.day - b.day)) {
      // Never dearer than it was held for, or a cap is passed lawfully (overrun).
      const spent = Math.min(cost, dollars);
      const hold = holdOf(id, dollars, { kind, budgets });
      const ends = end ? [resolutionOf(hold.facts.id, end, spent)] : [];
      const [decision] = await store.apply([hold, ...ends], NOON + day * DAY_MS);
      const mine = budgets.filter((budget) => budget.kind === undefined || budget.kind === kind);
      const countersOf = mine.map(
        (budget) => [budget, `${budget.window === "lifetime" ? "" : day}${budget.name}`] as const,
      );
      const fits = dollars === 0 || countersOf.every(([{ cap }, name]) => (left.get(name) ?? 0n) + usd(dollars) <= cap);
      expect(decision).toMatchObject({ admitted: fits });
      const amount = end === "settled" ? spent : end === "released" ? 0 : dollars;
      if (fits) for (const [, name] of countersOf) add(name, usd(amount));
      for (const [{ cap }, name] of countersOf) expect(left.get(name) ?? 0n).toBeLessThanOrEqual(cap);
    }
    const { counters } = await store.keySpend(id);
    for (const { name, windowStart, used } of counters) {
      const day = windowStart === 0 ? "" : windowStart < NOON ? 0 : 1;
      expect([name, day, used]).toEqual([name, day, left.get(`${day}${name}`) ?? 0n]);
    }
    expect(await store.checkCounters()).toEqual([]);
  };
}
