import type { Row } from "../stream.ts";
import { CallRow } from "./call-row.tsx";
import { TableHead } from "./table-head.tsx";

interface Properties {
  readonly rows: readonly Row[];
  readonly caption: string;
}

/** Calls, one a line; each opens to everything that is known of it. */
export function CallTable({ rows, caption }: Properties) {
  return (
    <table class="table calls">
      <caption class="hidden">{caption}</caption>
      <TableHead names={["When", "Verdict", "Call", "Run", "Cost"]} amount="Cost" acts="More" />
      <tbody>
        {rows.map((row) => (
          <CallRow key={row.id} row={row} />
        ))}
      </tbody>
    </table>
  );
}
