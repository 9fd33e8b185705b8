import type { BrakeView } from "../../operate/brake-verbs.ts";
import { reachOf } from "../brakes.ts";
import { At } from "./at.tsx";
import { TableHead } from "./table-head.tsx";

interface Properties {
  readonly brakes: readonly BrakeView[];
  /** Undefined for those who only look. */
  readonly onRelease: ((brake: BrakeView) => void) | undefined;
}

/** The brakes that are engaged, one a line. */
export function BrakeTable({ brakes, onRelease }: Properties) {
  return (
    <table class="table">
      <caption class="hidden">Engaged brakes</caption>
      <TableHead names={["Stops", "Why", "Since"]} acts="Acts" />
      <tbody>
        {brakes.map((brake) => (
          <tr key={brake.id}>
            <td data-name="Stops">{reachOf(brake)}</td>
            <td data-name="Why">{brake.reason ?? <span class="muted">no reason given</span>}</td>
            <td data-name="Since">
              <At time={brake.engaged_at} />
            </td>
            <td class="row-acts">
              {onRelease && (
                <button
                  type="button"
                  class="button is-small"
                  aria-label={`Release the brake on ${reachOf(brake)}`}
                  onClick={() => onRelease(brake)}
                >
                  Release…
                </button>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
