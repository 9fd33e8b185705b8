import { expect } from "bun:test";
import fc from "fast-check";
import type { Resolution } from "../../src/core/hold.ts";
import { type CapWindow, isRolling, ROLLING_WINDOWS_MS } from "../../src/core/window.ts";
import { type Budget, windowedId } from "../../src/ledger/budget.ts";
import type { HoldDecision, LedgerEntry } from "../../src/ledger/entry.ts";
import type { Store } from "../../src/store/store.ts";
import { holdOf, NOON, resolutionOf, usd } from "../ledger/entries.ts";
import { replicaOf } from "../model/model-store.ts";
import { issue } from "./records.ts";
import type { OpenStore } from "./store-under-test.ts";

/** A call as the model keeps it: when it was taken, and what it asked for. */
interface ModelCall {
  readonly id: string;
  readonly takenAt: number;
  readonly dollars: bigint;
  readonly isWrite: boolean;
  state: "held" | Resolution;
  cost: bigint;
}

export interface RollingStep {
  readonly does: "call" | "end" | "purge";
  readonly dollars: number;
  readonly isWrite: boolean;
  /** Milliseconds that the wall clock moves before it; backwards, too. */
  readonly moves: number;
  readonly which: number;
  readonly to: Resolution;
  readonly handle: 0 | 1;
}

const HOUR_MS = 3_600_000;
const step: fc.Arbitrary<RollingStep> = fc.record({
  does: fc.constantFrom("call", "call", "call", "end", "purge"),
  dollars: fc.constantFrom(0, 0, 1, 7, 40, 60),
  isWrite: fc.boolean(),
  moves: fc.constantFrom(0, 0, 1, 999, 59_999, 60_000, HOUR_MS - 1, 11 * HOUR_MS, 24 * HOUR_MS, -5_000, -30 * HOUR_MS),
  which: fc.nat(20),
  to: fc.constantFrom<Resolution>("settled", "released", "unresolved"),
  handle: fc.constantFrom(0, 1),
});

export const rollingArbitrary = fc.array(step, { minLength: 10, maxLength: 60 });

function budgetsOf(keyId: string): readonly Budget[] {
  const budget = (name: string, unit: Budget["unit"], cap: bigint, window: CapWindow): Budget => {
    return { id: windowedId(`key:${keyId}:${name}`, window), name, unit, cap, window };
  };
  return [
    budget("requests_per_minute", "requests", 3n, "rolling_minute"),
    budget("requests_per_hour", "requests", 6n, "rolling_hour"),
    budget("daily_usd_cap", "usd", usd(100), "rolling_24h"),
    budget("max_write_operations", "writes", 12n, "lifetime"),
  ];
}

/** The words of the specification, summed anew for every question. */
class Model {
  readonly calls: ModelCall[] = [];
  now = 0;

  /** What a call asks of a budget. */
  asks({ unit }: Budget, { dollars, isWrite }: Pick<ModelCall, "dollars" | "isWrite">): bigint {
    if (unit === "usd") return dollars;
    return unit === "requests" || isWrite ? 1n : 0n;
  }

  /** What the call leaves on it. */
  leaves(budget: Budget, call: ModelCall): bigint {
    if (budget.unit !== "requests" && call.state === "released") return 0n;
    return budget.unit === "usd" && call.state === "settled" ? call.cost : this.asks(budget, call);
  }

  used(budget: Budget, at: number): bigint {
    const { window } = budget;
    return this.calls
      .filter(({ takenAt }) => !isRolling(window) || takenAt + ROLLING_WINDOWS_MS[window] > at)
      .reduce((sum, call) => sum + this.leaves(budget, call), 0n);
  }

  full(budgets: readonly Budget[], call: Pick<ModelCall, "dollars" | "isWrite">, at: number): Budget | undefined {
    return budgets.find((budget) => {
      const asks = this.asks(budget, call);
      return asks > 0n && this.used(budget, at) + asks > budget.cap;
    });
  }

  /** The first moment at which the budget that refuses has room, if nothing else happens; tried one by one. */
  freeAt(budget: Budget, call: Pick<ModelCall, "dollars" | "isWrite">): number | undefined {
    const { window } = budget;
    if (!isRolling(window)) return undefined;
    const moments = this.calls.map(({ takenAt }) => takenAt + ROLLING_WINDOWS_MS[window]).filter((at) => at > this.now);
    return moments.toSorted((a, b) => a - b).find((at) => this.full([budget], call, at) === undefined);
  }
}

async function runCall(
  model: Model,
  store: Store,
  budgets: readonly Budget[],
  keyId: string,
  one: RollingStep,
  wall: number,
) {
  const call = { dollars: usd(one.dollars), isWrite: one.isWrite };
  model.now = Math.max(model.now, wall);
  const full = model.full(budgets, call, model.now);
  const method = one.isWrite ? "POST" : "GET";
  const hold = holdOf(keyId, one.dollars, { budgets, facts: { method } });
  const [decision] = (await store.apply([hold], wall)) as [HoldDecision];
  if (full) {
    const code = full.unit === "requests" ? "rate_exceeded" : "cap_exceeded";
    const resetAt = model.freeAt(full, call);
    expect(decision).toMatchObject({ code, rule: full.name, budget: { used: model.used(full, model.now), resetAt } });
  } else {
    expect(decision).toMatchObject({ admitted: true });
    model.calls.push({ id: hold.facts.id, takenAt: model.now, ...call, state: "held", cost: 0n });
  }
}

async function runEnd(model: Model, store: Store, { which, to, dollars }: RollingStep, wall: number): Promise<void> {
  const open = model.calls.filter(({ state }) => state === "held" || state === "unresolved");
  const chosen = open[which % Math.max(open.length, 1)];
  if (!chosen || (chosen.state === "unresolved" && to === "unresolved")) return;
  model.now = Math.max(model.now, wall);
  const entry: LedgerEntry = resolutionOf(chosen.id, to, dollars);
  expect(await store.apply([entry], wall)).toMatchObject([{ resolved: true }]);
  chosen.state = to;
  chosen.cost = usd(dollars);
}

/** @param replicas how many handles share the store. */
export async function runRolling(steps: readonly RollingStep[], open: OpenStore, replicas = 2): Promise<void> {
  const { store, reopen, close } = await open();
  try {
    const { id } = await issue(store, { expiresAt: NOON * 2 });
    const budgets = budgetsOf(id);
    const handles = [store];
    while (handles.length < replicas) handles.push(await reopen());
    const model = new Model();
    let wall = NOON;
    for (const [turn, one] of steps.entries()) {
      wall += one.moves;
      const handle = handles[replicaOf(one.handle, turn, replicas)]!;
      if (one.does === "purge") await handle.purgeRecordedCalls(Math.min(wall, model.now));
      else {
        if (one.does === "call") await runCall(model, handle, budgets, id, one, wall);
        else await runEnd(model, handle, one, wall);
      }
      const { counters } = await handles.at(-1)!.keySpend(id, model.now);
      for (const budget of budgets) {
        const counter = counters.find(({ name }) => budget.id.endsWith(`:${name}`));
        expect([budget.name, counter?.used ?? 0n]).toEqual([budget.name, model.used(budget, model.now)]);
      }
      expect(await store.checkCounters()).toEqual([]);
    }
  } finally {
    await close();
  }
}
