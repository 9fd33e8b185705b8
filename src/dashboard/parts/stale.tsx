import { useCell } from "../cell.ts";
import { streamState } from "../stream.ts";

/** Says that what is shown may be old, while nothing comes from the server. */
export function Stale() {
  if (useCell(streamState) !== "broken") return null;
  return (
    <p class="stale" role="alert">
      Disconnected from Keybrake: what is shown may be old. Trying again…
    </p>
  );
}
