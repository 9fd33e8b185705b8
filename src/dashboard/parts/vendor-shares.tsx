import { counted, dollars } from "../format.ts";
import type { SpendColumns } from "../spend.ts";

/** The legend of the chart: each vendor with its colour and its sum. */
export function VendorShares({ columns }: { readonly columns: SpendColumns }) {
  if (columns.vendors.length === 0) return <p class="muted">No call in this time.</p>;
  const all = columns.vendors.reduce((sum, { total }) => sum + total, 0);
  return (
    <ul class="shares">
      {columns.vendors.map(({ vendor, total, calls }, index) => (
        <li key={vendor}>
          <span class={`swatch series-${index % SERIES}`} aria-hidden="true" />
          <span class="share-name">{vendor}</span>
          <span class="number">{dollars(total.toFixed(2))}</span>
          <span class="muted small number">
            {all === 0 ? "0" : Math.round((total / all) * 100)} % · {counted(calls, "call")}
          </span>
        </li>
      ))}
    </ul>
  );
}

/** Colours that there are; more vendors begin again with the first. */
export const SERIES = 8;
