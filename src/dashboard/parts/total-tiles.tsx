import type { AuditTotalsView } from "../../operate/audit-chain-verbs.ts";
import { count, dollars } from "../format.ts";
import { Tile } from "./tile.tsx";

/** The sums of some calls. */
export function TotalTiles({ totals }: { readonly totals: AuditTotalsView }) {
  const isUnresolved = /[1-9]/.test(totals.unresolved_usd);
  return (
    <dl class="tiles">
      <Tile name="Spent" value={dollars(totals.settled_usd)} />
      <Tile name="In flight" value={dollars(totals.held_usd)} />
      <Tile name="Unresolved" value={dollars(totals.unresolved_usd)} tone={isUnresolved ? "warn" : undefined} />
      <Tile name="Calls" value={count(totals.calls)} />
      <Tile name="Refused" value={count(totals.refused)} />
    </dl>
  );
}
