import { describe, test } from "bun:test";
import fc from "fast-check";
import type { Resolution } from "../../src/core/hold.ts";
import type { CapWindow } from "../../src/core/window.ts";
import type { Budget } from "../../src/ledger/budget.ts";
import { counterKey, decide, type LedgerView } from "../../src/ledger/decide.ts";
import type { Charge, KeyState } from "../../src/ledger/entry.ts";
import { counterChanges, finalCost } from "../../src/ledger/settlement.ts";
import { DAY_MS, holdOf, NOON } from "./entries.ts";

/** A budget in the model: a list of what every call has put on it, summed anew for every question. */
interface ModelCall {
  readonly day: number;
  readonly money: string;
  readonly amounts: readonly bigint[];
  state: "held" | Resolution;
  readonly charges: readonly Charge[];
  cost: bigint;
}

type Step =
  | {
      readonly step: "call";
      readonly amount: bigint;
      readonly money: string;
      readonly sends: number;
      readonly tomorrow: boolean;
    }
  | { readonly step: "end"; readonly which: number; readonly to: Resolution; readonly cost: bigint };

const amount = fc.bigInt({ min: 0n, max: 60n });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      step: fc.constant("call" as const),
      amount,
      money: fc.constantFrom("charge", "refund", "payout"),
      sends: fc.nat(4),
      tomorrow: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      step: fc.constant("end" as const),
      which: fc.nat(30),
      to: fc.constantFrom("settled" as const, "released" as const, "unresolved" as const),
      cost: amount,
    }),
  },
);

const cap = fc.bigInt({ min: 0n, max: 150n });
const caps = fc.tuple(cap, cap, fc.bigInt({ min: 0n, max: 9n }), cap, cap, fc.constantFrom(0n, 40n));

type Caps = readonly [bigint, bigint, bigint, bigint, bigint, bigint];

function budgetsOf([daily, total, sends, refunds, refundsEver, payouts]: Caps): readonly Budget[] {
  const budget = (name: string, unit: Budget["unit"], window: CapWindow, most: bigint): Budget => ({
    id: `key:vk_1:${name}`,
    name,
    unit,
    window,
    cap: most,
  });
  return [
    budget("daily_usd_cap", "usd", "utc_day", daily),
    budget("total_usd_cap", "usd", "lifetime", total),
    budget("daily_send_cap", "sends", "utc_day", sends),
    { ...budget("caps.refund.daily_usd", "usd", "utc_day", refunds), kind: "refund" },
    { ...budget("caps.refund.total_usd", "usd", "lifetime", refundsEver), kind: "refund" },
    { ...budget("caps.payout.daily_usd", "usd", "utc_day", payouts), kind: "payout" },
  ];
}

function isFor(budget: Budget, money: string): boolean {
  return !budget.name.startsWith("caps.") || budget.name.startsWith(`caps.${money}.`);
}

/** What `call` leaves on a budget, by the words of the specification. */
function left(call: ModelCall, budget: Budget, index: number): bigint {
  if (call.state === "released" || !isFor(budget, call.money)) return 0n;
  if (call.state === "settled" && budget.unit === "usd") return call.cost;
  return call.amounts[index]!;
}

class Model {
  readonly calls: ModelCall[] = [];
  readonly #budgets: readonly Budget[];

  constructor(budgets: readonly Budget[]) {
    this.#budgets = budgets;
  }

  used(index: number, day: number): bigint {
    const budget = this.#budgets[index]!;
    return this.calls
      .filter((call) => budget.window === "lifetime" || call.day === day)
      .reduce((sum, call) => sum + left(call, budget, index), 0n);
  }

  admits(amounts: readonly bigint[], day: number): boolean {
    return amounts.every((one, index) => one === 0n || this.used(index, day) + one <= this.#budgets[index]!.cap);
  }
}

const KEY: KeyState = { id: "vk_1", version: 1, expiresAt: NOON * 2, revokedAt: null, revokeReason: null };

function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

/** Runs one history through the ledger and the model, and compares them after every step. */
function compare(budgets: readonly Budget[], steps: readonly Step[]): void {
  const model = new Model(budgets);
  const counters = new Map<string, bigint>();
  let day = 0;
  for (const one of steps) {
    if (one.step === "end") end(model, counters, one);
    else {
      if (one.tomorrow && day < 2) day += 1;
      call(model, counters, budgets, one, day);
    }
    for (const [index, budget] of budgets.entries()) {
      const start = budget.window === "lifetime" ? 0 : Math.floor(NOON / DAY_MS) * DAY_MS + day * DAY_MS;
      const counter = counters.get(counterKey(budget.id, start)) ?? 0n;
      must(counter === model.used(index, day), `${budget.name} counts ${counter}, the rows ${model.used(index, day)}`);
    }
  }
}

function call(
  model: Model,
  counters: Map<string, bigint>,
  budgets: readonly Budget[],
  step: Extract<Step, { step: "call" }>,
  day: number,
): void {
  const amounts = budgets.map((budget) =>
    budget.unit === "sends" ? BigInt(step.sends) : isFor(budget, step.money) ? step.amount : 0n,
  );
  const wanted = model.admits(amounts, day);
  const view: LedgerView = {
    now: NOON + day * DAY_MS,
    keys: new Map([[KEY.id, KEY]]),
    brakes: [],
    vendors: new Map(),
    counters,
    frozen: null,
    records: new Map(),
    objects: new Map(),
  };
  const before = new Map(counters);
  const decision = decide(
    view,
    holdOf("vk_1", 0, { exposureMicros: step.amount, kind: step.money, sends: step.sends, budgets }),
  );
  must(decision.admitted === wanted, `admitted is ${decision.admitted}, the model says ${wanted}`);
  if (decision.admitted) {
    model.calls.push({ day, money: step.money, amounts, state: "held", charges: decision.charges, cost: 0n });
    for (const [index, budget] of budgets.entries()) {
      must(
        amounts[index] === 0n || model.used(index, day) <= budget.cap,
        `${budget.name} is overspent at an admission`,
      );
    }
  } else {
    must(
      [...counters].every(([key, used]) => (before.get(key) ?? 0n) === used),
      "a refused call changed a counter",
    );
  }
}

function end(model: Model, counters: Map<string, bigint>, step: Extract<Step, { step: "end" }>): void {
  const open = model.calls.filter(({ state }) => state === "held" || state === "unresolved");
  const chosen = open[step.which % Math.max(open.length, 1)];
  if (!chosen || (chosen.state === "unresolved" && step.to === "unresolved")) return;
  const cost = finalCost(step.to, { costMicros: step.cost });
  for (const { budgetId, windowStart, delta } of counterChanges(chosen.charges, step.to, cost)) {
    const key = counterKey(budgetId, windowStart);
    counters.set(key, (counters.get(key) ?? 0n) + delta);
  }
  chosen.state = step.to;
  chosen.cost = cost;
}

describe("the ledger against a model that sums every call anew", () => {
  test("admits the same calls, never above a cap, of all or of a kind, and counts the same after every step of any history", () => {
    fc.assert(
      fc.property(caps, fc.array(step, { maxLength: 60 }), (limits, steps) => compare(budgetsOf(limits), steps)),
      { numRuns: 400 },
    );
  });

  test("counts nothing once every call has been released, in whatever order", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(amount, fc.nat(3)), { maxLength: 20 }),
        fc.infiniteStream(fc.nat()),
        (calls, order) => {
          const budgets = budgetsOf([1000n, 1000n, 1000n, 1000n, 1000n, 1000n]);
          const model = new Model(budgets);
          const counters = new Map<string, bigint>();
          for (const [micros, sends] of calls) {
            const money = ["charge", "refund", "payout"][sends % 3]!;
            call(model, counters, budgets, { step: "call", amount: micros, money, sends, tomorrow: false }, 0);
          }
          for (const _ of calls)
            end(model, counters, { step: "end", which: order.next().value, to: "released", cost: 9n });
          must(
            [...counters.values()].every((used) => used === 0n),
            "something was left on a counter",
          );
        },
      ),
      { numRuns: 100 },
    );
  });
});
