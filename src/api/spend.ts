import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { readAuditFilter } from "../operate/audit-filter.ts";
import { SPEND_ROWS, SPEND_ROWS_MAX } from "../operate/spend.ts";
import { SpendAnswer } from "./answers/spend.ts";
import { described } from "./described.ts";
import { AUDIT_FILTER, count, flag, limitOf, parameter, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

/** A client waits no longer for calls that have never been added up. */
const PATIENCE_MS = 5_000;

/** What was spent. */
export function spendController({ control, clock, gate }: ApiSetting) {
  return new Elysia(ELYSIA).get(
    "/spend",
    ({ query: asked, request }) => {
      const { by, split, limit, project, anomalies, run, vendor, label_contains, key_id } = asked;
      const { since, until } = readAuditFilter({ since: asked.since, until: asked.until }, clock.now());
      return control.spend(
        {
          by,
          split,
          since,
          until,
          run,
          vendor,
          label_contains,
          key_id,
          limit: limitOf(limit, SPEND_ROWS, SPEND_ROWS_MAX),
          project: project === "true",
          anomalies: anomalies === "true",
          patienceMs: PATIENCE_MS,
        },
        gate.actorOf(request),
      );
    },
    {
      query: query({
        by: parameter(
          "What rows are by: run (where it is not given), agent, vendor, endpoint, day, hour, or label:N for the N-th part of the run label, between : and /. Days and hours are UTC.",
        ),
        split: Type.Optional({
          ...Type.Literal("vendor"),
          description: "A row for each vendor in a group.",
          "x-allowed": "vendor",
        }),
        since: parameter(`${AUDIT_FILTER.since.description} Where it is not given, 7d.`),
        until: AUDIT_FILTER.until,
        vendor: AUDIT_FILTER.vendor,
        run: AUDIT_FILTER.run,
        label_contains: AUDIT_FILTER.label_contains,
        key_id: AUDIT_FILTER.key_id,
        limit: count(`Groups, the dearest or newest; ${SPEND_ROWS} where it is not given, 10,000 at most.`),
        project: flag("With what a month would cost: the mean of a day of the last 7 days, 30 times."),
        anomalies: flag("With the hours that cost more than 3 times the mean hour of the 30 days before them."),
      }),
      detail: described({
        id: "reportSpend",
        summary: "What was spent, by run, agent, vendor, endpoint, time or part of the label",
        tag: "Spend",
        answer: SpendAnswer,
      }),
    },
  );
}
