import { type Command, Option } from "commander";
import { Problem } from "../core/problem.ts";
import type { EpochMs } from "../core/window.ts";
import { type ControlPlane, LOCAL_ADMIN } from "../operate/control-plane.ts";
import { SPEND_ROWS_MAX } from "../operate/spend.ts";
import type { SpendReportView, SpendRequest } from "../operate/spend-verbs.ts";
import { readTime } from "./audit-filter-flags.ts";
import { sparkline } from "./bars.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { countUpTo } from "./policy-flags.ts";
import { Progress } from "./progress.ts";
import {
  ANOMALY_COLUMNS,
  ANOMALY_TITLE,
  isTime,
  NO_ANOMALY,
  projectionLines,
  spendColumns,
  spendCsv,
  totalLines,
} from "./spend-text.ts";

const FORMATS = ["table", "json", "csv"] as const;
const ROWS = 20;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** Up to so much time a trend is by the hour. */
const HOURLY_MS_MAX = 2 * DAY_MS;

interface SpendFlags {
  readonly by: string;
  readonly split?: "vendor";
  readonly since: string;
  readonly until?: string;
  readonly run?: string;
  readonly labelContains?: string;
  readonly key?: string;
  readonly vendor?: string;
  readonly limit: number;
  readonly project?: true;
  readonly anomalies?: true;
  readonly format?: (typeof FORMATS)[number];
  readonly json?: true;
}

/** `keybrake spend`: what was spent, by whatever groups calls. */
export function addSpendCommand(program: Command, cli: Cli): void {
  const command = program
    .command("spend")
    .description("report what was spent, by run, agent, vendor, endpoint, time or part of the label")
    .option(
      "--by <what>",
      "run, agent, vendor, endpoint, day, hour, or label:N for the N-th part of the run label",
      "run",
    )
    .addOption(new Option("--split <what>", "a row for each vendor in a group").choices(["vendor"]))
    .option("--since <time>", "only calls since then: 24h, 7d, or 2026-01-31T08:00:00Z", "7d")
    .option("--until <time>", "only calls before then")
    .option("--run <label>", "only calls of this run")
    .option("--label-contains <text>", "only calls of keys with this in their run label")
    .option("--key <id>", "only calls with this vault key (its id, vk_…)")
    .option("--vendor <name>", "only calls to this vendor")
    .option(
      "--limit <n>",
      "at most so many groups, the dearest, of days and hours the newest",
      countUpTo(SPEND_ROWS_MAX),
      ROWS,
    )
    .option("--project", "what a month would cost: 30 times the mean day of the last 7 days")
    .option("--anomalies", "the hours that cost more than 3 times the mean hour of the 30 days before them")
    .addOption(new Option("--format <format>", "how to print (default: table)").choices(FORMATS))
    .addOption(new Option("--json", "print the report as JSON").conflicts("format"))
    .action(async (flags: SpendFlags) => {
      const progress = new Progress(cli.voice, "calls added up for the first time");
      const request = { ...requestOf(flags, cli.clock.now()), onProgress: progress.show.bind(progress) };
      const format = flags.json ? "json" : (flags.format ?? "table");
      const show = async (control: ControlPlane) => {
        const report = await asUsage(() => control.spend(request, LOCAL_ADMIN)).finally(() => progress.end());
        if (format === "json") cli.voice.sayJson(report);
        else if (format === "csv") cli.voice.sayRaw(spendCsv(report));
        else await sayReport(control, request, report, cli);
      };
      await withControl(cli, command, show, { ifBroken: "warn" });
    });
  withExamples(command, [
    "keybrake spend --by run --since 24h",
    "keybrake spend --by agent --split vendor --project",
    "keybrake spend --by label:2 --since 30d",
    "keybrake spend --by day --vendor stripe --since 30d --anomalies",
  ]);
}

function requestOf(flags: SpendFlags, now: EpochMs): SpendRequest {
  const { by, split, run, labelContains: label_contains, key: key_id, vendor, limit, project, anomalies } = flags;
  const since = readTime("--since", flags.since, now);
  const until = flags.until === undefined ? undefined : readTime("--until", flags.until, now);
  return { by, split, since, until, run, label_contains, key_id, vendor, limit, project, anomalies };
}

/** What is wrong with the request was wrong with the flags. */
async function asUsage<Result>(ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (cause) {
    if (cause instanceof Problem && cause.code === "invalid") {
      throw new Problem("usage", `--${cause.message}`, cause.hint);
    }
    throw cause;
  }
}

async function sayReport(
  control: ControlPlane,
  request: SpendRequest,
  report: SpendReportView,
  cli: Cli,
): Promise<void> {
  const { voice } = cli;
  const isTerminal = voice.width !== undefined;
  voice.sayTable(spendColumns(report, isTerminal), report.rows, "no call fits so far");
  if (report.rows.length > 0) {
    for (const line of totalLines(report, request.limit ?? ROWS)) voice.say(line);
    if (isTerminal) for (const line of await trendLines(control, request, report, cli)) voice.say(line);
  }
  for (const line of report.projection ? projectionLines(report.projection) : []) voice.say(line);
  if (report.anomalies === undefined) return;
  if (report.anomalies.length === 0) return voice.note(NO_ANOMALY);
  voice.say("");
  voice.say(ANOMALY_TITLE);
  voice.sayTable(ANOMALY_COLUMNS, report.anomalies, "");
}

/** How spending went over the time of the report, a cell an hour or a day; nothing where there is but one. */
async function trendLines(
  control: ControlPlane,
  request: SpendRequest,
  report: SpendReportView,
  { voice, clock }: Cli,
): Promise<readonly string[]> {
  const from = Date.parse(report.since);
  const to = report.until === null ? clock.now() : Date.parse(report.until);
  const isHourly = request.by === "hour" || (request.by !== "day" && to - from <= HOURLY_MS_MAX);
  const [by, slotMs] = isHourly ? (["hour", HOUR_MS] as const) : (["day", DAY_MS] as const);
  const title = `spent by ${by}: `;
  const cells = Math.max(1, (voice.width ?? 80) - title.length);
  const { split: _split, project: _project, anomalies: _anomalies, ...asked } = request;
  const ofTime =
    isTime(report.by) && request.split === undefined && !report.truncated
      ? report
      : await control.spend({ ...asked, by, limit: SPEND_ROWS_MAX }, LOCAL_ADMIN);
  const spent = new Map(ofTime.rows.map((row) => [Date.parse(String(row[by])), Number(row.total_usd)]));
  const last = to - 1 - ((to - 1) % slotMs);
  const count = Math.min(cells, Math.floor((last - (from - (from % slotMs))) / slotMs) + 1);
  if (count < 2) return [];
  const slots = Array.from({ length: count }, (_, at) => last - (count - 1 - at) * slotMs);
  return [voice.paint(`${title}${sparkline(slots.map((slot) => spent.get(slot) ?? 0))}`, "dim")];
}
