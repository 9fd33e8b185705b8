import { useMemo, useState } from "preact/hooks";
import { useLive, useLoaded } from "../data.ts";
import { now } from "../now.ts";
import type { PageProperties } from "../pages.ts";
import { CallList } from "../parts/call-list.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Shown } from "../parts/shown.tsx";
import { SpendChart } from "../parts/spend-chart.tsx";
import { TotalTiles } from "../parts/total-tiles.tsx";
import { VendorShares } from "../parts/vendor-shares.tsx";
import { mayRead } from "../session.ts";
import { loadSpend, type Spend, spendColumns } from "../spend.ts";

const RANGES = [
  ["24h", 24],
  ["3d", 72],
  ["7d", 168],
] as const;

/** What is being spent: sums, hours by vendor, and the newest calls. */
export function SpendPage({ role }: PageProperties) {
  const [range, setRange] = useState<(typeof RANGES)[number]>(RANGES[0]);
  const [since, hours] = range;
  const loaded = useLoaded((signal) => loadSpend(since, signal), [since]);
  useLive(loaded);
  return (
    <>
      <PageHead title="Spend">
        <fieldset class="segments">
          <legend class="hidden">How far back</legend>
          {RANGES.map((each) => (
            <button type="button" key={each[0]} aria-pressed={each === range} onClick={() => setRange(each)}>
              {each[0]}
            </button>
          ))}
        </fieldset>
      </PageHead>
      <Shown loaded={loaded}>{(spend) => <SpendFigures spend={spend} hours={hours} />}</Shown>
      {mayRead(role) && (
        <section>
          <h2>Newest calls</h2>
          <CallList query={{}} limit={15} emptyText="No call yet: issue a key, and point the agent at Keybrake" />
        </section>
      )}
    </>
  );
}

function SpendFigures({ spend, hours }: { readonly spend: Spend; readonly hours: number }) {
  const columns = useMemo(() => spendColumns(spend.rows, hours, now()), [spend, hours]);
  return (
    <>
      <TotalTiles totals={spend.total} />
      <section class="panel chart-panel">
        <h2>Dollars per hour</h2>
        <SpendChart columns={columns} />
        <VendorShares columns={columns} />
      </section>
    </>
  );
}
