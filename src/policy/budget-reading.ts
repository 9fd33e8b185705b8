import type { Position } from "../core/yaml-data.ts";
import type { SharedBudget } from "./budget.ts";
import { BUDGETS_FILE_NAME, readBudgets } from "./budget-file.ts";

/** What a text of `budgets.yaml` says, in plain data that one thread can hand to another. */
export interface BudgetsRead {
  /** Undefined where there is a problem. */
  readonly budgets: readonly SharedBudget[] | undefined;
  /** The first problem, with line and column, and how many more there are. */
  readonly problem: string | undefined;
  /** Where each cap stands, by the rule that refusals name: `budgets.platform.daily_usd_cap`. */
  readonly places: ReadonlyMap<string, Position>;
}

/** What a thread of its own is asked. */
export interface BudgetsToRead {
  readonly text: string;
  /** The names of those that there are. */
  readonly vendors: readonly string[];
}

export function budgetsRead({ text, vendors }: BudgetsToRead): BudgetsRead {
  const { budgets, problems, positionOf } = readBudgets(text, vendors);
  const [first, ...more] = problems;
  if (first || !budgets) {
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    const problem = `${BUDGETS_FILE_NAME}:${first?.line}:${first?.column}: ${first?.message}${others}`;
    return { budgets: undefined, problem, places: new Map() };
  }
  const places = budgets.flatMap((budget, index) =>
    writtenCaps(budget).map(
      ([field, written]) =>
        [`budgets.${budget.name}.${field}`, positionOf(["budgets", index, written], "key")] as const,
    ),
  );
  return { budgets, problem: undefined, places: new Map(places) };
}

/** The caps of a budget, and how the file has them: one in another currency decides under the name of the one in dollars. */
function writtenCaps(budget: SharedBudget): readonly (readonly [field: string, written: string])[] {
  const { dailyCapMicros, dailyCap, totalCapMicros, totalCap, dailySendCap } = budget;
  const written = (usd: unknown, own: unknown, name: string) => {
    if (usd !== undefined) return [[`${name}_usd_cap`, `${name}_usd_cap`] as const];
    return own === undefined ? [] : [[`${name}_usd_cap`, `${name}_cap`] as const];
  };
  const sends = dailySendCap === undefined ? [] : [["daily_send_cap", "daily_send_cap"] as const];
  return [...written(dailyCapMicros, dailyCap, "daily"), ...written(totalCapMicros, totalCap, "total"), ...sends];
}
