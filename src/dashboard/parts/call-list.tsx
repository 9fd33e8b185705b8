import { api } from "../api.ts";
import { useCursors } from "../cursors.ts";
import { useLive, useLoaded } from "../data.ts";
import { CallTable } from "./call-table.tsx";
import { Empty } from "./empty.tsx";
import { Pager } from "./pager.tsx";
import { Shown } from "./shown.tsx";

interface Properties {
  readonly query: Readonly<Record<string, string>>;
  readonly emptyText: string;
  readonly limit?: number;
}

const ROWS_PER_PAGE = 50;

/** The calls that a filter selects, the newest first, page by page; the first page follows what comes. */
export function CallList({ query, emptyText, limit = ROWS_PER_PAGE }: Properties) {
  const question = JSON.stringify(query);
  const { cursor, isFirst, next, back } = useCursors(question);
  const loaded = useLoaded(
    (signal) => api.calls({ ...query, before: cursor, limit: String(limit) }, signal),
    [question, cursor, limit],
  );
  useLive(loaded);
  return (
    <Shown loaded={loaded}>
      {({ rows, older_cursor }) => (
        <>
          {rows.length === 0 ? (
            <Empty title={emptyText} />
          ) : (
            <CallTable rows={rows.toReversed()} caption="Calls, the newest first" />
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
  );
}
