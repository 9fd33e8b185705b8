import { api } from "../api.ts";
import { useCursors } from "../cursors.ts";
import { useLive, useLoaded } from "../data.ts";
import type { PageProperties } from "../pages.ts";
import { CallTable } from "../parts/call-table.tsx";
import { Empty } from "../parts/empty.tsx";
import { KeyTable } from "../parts/key-table.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Pager } from "../parts/pager.tsx";
import { Shown } from "../parts/shown.tsx";
import { TotalTiles } from "../parts/total-tiles.tsx";

const ROWS_PER_PAGE = 100;
/** Before the first row of all. */
const FROM_THE_FIRST = "0";

/** One run: its keys, what it spent, and its calls from the first to the last. */
export function RunPage({ place, role }: PageProperties) {
  const run = place.item ?? "";
  const keys = useLoaded((signal) => api.keys({ label: run, limit: "20" }, signal), [run]);
  const totals = useLoaded((signal) => api.totals({ run }, signal), [run]);
  const { cursor = FROM_THE_FIRST, isFirst, next, back } = useCursors(run);
  const calls = useLoaded(
    (signal) => api.calls({ run, after: cursor, limit: String(ROWS_PER_PAGE) }, signal),
    [run, cursor],
  );
  useLive(keys);
  useLive(totals);
  useLive(calls);
  return (
    <>
      <PageHead over="Run" title={run} />
      <Shown loaded={totals}>{(sums) => <TotalTiles totals={sums} />}</Shown>
      <section>
        <h2>Keys of the run</h2>
        <Shown loaded={keys}>
          {({ keys: found }) =>
            found.length === 0 ? (
              <Empty title="No key has this label">The run's calls name it themselves (X-Agent-Run-Id).</Empty>
            ) : (
              <KeyTable keys={found} role={role} changed={keys.reload} />
            )
          }
        </Shown>
      </section>
      <section>
        <h2>Calls in their order</h2>
        <Shown loaded={calls}>
          {({ rows, newer_cursor }) => (
            <>
              {rows.length === 0 ? (
                <Empty title={isFirst ? "This run has made no call yet" : "These were all of the run's calls"} />
              ) : (
                <CallTable rows={rows} caption="Calls, the oldest first" />
              )}
              <Pager
                backText="Earlier calls"
                nextText="Later calls"
                onBack={isFirst ? undefined : back}
                onNext={rows.length < ROWS_PER_PAGE || newer_cursor === null ? undefined : () => next(newer_cursor)}
              />
            </>
          )}
        </Shown>
      </section>
    </>
  );
}
