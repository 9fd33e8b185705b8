import { dollars } from "../format.ts";
import { text } from "../row-text.ts";
import type { Row } from "../stream.ts";

/** What a call did cost; what is reserved for it while that is not known; what a refused one would have cost at most. */
export function CallCost({ row }: { readonly row: Row }) {
  const state = text(row, "state");
  const cost = text(row, "cost_usd");
  if (state === "settled" || state === "released") return <>{cost === "" ? "—" : dollars(cost)}</>;
  const exposure = text(row, "exposure_usd");
  if (exposure === "" || exposure === "0.00") return <span class="muted">—</span>;
  const why = state === "refused" ? "asked for, and refused" : "reserved";
  return (
    <span class={state === "refused" ? "muted struck" : "reserved"} title={why}>
      {dollars(exposure)}
    </span>
  );
}
