import type { CurrencyRates } from "../core/currency.ts";
import { type EpochMs, windowStart } from "../core/window.ts";
import { type Budget, capsOfKey } from "../ledger/budget.ts";
import { memberOf, SHARED_PREFIX, sharedCaps } from "../ledger/shared-budgets.ts";
import type { SharedBudget } from "../policy/budget.ts";
import type { BudgetSet } from "../policy/budget-set.ts";
import { compilePolicies } from "../policy/compile.ts";
import type { Store } from "../store/store.ts";

/** Per cent of a cap from which on a key, or a budget's member, counts as near it. */
export const NEAR_PERCENTS = [80, 100] as const;

/** One cap of a budget above keys. */
export interface BudgetUseReading {
  readonly budget: string;
  /** `daily_usd_cap`: which of its caps. */
  readonly cap: string;
  /** Used of the cap, 1 is all of it; of a family, of the member that has used most. */
  readonly ratio: number;
  /** Of a family: how many members have reached each of `NEAR_PERCENTS`; undefined for a budget of its own. */
  readonly membersNear: readonly number[] | undefined;
}

/** How close to their caps keys and budgets are. */
export interface CapUse {
  /** Keys with some dollar cap used to each of `NEAR_PERCENTS` or more. */
  readonly keysNear: readonly number[];
  /** The keys that were looked at: all that are in force, or the newest of them. */
  readonly keysSeen: number;
  readonly budgets: readonly BudgetUseReading[];
  /** Budgets of the file that are not among them. */
  readonly budgetsLeftOut: number;
}

export interface CapUseOptions {
  readonly store: Pick<Store, "activePolicies" | "counterUses" | "counterPage">;
  readonly budgets: BudgetSet;
  readonly rates: CurrencyRates;
  /** Lets calls go first: resolves when the event loop has turned. */
  readonly pause: () => Promise<void>;
}

/** Looked at in one go; a call that comes in meanwhile waits for no more than that. */
const KEYS_PER_SLICE = 50;
const COUNTERS_PER_SLICE = 500;
/** What a look costs is bounded, and so is the number of series that it makes. */
const KEYS_MAX = 20_000;
const BUDGETS_MAX = 100;
const MEMBERS_MAX = 20_000;

/** Reads it anew, slice by slice. */
export async function readCapUse(options: CapUseOptions, now: EpochMs): Promise<CapUse> {
  const { keysNear, keysSeen } = await readKeys(options, now);
  const all = options.budgets.current().budgets;
  const readings: BudgetUseReading[] = [];
  for (const budget of all.slice(0, BUDGETS_MAX)) readings.push(...(await readBudget(options, budget, now)));
  return { keysNear, keysSeen, budgets: readings, budgetsLeftOut: Math.max(0, all.length - BUDGETS_MAX) };
}

async function readKeys(
  { store, rates, pause }: CapUseOptions,
  now: EpochMs,
): Promise<Pick<CapUse, "keysNear" | "keysSeen">> {
  const near = NEAR_PERCENTS.map(() => 0);
  let seen = 0;
  let before: string | undefined;
  while (seen < KEYS_MAX) {
    const keys = await store.activePolicies(before, KEYS_PER_SLICE, now);
    const caps = keys.flatMap(({ id, policy }) => {
      const budgets = capsOfKey(id, compilePolicies(policy).values(), rates).filter(({ unit }) => unit === "usd");
      return budgets.map((budget) => ({ id, budget, place: placeOf(budget, now) }));
    });
    const uses = await store.counterUses(
      caps.map(({ place }) => place),
      now,
    );
    const most = new Map<string, number>();
    for (const [index, { id, budget }] of caps.entries()) {
      most.set(id, Math.max(most.get(id) ?? 0, ratioOf(budget, uses[index]!)));
    }
    for (const ratio of most.values()) addNear(near, ratio);
    seen += keys.length;
    if (keys.length < KEYS_PER_SLICE) break;
    before = keys.at(-1)!.id;
    await pause();
  }
  return { keysNear: near, keysSeen: seen };
}

async function readBudget(
  options: CapUseOptions,
  budget: SharedBudget,
  now: EpochMs,
): Promise<readonly BudgetUseReading[]> {
  if (budget.match.labelPrefix?.tail !== undefined) return readFamily(options, budget, now);
  const caps = sharedCaps(budget, undefined, options.rates);
  const uses = await options.store.counterUses(
    caps.map((cap) => placeOf(cap, now)),
    now,
  );
  return caps.map((cap, index) => ({
    budget: budget.name,
    cap: fieldOf(cap),
    ratio: ratioOf(cap, uses[index]!),
    membersNear: undefined,
  }));
}

async function readFamily(
  { store, rates, pause }: CapUseOptions,
  budget: SharedBudget,
  now: EpochMs,
): Promise<readonly BudgetUseReading[]> {
  // The caps of every member are the same; only their counters differ.
  const caps = new Map(sharedCaps(budget, "", rates).map((cap) => [fieldOf(cap), cap]));
  const readings = new Map([...caps.keys()].map((field) => [field, { ratio: 0, near: NEAR_PERCENTS.map(() => 0) }]));
  const starts = [...new Set([...caps.values()].map((cap) => windowStart(cap.window, now)))];
  const prefix = `${SHARED_PREFIX}${budget.name}:`;
  let after = "";
  for (let seen = 0; seen < MEMBERS_MAX; seen += COUNTERS_PER_SLICE) {
    const { uses, next } = await store.counterPage(prefix, starts, after, COUNTERS_PER_SLICE);
    for (const { budgetId, windowStart: start, used } of uses) {
      const field = budgetId.slice(budgetId.lastIndexOf(":") + 1);
      const cap = caps.get(field);
      const reading = readings.get(field);
      if (!cap || !reading || memberOf(budgetId, budget.name) === undefined) continue;
      if (start !== windowStart(cap.window, now)) continue;
      const ratio = ratioOf(cap, used);
      reading.ratio = Math.max(reading.ratio, ratio);
      addNear(reading.near, ratio);
    }
    if (next === undefined) break;
    after = next;
    await pause();
  }
  return [...readings].map(([cap, { ratio, near }]) => ({ budget: budget.name, cap, ratio, membersNear: near }));
}

function placeOf({ id, window }: Budget, now: EpochMs) {
  return { budgetId: id, windowStart: windowStart(window, now) };
}

function fieldOf({ id }: Budget): string {
  return id.slice(id.lastIndexOf(":") + 1);
}

/** A figure for a chart: nothing is decided by it. A cap of 0 closes what it caps; it is not near anything. */
function ratioOf({ cap }: Budget, used: bigint): number {
  return cap === 0n ? 0 : Number((used * 10_000n) / cap) / 10_000;
}

function addNear(near: number[], ratio: number): void {
  for (const [place, percent] of NEAR_PERCENTS.entries()) if (ratio * 100 >= percent) near[place]! += 1;
}
