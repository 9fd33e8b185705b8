import type { CapWindow } from "../core/window.ts";
import type { CompiledPolicy } from "../policy/policy.ts";

/** What a budget counts: micro-dollars, or sends. */
export type BudgetUnit = "usd" | "sends";

/**
 * One cap that a call is charged to. The counter behind it is named by `id` and the start of the window, so that a new
 * window begins at nothing without anybody resetting it.
 */
export interface Budget {
  /** `key:vk_…:daily_usd_cap`. */
  readonly id: string;
  /** The policy field that it comes from, as shown to people. */
  readonly name: string;
  readonly unit: BudgetUnit;
  /** Micro-dollars or a count. */
  readonly cap: bigint;
  readonly window: CapWindow;
}

/** The budgets of one vault key, in the order in which they answer when several are full. */
export function keyBudgets(keyId: string, policy: CompiledPolicy): readonly Budget[] {
  const budgets: Budget[] = [];
  const add = (name: string, unit: BudgetUnit, cap: bigint | undefined, window: CapWindow) => {
    if (cap !== undefined) budgets.push({ id: `key:${keyId}:${name}`, name, unit, cap, window });
  };
  add("daily_usd_cap", "usd", policy.dailyCapMicros, policy.capWindow);
  add("total_usd_cap", "usd", policy.totalCapMicros, "lifetime");
  add("daily_send_cap", "sends", policy.dailySendCap, "utc_day");
  return budgets;
}
