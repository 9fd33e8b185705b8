import { csvField } from "../audit/csv-field.ts";
import { VELOCITY } from "../audit/velocity.ts";
import type {
  SpendAnomalyView,
  SpendProjectionView,
  SpendReportView,
  SpendRowView,
  SpendSumsView,
} from "../operate/spend-verbs.ts";
import { bar } from "./bars.ts";
import type { Column } from "./table.ts";
import { counted, dollars, grouped, shortTime } from "./wording.ts";

const BAR_CELLS = 12;
const NAMELESS = "-";
const NOTHING = /^0\.0+$/;

/** The table's columns: what is nothing in every row is left out, and bars are for a terminal. */
export function spendColumns(report: SpendReportView, isTerminal: boolean): readonly Column<SpendRowView>[] {
  const { by, rows } = report;
  const dearest = Math.max(0, ...rows.map((row) => Number(row.total_usd)));
  const amount = (header: string, field: "held_usd" | "unresolved_usd"): Column<SpendRowView>[] =>
    rows.every((row) => NOTHING.test(row[field]))
      ? []
      : [{ header, text: (row) => dollars(row[field]), align: "right", colour: () => "yellow" }];
  const hasVendor = by !== "vendor" && rows.some(({ vendor }) => vendor !== undefined);
  const hasMonth = rows.some((row) => row.projected_month_usd !== undefined);
  return [
    { header: headerOf(by), text: (row) => nameOf(by, row), widthMin: 10, tooWide: "cut-middle" },
    ...(hasVendor ? [{ header: "vendor", text: (row: SpendRowView) => row.vendor ?? NAMELESS }] : []),
    { header: "calls", text: (row) => grouped(row.calls), align: "right" },
    {
      header: "refused",
      text: (row) => grouped(row.refused),
      align: "right",
      colour: (row) => (row.refused > 0 ? "red" : undefined),
    },
    ...amount("in flight", "held_usd"),
    ...amount("unresolved", "unresolved_usd"),
    { header: "spent", text: (row) => dollars(row.total_usd), align: "right", colour: () => "bold" },
    { header: "share", text: shareText, align: "right" },
    ...(hasMonth
      ? [
          {
            header: "a month",
            text: (row: SpendRowView) => dollars(cents(row.projected_month_usd!)),
            align: "right" as const,
          },
        ]
      : []),
    ...(isTerminal && dearest > 0
      ? [{ header: "", text: (row: SpendRowView) => bar(Number(row.total_usd) / dearest, BAR_CELLS), widthMin: 4 }]
      : []),
  ];
}

function headerOf(by: string): string {
  return by === "day" || by === "hour" ? `${by} (UTC)` : by;
}

function nameOf(by: string, row: SpendRowView): string {
  const name = row[by];
  if (name === null || name === undefined) return NAMELESS;
  return by === "hour" ? shortTime(String(name)).slice(0, 16) : String(name);
}

function shareText({ share }: SpendRowView): string {
  return share === null ? NAMELESS : `${(share * 100).toFixed(1)} %`;
}

/** What the report adds up to, and over what time. */
export function totalLines(
  { total, groups, by, since, until, truncated }: SpendReportView,
  limit: number,
): readonly string[] {
  const { calls, refused, total_usd: spent } = total;
  const time = `since ${shortTime(since)}${until === null ? "" : ` until ${shortTime(until)}`} UTC`;
  const order = isTime(by) ? "newest" : "dearest";
  const shown = truncated ? `; the ${order} ${grouped(limit)} of ${grouped(groups)} are shown, --limit shows more` : "";
  return [
    `${counted(calls, "call")}, ${grouped(refused)} refused, ${dollars(spent)} spent${openText(total)}`,
    `${time}${shown}`,
  ];
}

function openText({ settled_usd, held_usd, unresolved_usd }: SpendSumsView): string {
  if (NOTHING.test(held_usd) && NOTHING.test(unresolved_usd)) return "";
  const parts = [
    `${dollars(settled_usd)} settled`,
    `${dollars(held_usd)} in flight`,
    `${dollars(unresolved_usd)} unresolved`,
  ];
  return ` (${parts.join(", ")})`;
}

export function isTime(by: string): boolean {
  return by === "day" || by === "hour";
}

/** What a month would cost, by which method, and what that rests on. */
export function projectionLines(projection: SpendProjectionView): readonly string[] {
  const { projected_month_usd, daily_mean_usd, spent_usd, since, until, days } = projection;
  const basis = `${dollars(spent_usd)} from ${shortTime(since)} to ${shortTime(until)} UTC`;
  const lines = [
    `a month like the last 7 days: ${dollars(cents(projected_month_usd))}, which is 30 times ${dollars(cents(daily_mean_usd))} a day (${basis})`,
  ];
  if (days < 7) lines.push(`that rests on ${days} days only: there is no earlier call`);
  return lines;
}

/** A projection is no account: cents are enough, cut off. */
function cents(amount: string): string {
  return amount.replace(/(\.\d\d)\d+$/, "$1");
}

export const NO_ANOMALY = `no hour stands out: none cost more than ${VELOCITY.factor} times the mean hour of the 30 days before it (7 of them at least must be known)`;

export const ANOMALY_TITLE = `hours that cost more than ${VELOCITY.factor} times the mean hour of the 30 days before:`;

export const ANOMALY_COLUMNS: readonly Column<SpendAnomalyView>[] = [
  { header: "hour (UTC)", text: ({ hour }) => shortTime(hour).slice(0, 16) },
  { header: "spent", text: ({ spent_usd }) => dollars(spent_usd), align: "right", colour: () => "red" },
  { header: "mean", text: ({ mean_usd }) => dollars(cents(mean_usd)), align: "right" },
  { header: "times", text: ({ factor }) => factor.toFixed(1), align: "right" },
  {
    header: "dearest runs",
    text: ({ runs }) => runs.map(({ run, total_usd }) => `${run ?? NAMELESS} ${dollars(total_usd)}`).join(", "),
    widthMin: 12,
  },
];

const SUM_FIELDS = ["calls", "refused", "settled_usd", "held_usd", "unresolved_usd", "total_usd", "share"] as const;

/** The rows as CSV (RFC 4180), the field that was asked for by first. */
export function spendCsv({ by, rows }: SpendReportView): string {
  const besides = (["vendor", "projected_month_usd"] as const).filter(
    (name) => name !== by && rows.some((row) => row[name] !== undefined),
  );
  const texts: readonly string[] = [by, ...besides.filter((name) => name === "vendor")];
  const columns = [...texts, ...SUM_FIELDS, ...besides.filter((name) => name !== "vendor")];
  const line = (row: SpendRowView) => columns.map((name) => csvField(row[name], !texts.includes(name))).join(",");
  return [columns.join(","), ...rows.map(line)].map((each) => `${each}\r\n`).join("");
}
