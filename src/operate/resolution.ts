import type { BudgetView } from "./budget-verbs.ts";

/** Exactly one of `settled_usd` and `released`. */
export interface ResolveCallRequest {
  /** What the call did cost, in dollars; may be more than was held. */
  readonly settled_usd?: string | number;
  /** Nothing was spent, nothing was sent. */
  readonly released?: boolean;
  readonly reason?: string;
}

/** The audit row of the resolution, in short, and what it did to the caps. */
export interface ResolvedCallView {
  readonly id: string;
  /** The call. */
  readonly refers_to: string;
  readonly state: "settled" | "released";
  readonly cost_usd: string;
  /** What was held for it until now. */
  readonly exposure_usd: string;
  /** Who said so, and why: `operator:local; overrun; reason: …`. */
  readonly flag: string | null;
  readonly reason: string | null;
  readonly vault_key_id: string;
  readonly agent_run_label: string | null;
  /** The key's budget with the least left, in the window in which the call counts; null where the key has none. */
  readonly budget: BudgetChangeView | null;
  /** What is lawful and may not be meant, in sentences. */
  readonly warnings: readonly string[];
}

export interface BudgetChangeView extends Omit<BudgetView, "used"> {
  readonly used_before: string;
  readonly used_after: string;
}
