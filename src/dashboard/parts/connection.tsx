import { useCell } from "../cell.ts";
import { type StreamState, streamState } from "../stream.ts";

const SAYS: Readonly<Record<StreamState, string>> = {
  live: "Live",
  connecting: "Connecting…",
  broken: "Disconnected, trying again",
  off: "Refreshed every 10 s",
};

/** Whether what is shown is of this moment. */
export function Connection() {
  const state = useCell(streamState);
  return (
    <p class={`connection is-${state}`} role="status">
      <span class="connection-dot" aria-hidden="true" />
      {SAYS[state]}
    </p>
  );
}
