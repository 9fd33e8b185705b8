import { TableHead } from "./table-head.tsx";

/** The head of a table of budgets. */
export function BudgetHead({ first }: { readonly first: string }) {
  return <TableHead names={[first, "Used", "Remaining", "Resets"]} amount="Remaining" />;
}
