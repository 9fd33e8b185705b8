import type { SharedBudgetView } from "../../operate/budget-verbs.ts";
import { words } from "../format.ts";
import { BudgetCells } from "./budget-cells.tsx";
import { BudgetHead } from "./budget-head.tsx";

/** The budgets above keys, one a line. */
export function SharedBudgetTable({ budgets }: { readonly budgets: readonly SharedBudgetView[] }) {
  return (
    <table class="table">
      <caption class="hidden">Budgets above keys</caption>
      <BudgetHead first="Budget" />
      <tbody>
        {budgets.map((budget) => (
          <tr key={`${budget.budget} ${budget.cap_field} ${budget.member ?? ""}`}>
            <td data-name="Budget">
              <span class="run">{budget.budget}</span>
              <span class="muted small">{countedBy(budget)}</span>
            </td>
            <BudgetCells budget={budget} name={words(budget.cap_field)} />
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function countedBy({ match, member }: SharedBudgetView): string {
  const { vendor, label_prefix, kind } = match;
  const parts = [
    vendor ?? "every vendor",
    label_prefix === null ? "" : `runs ${member === null ? label_prefix : label_prefix.replace("*", member)}…`,
    kind === null ? "" : `${kind}s only`,
  ];
  return parts.filter((part) => part !== "").join(" · ");
}
