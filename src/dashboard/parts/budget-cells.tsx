import type { BudgetView } from "../../operate/budget-verbs.ts";
import { count, dollars } from "../format.ts";
import { CapBar } from "./cap-bar.tsx";
import { Until } from "./until.tsx";

/** What every table of budgets says of one. */
export function BudgetCells({ budget, name }: { readonly budget: BudgetView; readonly name?: string }) {
  const { unit, remaining, reset_at } = budget;
  return (
    <>
      <td data-name="Used" class="cap-cell">
        <CapBar budget={budget} {...(name === undefined ? {} : { name })} />
      </td>
      <td data-name="Remaining" class="amount number">
        {unit === "usd" ? dollars(remaining) : count(remaining)}
      </td>
      <td data-name="Resets">
        {reset_at === null ? (
          <span class="muted">never</span>
        ) : (
          <>
            in <Until time={reset_at} over="a moment" />
          </>
        )}
      </td>
    </>
  );
}
