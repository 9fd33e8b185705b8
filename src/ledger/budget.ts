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

/** The cap of what is only counted: more than any counter holds, and still a 64-bit integer. */
const UNCAPPED = 1n << 62n;

/** False for what is counted without a cap, so that a cap which is added later finds what was spent before. */
export function isCapped(budget: Budget): boolean {
  return budget.cap !== UNCAPPED;
}

/** The caps of one vault key, in the order in which they answer when several are full. */
export function keyBudgets(keyId: string, policy: CompiledPolicy): readonly Budget[] {
  return keyCounters(keyId, policy).filter(isCapped);
}

/** All that is counted for one vault key, capped or not: what its calls are charged to. */
export function keyCounters(keyId: string, policy: CompiledPolicy): readonly Budget[] {
  const counter = (name: string, unit: BudgetUnit, cap: bigint | undefined, window: CapWindow): Budget => {
    return { id: `key:${keyId}:${name}`, name, unit, cap: cap ?? UNCAPPED, window };
  };
  return [
    counter("daily_usd_cap", "usd", policy.dailyCapMicros, policy.capWindow),
    counter("total_usd_cap", "usd", policy.totalCapMicros, "lifetime"),
    counter("daily_send_cap", "sends", policy.dailySendCap, "utc_day"),
  ];
}
