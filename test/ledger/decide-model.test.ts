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
  readonly amounts: readonly bigint[];
  state: "held" | Resolution;
  readonly charges: readonly Charge[];
  cost: bigint;
}

type Step =
  | { readonly kind: "call"; readonly amount: bigint; readonly sends: number; readonly tomorrow: boolean }
  | { readonly kind: "end"; readonly which: number; readonly to: Resolution; readonly cost: bigint };

const amount = fc.bigInt({ min: 0n, max: 60n });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant("call" as const), amount, sends: fc.nat(4), tomorrow: fc.boolean() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("end" as const),
      which: fc.nat(30),
      to: fc.constantFrom("settled" as const, "released" as const, "unresolved" as const),
      cost: amount,
    }),
  },
);

const cap = fc.bigInt({ min: 0n, max: 150n });
const caps = fc.tuple(cap, cap, fc.bigInt({ min: 0n, max: 9n }));

function budgetsOf([daily, total, sends]: readonly [bigint, bigint, bigint]): readonly Budget[] {
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
  ];
}

/** What `call` leaves on a budget, by the words of the specification. */
function left(call: ModelCall, budget: Budget, index: number): bigint {
  if (call.state === "released") return 0n;
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
    if (one.kind === "end") end(model, counters, one);
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
  step: Extract<Step, { kind: "call" }>,
  day: number,
): void {
  const amounts = [step.amount, step.amount, BigInt(step.sends)];
  const wanted = model.admits(amounts, day);
  const view: LedgerView = {
    now: NOON + day * DAY_MS,
    keys: new Map([[KEY.id, KEY]]),
    brakes: [],
    vendors: new Map(),
    counters,
    frozen: null,
    records: new Map(),
  };
  const before = new Map(counters);
  const decision = decide(view, holdOf("vk_1", 0, { exposureMicros: step.amount, sends: step.sends, budgets }));
  must(decision.admitted === wanted, `admitted is ${decision.admitted}, the model says ${wanted}`);
  if (decision.admitted) {
    model.calls.push({ day, amounts, state: "held", charges: decision.charges, cost: 0n });
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

function end(model: Model, counters: Map<string, bigint>, step: Extract<Step, { kind: "end" }>): void {
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
  test("admits the same calls, never above a cap, and counts the same after every step of any history", () => {
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
          const budgets = budgetsOf([1000n, 1000n, 1000n]);
          const model = new Model(budgets);
          const counters = new Map<string, bigint>();
          for (const [micros, sends] of calls) {
            call(model, counters, budgets, { kind: "call", amount: micros, sends, tomorrow: false }, 0);
          }
          for (const _ of calls)
            end(model, counters, { kind: "end", which: order.next().value, to: "released", cost: 9n });
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
