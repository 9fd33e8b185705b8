/** The head of a table of budgets. */
export function BudgetHead({ first }: { readonly first: string }) {
  return (
    <thead>
      <tr>
        <th scope="col">{first}</th>
        <th scope="col">Used</th>
        <th scope="col" class="amount">
          Remaining
        </th>
        <th scope="col">Resets</th>
      </tr>
    </thead>
  );
}
