import type { KeyBudgetView } from "../api.ts";
import { linkTo } from "../route.ts";
import { BudgetCells } from "./budget-cells.tsx";
import { BudgetHead } from "./budget-head.tsx";

/** The budgets of keys, one a line. */
export function BudgetTable({ budgets }: { readonly budgets: readonly KeyBudgetView[] }) {
  return (
    <table class="table">
      <caption class="hidden">Budgets of active keys</caption>
      <BudgetHead first="Run" />
      <tbody>
        {budgets.map((budget) => (
          <tr key={`${budget.key_id} ${budget.budget}`}>
            <td data-name="Run">
              <a class="run" href={linkTo("key", budget.key_id)}>
                {budget.agent_run_label ?? budget.key_id}
              </a>
            </td>
            <BudgetCells budget={budget} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}
