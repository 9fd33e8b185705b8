import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import type { EpochMs } from "../core/window.ts";
import type { AuditVerdictView } from "../operate/audit-chain-verbs.ts";
import { readAuditFilter } from "../operate/audit-filter.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import type { AuditFilter } from "../store/store.ts";
import { AuditPageAnswer, AuditTotalsAnswer, AuditVerdictAnswer } from "./answers/audit.ts";
import { exportAudit } from "./audit-export.ts";
import { streamAudit } from "./audit-stream.ts";
import { described } from "./described.ts";
import { AUDIT_FILTER, count, type FilterTexts, given, limitOf, parameter, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

const ROWS_PER_PAGE = 100;
const tag = "Audit";

const EXPORTED = {
  content: {
    "application/x-ndjson": Type.String({
      description: "One row as JSON a line; the last line is an object `keybrake_export`.",
      examples: ['{"id":"call_01k5x3r9t7e2mfq8","cost_usd":"29.99"}\n'],
    }),
    "text/csv": Type.String({ description: "RFC 4180, with a header.", examples: ["id,called_at\r\n"] }),
  },
};
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
        const page = { limit: limitOf(limit, ROWS_PER_PAGE), ...given({ before, after }) };
        const found = await control.queryAudit(filterOf(filter, clock.now()), page);
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
    .get("/audit/totals", ({ query: asked }) => control.auditTotals(filterOf(asked, clock.now())), {
      query: query(AUDIT_FILTER),
      detail: described({
        id: "totalAudit",
        summary: "How many calls, and what they cost",
        tag,
        answer: AuditTotalsAnswer,
      }),
    })
    .get("/audit/verify", () => verifyOnce(control), {
      query: query({}),
      detail: described({
        id: "verifyAudit",
        summary: "Whether the chain of all audit rows is whole; where it is not, `finding` names the first bad row",
        tag,
        answer: AuditVerdictAnswer,
      }),
    })
    .use(lastingController(setting));
}

/** Answers that are sent while they are made. */
function lastingController(setting: ApiSetting) {
  const { clock } = setting;
  return new Elysia(ELYSIA)
    .get(
      "/audit/export",
      ({ query: { format = "ndjson", ...filter } }) => exportAudit(setting, filterOf(filter, clock.now()), format),
      {
        query: query({
          ...AUDIT_FILTER,
          format: Type.Optional({
            ...Type.Union([Type.Literal("ndjson"), Type.Literal("csv")]),
            description:
              "ndjson (the default) or csv. In CSV, texts that a spreadsheet would run begin with an apostrophe.",
          }),
        }),
        detail: described({
          id: "exportAudit",
          summary: "Final audit rows, oldest first, as one file; NDJSON ends with what a check of it needs",
          tag,
          answer: EXPORTED,
        }),
      },
    )
    .get(
      "/audit/stream",
      ({ query: filter, headers, request }) =>
        streamAudit(setting, { filter: filterOf(filter, clock.now()), place: headers["last-event-id"], request }),
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

/** Checks under way: who asks meanwhile gets the same answer, so that questions cannot pile up. */
const underWay = new WeakMap<ControlPlane, Promise<AuditVerdictView>>();

function verifyOnce(control: ControlPlane): Promise<AuditVerdictView> {
  const running = underWay.get(control);
  if (running) return running;
  const started = control.verifyAudit().finally(() => underWay.delete(control));
  underWay.set(control, started);
  return started;
}

function filterOf(texts: FilterTexts, now: EpochMs): AuditFilter {
  return readAuditFilter(texts, now);
}
