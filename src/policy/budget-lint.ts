import type { CurrencyRates } from "../core/currency.ts";
import { VENDORS } from "../vendors/index.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { readBudgets } from "./budget-file.ts";
import type { LintProblem } from "./lint.ts";

/**
 * Everything that is wrong with the text of `budgets.yaml`, in the order of its lines. `rates` are those of the configuration:
 * without them nothing is said about currencies.
 */
export function lintBudgets(
  text: string,
  fileName: string,
  vendors: readonly Vendor[] = VENDORS,
  rates?: CurrencyRates,
): LintProblem[] {
  const { budgets, problems, positionOf } = readBudgets(
    text,
    vendors.map(({ name }) => name),
  );
  const errors = problems.map((problem): LintProblem => ({ fileName, severity: "error", ...problem }));
  if (!budgets || !rates) return errors;
  return budgets.flatMap(({ dailyCap, totalCap }, index) =>
    [["daily_cap", dailyCap] as const, ["total_cap", totalCap] as const].flatMap(([field, cap]): LintProblem[] => {
      if (!cap || cap.currency === "usd" || rates.has(cap.currency)) return [];
      const message = `${field} is in ${cap.currency}, and currency_rates has no rate for that: it lets nothing through`;
      return [{ fileName, severity: "warning", message, ...positionOf(["budgets", index, field]) }];
    }),
  );
}
