import type { BrakeView } from "../../operate/brake-verbs.ts";
import { reachOf } from "../brakes.ts";
import { At } from "./at.tsx";

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
      <thead>
        <tr>
          <th scope="col">Stops</th>
          <th scope="col">Why</th>
          <th scope="col">Since</th>
          <th scope="col">
            <span class="hidden">Acts</span>
          </th>
        </tr>
      </thead>
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
