import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Problem } from "../core/problem.ts";
import { readAuditFilter } from "../operate/audit-filter.ts";
import { AuditPageAnswer, AuditTotalsAnswer } from "./answers/audit.ts";
import { streamAudit } from "./audit-stream.ts";
import { described } from "./described.ts";
import { AUDIT_FILTER, count, given, limitOf, parameter, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const ROWS_PER_PAGE = 100;
const tag = "Audit";

const STREAMED = {
  content: {
    "text/event-stream": Type.String({
      description:
        "`event: call` with a row of GET /audit as JSON in `data`, and now and then an `id` to go on from; `event: problem` with a message before an end that was not asked for; comments in between.",
      examples: ['event: call\ndata: {"id":"call_01k5x3r9t7e2mfq8"}\n\n'],
    }),
  },
};

const LastEventId = Type.Object({
  "last-event-id": parameter(
    "Where to go on: the id of the last event, or newer_cursor of GET /audit. A browser's EventSource sends it by itself.",
  ),
});

/** What happened: pages, totals, whole files, and as it happens. */
export function auditController(setting: ApiSetting) {
  const { control, clock } = setting;
  return new Elysia(ELYSIA)
    .get(
      "/audit",
      async ({ query: asked }) => {
        const { limit, cursor, before = cursor, after, ...filter } = asked;
        if (cursor !== undefined && before !== cursor) {
          throw new Problem("invalid", "before and cursor are the same thing, and two are given", "give one of them");
        }
        const page = { limit: limitOf(limit, ROWS_PER_PAGE), ...given({ before, after }) };
        const found = await control.queryAudit(readAuditFilter(filter, clock.now()), page);
        return { ...found, next_cursor: found.older_cursor };
      },
      {
        query: query({
          ...AUDIT_FILTER,
          before: parameter("older_cursor of a page: the rows before it."),
          after: parameter("newer_cursor of a page: the rows that have come since."),
          cursor: parameter("next_cursor of a page; the same as before."),
          limit: count(`Rows on a page, the newest; ${ROWS_PER_PAGE} where it is not given, 10,000 at most.`),
        }),
        detail: described({ id: "listAudit", summary: "Audit rows, newest last", tag, answer: AuditPageAnswer }),
      },
    )
    .get("/audit/totals", ({ query: asked }) => control.auditTotals(readAuditFilter(asked, clock.now())), {
      query: query(AUDIT_FILTER),
      detail: described({
        id: "totalAudit",
        summary: "How many calls, and what they cost",
        tag,
        answer: AuditTotalsAnswer,
      }),
    })
    .get(
      "/audit/stream",
      ({ query: filter, headers, request }) =>
        streamAudit(setting, {
          filter: readAuditFilter(filter, clock.now()),
          place: headers["last-event-id"],
          request,
        }),
      {
        query: query(AUDIT_FILTER),
        headers: LastEventId,
        detail: described({
          id: "streamAudit",
          summary: "Audit rows as they come, as server-sent events named call",
          tag,
          answer: STREAMED,
        }),
      },
    );
}
