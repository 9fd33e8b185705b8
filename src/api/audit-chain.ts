import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { Problem } from "../core/problem.ts";
import { parseDuration } from "../core/window.ts";
import type { AuditVerdictView } from "../operate/audit-chain-verbs.ts";
import { readAuditFilter } from "../operate/audit-filter.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import { AuditVerdictAnswer, PrunedAnswer } from "./answers/audit.ts";
import { exportAudit } from "./audit-export.ts";
import { described } from "./described.ts";
import { AUDIT_FILTER, flag, given, query } from "./query.ts";
import { type ApiSetting, ELYSIA } from "./setting.ts";

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

const VerifyBody = Type.Object(
  {
    checkpoints: Type.Array(
      Type.Object(
        {
          name: Type.String({ description: "What the file is called, for messages." }),
          text: Type.String({
            description: "Its lines, or the last of them: the newest checkpoint vouches for what is before it.",
          }),
          first_line: Type.Optional(
            Type.Integer({ minimum: 1, description: "The number of the first of these lines." }),
          ),
        },
        { additionalProperties: false },
      ),
      { maxItems: 100, description: "Files of checkpoints, beside the server's own." },
    ),
  },
  {
    title: "VerifyAudit",
    additionalProperties: false,
    examples: [{ checkpoints: [] }],
  },
);

const PruneBody = Type.Object(
  {
    older_than: Type.String({
      description: "Rows of calls that ended longer ago than this, such as 400d; a day at least.",
      "x-allowed": "a duration like 400d",
    }),
    dry_run: Type.Optional(Type.Boolean({ description: "true: only say what would be removed." })),
  },
  { title: "PruneAudit", additionalProperties: false, examples: [{ older_than: "400d", dry_run: true }] },
);

/** The chain of all rows: whether it is whole, as a file, and without its oldest rows. */
export function auditChainController(setting: ApiSetting) {
  const { control } = setting;
  return new Elysia(ELYSIA)
    .get("/audit/verify", () => verifyOnce(control), {
      query: query({}),
      detail: described({
        id: "verifyAudit",
        summary: "Whether the chain of all audit rows is whole; where it is not, `finding` names the first bad row",
        tag,
        answer: AuditVerdictAnswer,
      }),
    })
    .post(
      "/audit/verify",
      ({ body: { checkpoints } }) =>
        control.verifyAudit({
          checkpoints: checkpoints.map(({ name, text, first_line }) => ({
            name,
            lines: text.split("\n"),
            ...given({ firstLine: first_line }),
          })),
        }),
      {
        parse: "json",
        body: VerifyBody,
        detail: described({
          id: "verifyAuditWith",
          summary: "The same, compared with checkpoints that were kept elsewhere",
          tag,
          answer: AuditVerdictAnswer,
        }),
      },
    )
    .post(
      "/audit/prune",
      ({ body: { older_than, dry_run = false } }) =>
        control.pruneAudit({ olderThanMs: ageMs(older_than), dryRun: dry_run }),
      {
        parse: "json",
        body: PruneBody,
        detail: described({
          id: "pruneAudit",
          summary: "Remove old rows; their sums and the ends of their chain are kept",
          tag,
          answer: PrunedAnswer,
        }),
      },
    )
    .use(exportController(setting));
}

/** Rows as a file, which can be checked without the database. */
function exportController(setting: ApiSetting) {
  const { clock } = setting;
  return new Elysia(ELYSIA).get(
    "/audit/export",
    ({ query: { format = "ndjson", framed, ...filter } }) =>
      exportAudit(setting, readAuditFilter(filter, clock.now()), format, framed === "true"),
    {
      query: query({
        ...AUDIT_FILTER,
        format: Type.Optional({
          ...Type.Union([Type.Literal("ndjson"), Type.Literal("csv")]),
          description:
            "ndjson (the default) or csv. In CSV, texts that a spreadsheet would run begin with an apostrophe.",
        }),
        framed: flag(
          "true: the file in pieces, each a line with a JSON text, and at last a line with an object: the heads that the file is checked by. Without that last line the file is not whole.",
        ),
      }),
      detail: described({
        id: "exportAudit",
        summary: "Final audit rows, oldest first, as one file; NDJSON ends with what a check of it needs",
        tag,
        answer: EXPORTED,
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

function ageMs(text: string): number {
  try {
    return parseDuration(text);
  } catch (cause) {
    throw new Problem("invalid", `older_than: ${(cause as RangeError).message}`);
  }
}
