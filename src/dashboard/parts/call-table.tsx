import type { Row } from "../stream.ts";
import { CallRow } from "./call-row.tsx";

interface Properties {
  readonly rows: readonly Row[];
  readonly caption: string;
}

/** Calls, one a line; each opens to everything that is known of it. */
export function CallTable({ rows, caption }: Properties) {
  return (
    <table class="table calls">
      <caption class="hidden">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">When</th>
          <th scope="col">Verdict</th>
          <th scope="col">Call</th>
          <th scope="col">Run</th>
          <th scope="col" class="amount">
            Cost
          </th>
          <th scope="col">
            <span class="hidden">More</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <CallRow key={row.id} row={row} />
        ))}
      </tbody>
    </table>
  );
}
