import type { CurrencyRates } from "../core/currency.ts";
import { Problem } from "../core/problem.ts";
import { type EpochMs, windowStart } from "../core/window.ts";
import type { Budget } from "../ledger/budget.ts";
import { SharedBudgets } from "../ledger/shared-budgets.ts";
import type { SharedBudget } from "../policy/budget.ts";
import type { BudgetSet } from "../policy/budget-set.ts";
import type { BudgetAboveView } from "./budget-verbs.ts";
import { budgetView } from "./key-view.ts";
import type { ControlPlaneOptions } from "./options.ts";

/** Whose calls are meant: to any of these vendors, under this run label. */
interface CallsOf {
  readonly vendors: readonly string[];
  readonly label: string | null;
}

/** A cap above keys, and what is used of it. */
export interface BudgetAbove {
  readonly budget: Budget;
  readonly used: bigint;
}

/**
 * The caps above keys that such calls are charged to beside their key's own, of every kind of money, vendor by vendor in the order of
 * the file.
 * @throws Problem `invalid` where the file is broken and no earlier version of it is known.
 */
export async function budgetsAbove(
  { budgets, store, config }: ControlPlaneOptions,
  { vendors, label }: CallsOf,
  now: EpochMs,
): Promise<readonly BudgetAbove[]> {
  const index = indexOf(budgets.current().budgets, config.currencyRates);
  const matching = new Map(vendors.flatMap((vendor) => index.of(vendor, label).map((budget) => [budget.id, budget])));
  return Promise.all(
    [...matching.values()].map(async (budget) => {
      const start = windowStart(budget.window, now);
      const counters = await store.countersUnder(budget.id, [start]);
      return { budget, used: counters.find(({ budgetId }) => budgetId === budget.id)?.used ?? 0n };
    }),
  );
}

/** Finds the caps above keys that a call is charged to, by the file as it is when they are asked for. */
export function sharedCapsNow(
  budgets: BudgetSet,
  rates: CurrencyRates,
): (vendor: string, label: string | null) => readonly Budget[] {
  return (vendor, label) => indexOf(budgets.current().budgets, rates).of(vendor, label);
}

/** As a key's bearer may see them: it is told as much when one of them refuses it. Null where the file is broken from the beginning. */
export async function budgetsAboveViews(
  options: ControlPlaneOptions,
  calls: CallsOf,
  now: EpochMs,
): Promise<readonly BudgetAboveView[] | null> {
  try {
    const above = await budgetsAbove(options, calls, now);
    return above.map(({ budget, used }) => ({
      ...budgetView(budget, { used }, now),
      cap_field: capField(budget),
      kind: budget.kind ?? null,
    }));
  } catch (cause) {
    // No reason to show nothing of the key: `doctor` says where the file is broken, and no server starts with it.
    if (cause instanceof Problem && cause.code === "invalid") return null;
    throw cause;
  }
}

/** `daily_usd_cap`: which of its caps this is. Of a key's own cap that is its name. */
export function capField({ rule, name }: Budget): string {
  return rule === undefined ? name : rule.slice(rule.lastIndexOf(".") + 1);
}

/** Thousands of budgets are not indexed anew for every agent that looks at its key. */
const indexed = new WeakMap<
  readonly SharedBudget[],
  { readonly rates: CurrencyRates; readonly index: SharedBudgets }
>();

function indexOf(budgets: readonly SharedBudget[], rates: CurrencyRates): SharedBudgets {
  const known = indexed.get(budgets);
  if (known?.rates === rates) return known.index;
  const index = new SharedBudgets(budgets, rates);
  indexed.set(budgets, { rates, index });
  return index;
}
