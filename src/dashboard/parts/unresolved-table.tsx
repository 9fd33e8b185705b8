import { dollars } from "../format.ts";
import { text } from "../row-text.ts";
import type { Row } from "../stream.ts";
import { At } from "./at.tsx";
import { RunLink } from "./run-link.tsx";
import { TableHead } from "./table-head.tsx";

interface Properties {
  readonly rows: readonly Row[];
  /** Undefined for those who only look. */
  readonly onResolve: ((row: Row) => void) | undefined;
}

/** Unresolved calls with what their vendor can be asked by. */
export function UnresolvedTable({ rows, onResolve }: Properties) {
  return (
    <table class="table unresolved">
      <caption class="hidden">Unresolved calls, the newest first</caption>
      <TableHead names={["When", "Call", "Run", "Counts as spent"]} amount="Counts as spent" acts="Acts" />
      <tbody>
        {rows.map((row) => (
          <tr key={row.id}>
            <td data-name="When" class="when">
              <At time={text(row, "called_at")} />
            </td>
            <td data-name="Call" class="call">
              <span class="vendor">{text(row, "vendor")}</span>{" "}
              <code>
                {text(row, "method")} {text(row, "path")}
              </code>
              <span class="muted small">{text(row, "vendor_request_id") || row.id}</span>
            </td>
            <td data-name="Run">
              <RunLink label={row["agent_run_label"] as string | null} />
            </td>
            <td data-name="Counts as spent" class="amount number">
              {dollars(text(row, "exposure_usd"))}
            </td>
            <td class="row-acts">
              {onResolve && (
                <button
                  type="button"
                  class="button is-small"
                  aria-label={`Resolve ${row.id}`}
                  onClick={() => onResolve(row)}
                >
                  Resolve
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
