import { describe, expect, test } from "bun:test";
import { windowStart } from "../../src/core/window.ts";
import type { Budget } from "../../src/ledger/budget.ts";
import { counterKey, decide, type LedgerView } from "../../src/ledger/decide.ts";
import type { HoldRequest, KeyState } from "../../src/ledger/entry.ts";
import { DAY_MS, dailyCap, holdOf, kindCap, NOON, sendCap, totalCap, usd } from "./entries.ts";

const KEY: KeyState = { id: "vk_1", version: 1, expiresAt: NOON + DAY_MS, revokedAt: null, revokeReason: null };

function viewOf(overrides: Partial<LedgerView> = {}, key: Partial<KeyState> = {}): LedgerView {
  const keys = new Map([[KEY.id, { ...KEY, ...key }]]);
  return {
    now: NOON,
    keys,
    brakes: [],
    vendors: new Map(),
    counters: new Map(),
    frozen: null,
    records: new Map(),
    objects: new Map(),
    ...overrides,
  };
}

const usedOf = (budget: Budget, amount: bigint): [string, bigint] => [
  counterKey(budget.id, windowStart(budget.window, NOON)),
  amount,
];

const BUDGETS = [dailyCap("vk_1", 100), totalCap("vk_1", 250), sendCap("vk_1", 10)];

describe("the name of a counter", () => {
  test("is different for every budget and every window, whatever a budget is called", () => {
    const names = ["a", "1|a", "|a", "", "key:vk_1:daily_usd_cap", "key:vk_1:daily_usd_cap|0"];
    const keys = names.flatMap((name) => [0, 1, NOON, -1].map((start) => counterKey(name, start)));
    expect(new Set(keys).size).toBe(keys.length);
    for (const key of keys) expect(names).toContain(key.slice(key.indexOf("|") + 1));
  });
});

describe("a call within its budgets", () => {
  test("is charged to each of them, in its unit and its window, and later calls see it", () => {
    const view = viewOf();
    const decision = decide(view, holdOf("vk_1", 30, { budgets: BUDGETS, sends: 4 }));
    expect(decision).toEqual({
      admitted: true,
      charges: [
        { budgetId: BUDGETS[0]!.id, windowStart: Date.UTC(2026, 0, 15), unit: "usd", amount: usd(30) },
        { budgetId: BUDGETS[1]!.id, windowStart: 0, unit: "usd", amount: usd(30) },
        { budgetId: BUDGETS[2]!.id, windowStart: Date.UTC(2026, 0, 15), unit: "sends", amount: 4n },
      ],
      tightest: { name: "daily_usd_cap", unit: "usd", cap: usd(100), used: usd(30), resetAt: Date.UTC(2026, 0, 16) },
    });
    expect([...view.counters.values()]).toEqual([usd(30), usd(30), 4n]);
  });

  test("fills a budget to the last micro-dollar and not one further", () => {
    const budgets = [dailyCap("vk_1", 100)];
    const almost = () => viewOf({ counters: new Map([usedOf(budgets[0]!, usd(99))]) });
    expect(decide(almost(), holdOf("vk_1", 1, { budgets }))).toMatchObject({ admitted: true });
    const over = holdOf("vk_1", 0, { budgets, exposureMicros: usd(1) + 1n });
    expect(decide(almost(), over)).toMatchObject({ admitted: false, code: "cap_exceeded" });
  });

  test("needs no budget at all to be admitted", () => {
    const decision = decide(viewOf(), holdOf("vk_1", 1_000_000, { budgets: [] }));
    expect(decision).toEqual({ admitted: true, charges: [], tightest: undefined });
  });

  test("has the charge of its tightest dollar budget first", () => {
    const counters = new Map([usedOf(BUDGETS[1]!, usd(200))]);
    const decision = decide(viewOf({ counters }), holdOf("vk_1", 30, { budgets: BUDGETS }));
    expect(decision).toMatchObject({ tightest: { name: "total_usd_cap", used: usd(230) } });
    expect("charges" in decision && decision.charges[0]!.budgetId).toBe(BUDGETS[1]!.id);
    expect("charges" in decision && decision.charges).toHaveLength(3);
  });
});

describe("a call over a budget", () => {
  const FULL: readonly (readonly [
    used: Partial<Record<number, bigint>>,
    dollars: number,
    sends: number,
    rule: string,
  ])[] = [
    [{ 0: usd(80) }, 30, 0, "daily_usd_cap"],
    [{ 1: usd(230) }, 30, 0, "total_usd_cap"],
    [{ 2: 8n }, 0, 3, "daily_send_cap"],
    [{ 0: usd(80), 1: usd(230), 2: 10n }, 30, 3, "daily_usd_cap"],
    [{ 0: usd(400) }, 1, 0, "daily_usd_cap"],
  ];
  for (const [used, dollars, sends, rule] of FULL) {
    test(`is refused by ${rule}, the first that is full, and charges none (${dollars} dollars, ${sends} sends)`, () => {
      const counters = new Map(Object.entries(used).map(([index, amount]) => usedOf(BUDGETS[Number(index)]!, amount!)));
      const before = new Map(counters);
      const decision = decide(viewOf({ counters }), holdOf("vk_1", dollars, { budgets: BUDGETS, sends }));
      const budget = BUDGETS.find(({ name }) => name === rule)!;
      expect(decision).toMatchObject({ code: "cap_exceeded", rule, budget: { name: rule, cap: budget.cap } });
      expect(counters).toEqual(before);
    });
  }

  test("passes where it asks nothing of the budget that is full", () => {
    const counters = new Map([usedOf(BUDGETS[0]!, usd(100)), usedOf(BUDGETS[2]!, 10n)]);
    expect(decide(viewOf({ counters }), holdOf("vk_1", 0, { budgets: BUDGETS }))).toMatchObject({ admitted: true });
  });
});

describe("a call that the ledger cannot judge", () => {
  const STALE: readonly (readonly [title: string, view: LedgerView, call: Partial<HoldRequest>])[] = [
    ["by an older policy", viewOf({}, { version: 2 }), { keyVersion: 1 }],
    ["by a newer policy", viewOf({}, { version: 1 }), { keyVersion: 2 }],
    ["by older settings of the vendor", viewOf({ vendors: new Map([["stripe", 3]]) }), { vendorVersion: 2 }],
    ["for a vendor that has settings now", viewOf({ vendors: new Map([["stripe", 1]]) }), {}],
    ["for a vendor that has none", viewOf(), { vendorVersion: 1 }],
    ["by an older policy, though the key is revoked", viewOf({}, { version: 2, revokedAt: NOON }), {}],
  ];
  for (const [title, view, call] of STALE) {
    test(`is stale where it was judged ${title}`, () => {
      expect(decide(view, holdOf("vk_1", 1, call))).toEqual({ admitted: false, code: "stale" });
    });
  }

  test("is of an unknown key", () => {
    expect(decide(viewOf(), holdOf("vk_2", 1))).toMatchObject({ admitted: false, code: "key_unknown", rule: "key" });
  });
});

describe("a refusal from before", () => {
  const refusal = { code: "amount_denied", rule: "max_amount_per_call_usd" } as const;

  test("stands, with the tightest budget for the answer, and charges nothing", () => {
    const view = viewOf();
    const decision = decide(view, holdOf("vk_1", 900, { refusal, budgets: BUDGETS }));
    expect(decision).toMatchObject({ ...refusal, admitted: false, budget: { name: "daily_usd_cap", used: 0n } });
    expect(view.counters.size).toBe(0);
  });

  test("gives way to a revoke, with its reason, and shows no budget then", () => {
    const view = viewOf({}, { revokedAt: NOON, revokeReason: "loop" });
    expect(decide(view, holdOf("vk_1", 1, { refusal }))).toEqual({
      admitted: false,
      code: "key_revoked",
      rule: "revoked",
      budget: undefined,
      reason: "loop",
    });
  });
});

describe("a cap of one kind of money", () => {
  const [day, refunds, refundsEver, payouts] = [
    dailyCap("vk_1", 100),
    kindCap("vk_1", "refund", 30),
    kindCap("vk_1", "refund", 50, "lifetime"),
    kindCap("vk_1", "payout", 0),
  ];
  const budgets = [day, refunds, refundsEver, payouts];
  const asked = (kind: string | undefined, dollars: number) => holdOf("vk_1", dollars, { kind, budgets });

  test.each([
    ["refund", 30, ["daily_usd_cap", "caps.refund.daily_usd", "caps.refund.total_usd"]],
    ["refund", 0, ["daily_usd_cap", "caps.refund.daily_usd", "caps.refund.total_usd"]],
    ["charge", 100, ["daily_usd_cap"]],
    ["payout", 0, ["daily_usd_cap", "caps.payout.daily_usd"]],
    [undefined, 5, ["daily_usd_cap"]],
  ])("charges a %s of $%d to its own caps and those of all, and to no other", (kind, dollars, names) => {
    const view = viewOf();
    const decision = decide(view, asked(kind, dollars));
    const charged = decision.admitted ? decision.charges.map(({ budgetId }) => budgetId.replace("key:vk_1:", "")) : [];
    expect(charged.sort()).toEqual([...names].sort());
    expect([...view.counters.values()]).toEqual(names.map(() => usd(dollars)));
  });

  test.each([
    ["refund", 31, "caps.refund.daily_usd", 30],
    ["payout", 1, "caps.payout.daily_usd", 0],
    ["charge", 101, "daily_usd_cap", 100],
    ["refund", 101, "daily_usd_cap", 100],
  ])("refuses a %s of $%d by %s, and charges nothing", (kind, dollars, rule, cap) => {
    const view = viewOf();
    expect(decide(view, asked(kind, dollars))).toMatchObject({
      admitted: false,
      code: "cap_exceeded",
      rule,
      budget: { name: rule, cap: usd(cap), used: 0n },
    });
    expect(view.counters.size).toBe(0);
  });

  test("is the tightest for calls of its kind alone, and its charge then stands first", () => {
    const view = viewOf();
    expect(decide(view, asked("refund", 10))).toMatchObject({
      charges: [{ budgetId: refunds!.id }, {}, {}],
      tightest: { name: "caps.refund.daily_usd", used: usd(10) },
    });
    expect(decide(view, asked("charge", 10))).toMatchObject({ tightest: { name: "daily_usd_cap", used: usd(20) } });
    const refusal = { code: "endpoint_denied", rule: "x" } as const;
    const refused = { ...asked("payout", 1), refusal };
    expect(decide(view, refused)).toMatchObject({ budget: { name: "caps.payout.daily_usd" } });
  });

  test("says which currency has no rate, where that is why a cap lets nothing through", () => {
    const unrated = { ...dailyCap("vk_1", 0), name: "daily_cap", lacksRateOf: "eur" };
    const decision = decide(viewOf(), holdOf("vk_1", 1, { budgets: [unrated] }));
    expect(decision).toMatchObject({ code: "cap_exceeded", rule: "daily_cap", budget: { lacksRateOf: "eur" } });
  });
});

describe("a cap on sends of one kind", () => {
  const texts: Budget = { ...sendCap("vk_1", 3), id: "budget:texts:daily_send_cap", kind: "message" };
  const sent = (kind: string) => holdOf("vk_1", 0, { kind, sends: 2, budgets: [texts] });

  test("counts and stops the sends of that kind alone", () => {
    const view = viewOf();
    expect(decide(view, sent("email"))).toMatchObject({ admitted: true, charges: [] });
    expect(decide(view, sent("message"))).toMatchObject({ charges: [{ budgetId: texts.id, amount: 2n }] });
    expect(decide(view, sent("message"))).toMatchObject({ admitted: false, code: "cap_exceeded" });
    expect(decide(view, sent("email"))).toMatchObject({ admitted: true, charges: [] });
  });
});
