interface Properties {
  readonly names: readonly string[];
  /** The one of them whose cells are amounts. */
  readonly amount?: string;
  /** What a last column of buttons is called for those who do not see it. */
  readonly acts?: string;
}

export function TableHead({ names, amount, acts }: Properties) {
  return (
    <thead>
      <tr>
        {names.map((name) => (
          <th key={name} scope="col" class={name === amount ? "amount" : undefined}>
            {name}
          </th>
        ))}
        {acts !== undefined && (
          <th scope="col">
            <span class="hidden">{acts}</span>
          </th>
        )}
      </tr>
    </thead>
  );
}
