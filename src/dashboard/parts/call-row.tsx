import { useState } from "preact/hooks";
import { text } from "../row-text.ts";
import type { Row } from "../stream.ts";
import { At } from "./at.tsx";
import { CallCost } from "./call-cost.tsx";
import { CallFacts } from "./call-facts.tsx";
import { RunLink } from "./run-link.tsx";
import { Verdict } from "./verdict.tsx";

/** One call on a line, and below it all of its facts when it is opened. */
export function CallRow({ row }: { readonly row: Row }) {
  const [isOpen, setOpen] = useState(false);
  const call = `${text(row, "method")} ${text(row, "path")}`;
  return (
    <>
      <tr>
        <td data-name="When" class="when">
          <At time={text(row, "called_at")} />
        </td>
        <td data-name="Verdict">
          <Verdict row={row} />
        </td>
        <td data-name="Call" class="call">
          <span class="vendor">{text(row, "vendor")}</span> <code title={call}>{call}</code>
        </td>
        <td data-name="Run">
          <RunLink label={row["agent_run_label"] as string | null} />
        </td>
        <td data-name="Cost" class="amount number">
          <CallCost row={row} />
        </td>
        <td class="row-acts">
          <button
            type="button"
            class="button is-small"
            aria-expanded={isOpen}
            aria-label={`${isOpen ? "Close" : "Details"} of ${row.id}`}
            onClick={() => setOpen(!isOpen)}
          >
            {isOpen ? "Close" : "Details"}
          </button>
        </td>
      </tr>
      {isOpen && (
        <tr class="facts-row">
          <td class="facts-cell" colSpan={6}>
            <CallFacts row={row} />
          </td>
        </tr>
      )}
    </>
  );
}
