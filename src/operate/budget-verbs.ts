import type { Actor } from "./control-plane.ts";

/** What operators can ask of the budgets above keys. */
export interface BudgetVerbs {
  /**
   * The budgets of `budgets.yaml` in the order of the file, of families the members that have been used, with their use.
   * @throws Problem `invalid` where the file is broken and no earlier version of it is known.
   */
  listSharedBudgets(filter: SharedBudgetsRequest, actor: Actor): Promise<readonly SharedBudgetView[]>;
}

export interface SharedBudgetsRequest {
  /** Those whose label prefix, with the member's value in it, contains this. */
  readonly label_contains?: string;
  /** Those that count calls to this vendor: its own, and those of every vendor. */
  readonly vendor?: string;
}

export interface BudgetView {
  /** `daily_usd_cap`, `daily_send_cap`, … */
  readonly budget: string;
  readonly unit: "usd" | "sends" | "writes" | "requests";
  readonly window: string;
  /** Decimal dollars, or a count. */
  readonly cap: string;
  readonly used: string;
  readonly remaining: string;
  readonly reset_at: string | null;
}

/** One cap of a budget above keys that a key's calls are charged to. */
export interface BudgetAboveView extends BudgetView {
  /** `daily_usd_cap`: which of the budget's caps this is. */
  readonly cap_field: string;
  /** The one kind of money that it counts; null where it counts every call. */
  readonly kind: string | null;
}

/** One cap of a budget above keys, of a member where the budget is a family. */
export interface SharedBudgetView extends BudgetView {
  /** `daily_usd_cap`: which of the budget's caps this is. */
  readonly cap_field: string;
  readonly match: {
    readonly vendor: string | null;
    readonly label_prefix: string | null;
    readonly kind: string | null;
  };
  /** What stands for the `*` of a family; null of a budget that is none, and of a family that nobody has used. */
  readonly member: string | null;
}
