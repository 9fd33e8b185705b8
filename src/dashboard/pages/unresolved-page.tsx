import { useState } from "preact/hooks";
import { api } from "../api.ts";
import { useCursors } from "../cursors.ts";
import { useLive, useLoaded } from "../data.ts";
import type { PageProperties } from "../pages.ts";
import { Empty } from "../parts/empty.tsx";
import { PageHead } from "../parts/page-head.tsx";
import { Pager } from "../parts/pager.tsx";
import { ResolveDialog } from "../parts/resolve-dialog.tsx";
import { Shown } from "../parts/shown.tsx";
import { UnresolvedTable } from "../parts/unresolved-table.tsx";
import { mayIssue } from "../session.ts";
import type { Row } from "../stream.ts";

const ROWS_PER_PAGE = 50;

/** Calls whose outcome nobody knows: they count as spent in full until somebody says what became of them. */
export function UnresolvedPage({ role }: PageProperties) {
  const [chosen, setChosen] = useState<Row>();
  const { cursor, isFirst, next, back } = useCursors("unresolved");
  const loaded = useLoaded(
    (signal) => api.calls({ state: "unresolved", before: cursor, limit: String(ROWS_PER_PAGE) }, signal),
    [cursor],
  );
  useLive(loaded);
  return (
    <>
      <PageHead title="Unresolved calls" />
      <p class="intro">
        These were sent, and no whole answer came. What they may have cost counts as spent. Look each up at its vendor,
        and say what it did cost, or that nothing was spent.
      </p>
      <Shown loaded={loaded}>
        {({ rows, older_cursor }) => (
          <>
            {rows.length === 0 ? (
              <Empty title="Every call's outcome is known">There is nothing to do here.</Empty>
            ) : (
              <UnresolvedTable rows={rows.toReversed()} onResolve={mayIssue(role) ? setChosen : undefined} />
            )}
            <Pager
              backText="Newer calls"
              nextText="Older calls"
              onBack={isFirst ? undefined : back}
              onNext={older_cursor === null ? undefined : () => next(older_cursor)}
            />
          </>
        )}
      </Shown>
      {chosen && <ResolveDialog row={chosen} onClose={() => setChosen(undefined)} changed={loaded.reload} />}
    </>
  );
}
