import { absolute, dollars } from "../format.ts";
import type { SpendColumns } from "../spend.ts";

interface Properties {
  readonly columns: SpendColumns;
  /** Of the hour under the pointer; null where there is none. */
  readonly index: number | null;
}

/** The figures of the hour that is pointed at, or of the newest. */
export function ChartHour({ columns: { hours, vendors }, index }: Properties) {
  const at = index ?? hours.length - 1;
  const hour = hours[at];
  if (hour === undefined) return null;
  const spent = vendors.filter(({ perHour }) => perHour[at]! > 0);
  return (
    <p class="chart-hour number">
      <span class="muted">{absolute(new Date(hour * 1000).toISOString()).replace(":00 UTC", " UTC")}</span>
      {spent.length === 0 && <span> nothing spent</span>}
      {spent.map(({ vendor, perHour }) => (
        <span key={vendor}>
          {vendor} {dollars(perHour[at]!.toFixed(2))}
        </span>
      ))}
    </p>
  );
}
