import { type Command, Option } from "commander";
import { CSV_HEADER, csvLine, ndjsonLine } from "../audit/present.ts";
import { Problem } from "../core/problem.ts";
import { AUDIT_ROWS_PER_PAGE_MAX } from "../operate/audit.ts";
import type { AuditPageView, AuditRowView, ControlPlane } from "../operate/control-plane.ts";
import type { AuditFilter } from "../store/store.ts";
import { addAuditExportCommand } from "./audit-export.ts";
import { type AuditFilterFlags, addAuditFilterFlags, readAuditFilterFlags } from "./audit-filter-flags.ts";
import { followAudit } from "./audit-follow.ts";
import { addAuditPruneCommand } from "./audit-prune.ts";
import { type AuditFormat, auditColumns, FORMATS, totalsText } from "./audit-text.ts";
import { addAuditVerifyCommand } from "./audit-verify.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { countUpTo, given } from "./policy-flags.ts";
import { layOut } from "./table.ts";

const LIMIT_MAX = 1_000_000;

interface AuditFlags extends AuditFilterFlags {
  readonly limit: number;
  readonly follow?: true;
  readonly format?: AuditFormat;
  readonly json?: true;
}

/** `keybrake audit`: what happened, newest last. */
export function addAuditCommand(program: Command, cli: Cli): void {
  const command = program.command("audit").description("show the calls and what was decided on each, newest last");
  addAuditFilterFlags(command)
    .option("--limit <n>", "at most so many, the newest", countUpTo(LIMIT_MAX), 100)
    .option("--follow", "go on and print calls as they come, until Ctrl-C")
    .addOption(new Option("--format <format>", "how to print (default: table)").choices(FORMATS))
    .addOption(new Option("--json", "print a JSON array").conflicts("format"))
    .action(async (flags: AuditFlags) => {
      const filter = readAuditFilterFlags(flags, cli.clock.now());
      const format = flags.json ? "json" : (flags.format ?? "table");
      if (flags.follow && format === "json") {
        throw new Problem("usage", "--follow never ends, and a JSON array must", "use --format ndjson");
      }
      const show = async (control: ControlPlane) => {
        const page = await newest(control, filter, flags.limit);
        const printer = new AuditPrinter(format, cli);
        printer.first(page.rows);
        if (flags.follow) await followAudit(control, filter, page.newer_cursor, cli, (rows) => printer.more(rows));
        else if (format === "table") await sayTotals(control, filter, page.rows.length, cli);
      };
      await withControl(cli, command, show, { ifBroken: "warn" });
    });
  withExamples(command, [
    "keybrake audit --run ray-billing/01 --since 24h",
    "keybrake audit --verdict cap_exceeded --format csv > refused.csv",
    "keybrake audit --follow",
  ]);
  addAuditVerifyCommand(command, cli);
  addAuditExportCommand(command, cli);
  addAuditPruneCommand(command, cli);
}

/** The newest `limit` rows, oldest first, with the cursor behind the last of them. */
async function newest(control: ControlPlane, filter: AuditFilter, limit: number): Promise<AuditPageView> {
  const pages: AuditRowView[][] = [];
  let missing = limit;
  let before: string | null = null;
  let newerCursor: string | null = null;
  do {
    const request = { limit: Math.min(missing, AUDIT_ROWS_PER_PAGE_MAX), ...given("before", before ?? undefined) };
    const page: AuditPageView = await control.queryAudit(filter, request);
    if (before === null) newerCursor = page.newer_cursor;
    pages.unshift([...page.rows]);
    missing -= page.rows.length;
    before = page.older_cursor;
  } while (missing > 0 && before !== null);
  return { rows: pages.flat(), older_cursor: before, newer_cursor: newerCursor };
}

async function sayTotals(control: ControlPlane, filter: AuditFilter, shown: number, { voice }: Cli): Promise<void> {
  const totals = await control.auditTotals(filter);
  voice.say(totalsText(totals));
  if (shown < totals.calls) voice.note(`these are the newest ${shown} of ${totals.calls} calls; --limit shows more`);
}

/** Prints rows in one format, batch after batch. */
class AuditPrinter {
  readonly #format: AuditFormat;
  readonly #cli: Cli;

  constructor(format: AuditFormat, cli: Cli) {
    this.#format = format;
    this.#cli = cli;
  }

  first(rows: readonly AuditRowView[]): void {
    const { voice, clock } = this.#cli;
    if (this.#format === "json") voice.sayJson(rows);
    else if (this.#format === "table") voice.sayTable(auditColumns(rows, clock.now()), rows, "no call fits so far");
    else {
      if (this.#format === "csv") voice.sayRaw(CSV_HEADER);
      this.more(rows);
    }
  }

  more(rows: readonly AuditRowView[]): void {
    const { voice, clock } = this.#cli;
    for (const row of rows) {
      if (this.#format === "csv") voice.sayRaw(csvLine(row));
      else if (this.#format === "ndjson") voice.sayRaw(ndjsonLine(row));
    }
    if (this.#format !== "table" || rows.length === 0) return;
    const paint = (text: string, colour: Parameters<typeof voice.paint>[1]) => voice.paint(text, colour);
    for (const line of layOut(auditColumns(rows, clock.now()), rows, voice.width, paint).slice(1)) voice.say(line);
  }
}
