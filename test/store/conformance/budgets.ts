import { expect, test } from "bun:test";
import fc from "fast-check";
import type { Resolution } from "../../../src/core/hold.ts";
import { SHARED_PREFIX, SharedBudgets } from "../../../src/ledger/shared-budgets.ts";
import { readBudgets } from "../../../src/policy/budget-file.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const TODAY = Date.UTC(2026, 0, 15);

/** The budgets above keys that `text` declares. */
export function sharedBudgets(text: string): SharedBudgets {
  const { budgets, problems } = readBudgets(text, ["stripe"]);
  if (!budgets) throw new Error(JSON.stringify(problems));
  return new SharedBudgets(budgets, new Map());
}

const BUDGETS = sharedBudgets(`budgets:
  - { name: platform, daily_usd_cap: 100 }
  - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 60, total_usd_cap: 90 }
  - { name: refunds, match: { kind: refund }, daily_usd_cap: 30 }
`);

const LABELS = ["tenant:a:1", "tenant:a:2", "tenant:b:1", "other"] as const;

interface SharedCall {
  readonly label: (typeof LABELS)[number];
  readonly kind: "charge" | "refund";
  readonly dollars: number;
  readonly end: Resolution | undefined;
  readonly cost: number;
}

const sharedCall: fc.Arbitrary<SharedCall> = fc.record({
  label: fc.constantFrom(...LABELS),
  kind: fc.constantFrom("charge", "refund"),
  dollars: fc.nat(40),
  end: fc.constantFrom<Resolution | undefined>(undefined, "settled", "released", "unresolved"),
  cost: fc.nat(40),
});

/** The budgets that a call is charged to, by the words of the file above: name and dollars. */
function modelCaps({ label, kind }: SharedCall): readonly (readonly [string, number])[] {
  const tenant = /^tenant:([ab]):/.exec(label)?.[1];
  return [
    [`key:${label}`, 80],
    ["budget:platform:daily_usd_cap", 100],
    ...(tenant === undefined
      ? []
      : ([
          [`budget:per-tenant:${tenant}:daily_usd_cap`, 60],
          [`budget:per-tenant:${tenant}:total_usd_cap`, 90],
        ] as const)),
    ...(kind === "refund" ? ([["budget:refunds:daily_usd_cap", 30]] as const) : []),
  ];
}

export function budgetConformance(open: OpenStore): void {
  test("charges every budget above keys that matches, over all keys, or none, in any history", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(sharedCall, { maxLength: 25 }), (calls) => within(open, playShared(calls))()),
      { numRuns: 15 },
    );
  }, 30_000);

  test(
    "lists what is used of such budgets in the windows asked for, and nothing of a key's own",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 100), ...BUDGETS.of("stripe", "tenant:a:1")];
      await store.apply([holdOf(id, 10, { budgets })], NOON);
      await store.apply([holdOf(id, 7, { budgets })], NOON + DAY_MS);
      expect(await store.countersUnder(SHARED_PREFIX, [0, TODAY + DAY_MS])).toEqual([
        { budgetId: "budget:per-tenant:a:daily_usd_cap", windowStart: TODAY + DAY_MS, used: usd(7) },
        { budgetId: "budget:per-tenant:a:total_usd_cap", windowStart: 0, used: usd(17) },
        { budgetId: "budget:platform:daily_usd_cap", windowStart: TODAY + DAY_MS, used: usd(7) },
      ]);
      expect(await store.countersUnder("budget:platform:", [TODAY])).toMatchObject([{ used: usd(10) }]);
      expect(await store.countersUnder(SHARED_PREFIX, [])).toEqual([]);
      expect((await store.keySpend(id)).counters.map(({ name }) => name)).toEqual(["daily_usd_cap", "daily_usd_cap"]);
    }),
  );

  test(
    "keeps the ids of such budgets whole in its rows, also of members with hostile names",
    within(open, async ({ store, tamper }) => {
      const { id } = await issue(store);
      const shared = sharedBudgets(
        'budgets: [{ name: key, match: { label_prefix: "t/*/" }, daily_usd_cap: 50, daily_send_cap: 9 }]',
      );
      for (const member of ["a:b", "a%3Ab", "", `key:${id}:daily_usd_cap`, 'a"b,c', "größe"]) {
        const budgets = [dailyCap(id, 1_000), ...shared.of("stripe", `t/${member}/`)];
        const [settled, open_] = [holdOf(id, 9, { budgets, sends: 2 }), holdOf(id, 4, { budgets })];
        await store.apply([settled, open_, resolutionOf(settled.facts.id, "settled", 8)], NOON);
      }
      const counters = await store.countersUnder("budget:key:", [TODAY]);
      expect(counters.map(({ used }) => used)).toEqual(Array.from({ length: 6 }, () => [2n, usd(12)]).flat());
      expect(await store.checkCounters()).toEqual([]);
      await tamper("UPDATE counters SET used = used + 1 WHERE budget_id = 'budget:key:a%3Ab:daily_usd_cap'");
      expect(await store.checkCounters()).toEqual([
        { budgetId: "budget:key:a%3Ab:daily_usd_cap", windowStart: TODAY, counter: usd(12) + 1n, rows: usd(12) },
      ]);
    }),
  );
}

function playShared(calls: readonly SharedCall[]): Parameters<typeof within>[1] {
  return async ({ store }) => {
    const ids = new Map<string, string>();
    for (const label of LABELS) ids.set(label, (await issue(store, { label })).id);
    const used = new Map<string, number>();
    for (const call of calls) {
      const { label, kind, dollars, end, cost } = call;
      const caps = modelCaps(call);
      const wanted = dollars === 0 || caps.every(([name, cap]) => (used.get(name) ?? 0) + dollars <= cap);
      const id = ids.get(label)!;
      const budgets = [dailyCap(id, 80), ...BUDGETS.of("stripe", label)];
      const hold = holdOf(id, dollars, { kind, budgets });
      const [decision] = await store.apply([hold], NOON);
      expect({ call, admitted: decision && "admitted" in decision && decision.admitted }).toEqual({
        call,
        admitted: wanted,
      });
      if (!wanted) continue;
      if (end) await store.apply([resolutionOf(hold.facts.id, end, end === "settled" ? cost : 0)], NOON);
      const left = end === "released" ? 0 : end === "settled" ? cost : dollars;
      for (const [name] of caps) used.set(name, (used.get(name) ?? 0) + left);
    }
    const counters = await store.countersUnder(SHARED_PREFIX, [0, TODAY]);
    // A counter that nothing was ever put on need not be there.
    const counted = (all: readonly (readonly [string, bigint])[]) =>
      Object.fromEntries(all.filter(([, sum]) => sum > 0n));
    const shared = [...used].filter(([name]) => name.startsWith("budget:"));
    expect(counted(counters.map((counter) => [counter.budgetId, counter.used]))).toEqual(
      counted(shared.map(([name, sum]) => [name, usd(sum)])),
    );
    expect(await store.checkCounters()).toEqual([]);
  };
}
