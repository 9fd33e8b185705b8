import { closeSync, openSync, rmSync, writeSync } from "node:fs";
import { type Command, Option } from "commander";
import { formatUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import type { AuditExport } from "../operate/audit-chain-verbs.ts";
import { errorCode, fileProblem } from "../vault/private-file.ts";
import { type AuditFilterFlags, addAuditFilterFlags, readAuditFilterFlags } from "./audit-filter-flags.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { counted, dollars } from "./wording.ts";

interface ExportFlags extends AuditFilterFlags {
  readonly format: "ndjson" | "csv";
  readonly output?: string;
}

/** `keybrake audit export`: rows as a file that can be checked without the database. */
export function addAuditExportCommand(audit: Command, cli: Cli): void {
  const command = audit
    .command("export")
    .description("write final audit rows, with what an auditor needs to check them without the database");
  addAuditFilterFlags(command)
    .addOption(new Option("--format <format>", "how to write").choices(["ndjson", "csv"]).default("ndjson"))
    .option("--output <file>", "write to a new file (0600); CSV gets its heads beside it, in FILE.heads.json")
    .action(async () => {
      // `audit` itself has flags of these names, and takes them wherever they stand.
      const flags = command.optsWithGlobals<ExportFlags>();
      const filter = readAuditFilterFlags(flags, cli.clock.now());
      const { format, output } = flags;
      if (format !== "ndjson" && format !== "csv") {
        throw new Problem("usage", `--format is ${format}; an export is ndjson or csv`);
      }
      await withControl(cli, command, async (control) => {
        const made = control.exportAudit({ filter, format });
        if (output === undefined) for await (const chunk of made.chunks) cli.voice.sayRaw(chunk);
        else await writeFiles(made, output, format);
        sayWhat(made, output, format, Object.keys(filter).length > 0, cli);
      });
    });
  withExamples(command, [
    "keybrake audit export --output audit.ndjson",
    "keybrake audit export --format csv --since 30d --output month.csv",
    "keybrake audit verify --file audit.ndjson",
  ]);
}

async function writeFiles(made: AuditExport, output: string, format: ExportFlags["format"]): Promise<void> {
  await writeNew(output, made.chunks);
  if (format === "csv") await writeNew(`${output}.heads.json`, [`${JSON.stringify(made.heads(), null, 2)}\n`]);
}

/** A file that was begun and not finished is taken away again: half an export looks like a whole one. */
async function writeNew(path: string, chunks: AsyncIterable<string> | Iterable<string>): Promise<void> {
  const file = openNew(path);
  try {
    for await (const chunk of chunks) writeSync(file, chunk);
  } catch (cause) {
    rmSync(path, { force: true });
    throw cause instanceof Problem ? cause : fileProblem("cannot write the export", path, cause);
  } finally {
    closeSync(file);
  }
}

function openNew(path: string): number {
  try {
    return openSync(path, "wx", 0o600);
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw fileProblem("cannot write the export", path, cause);
    throw new Problem("conflict", `${path} exists already`, "name another file, or remove it first");
  }
}

function sayWhat(
  made: AuditExport,
  output: string | undefined,
  format: ExportFlags["format"],
  isSelection: boolean,
  { voice }: Cli,
): void {
  const { rows, cost_micros } = made.heads() as { rows: number; cost_micros: string };
  const where = output === undefined ? "" : ` to ${output}`;
  voice.note(`wrote ${counted(rows, "row")}${where}, ${dollars(formatUsd(BigInt(cost_micros)))} in all`);
  if (isSelection) voice.note("a selection of rows: each can be checked, but not that none was left out");
  if (format === "csv" && output === undefined) {
    voice.note("CSV on stdout has no heads to check it by; --output writes them beside the file");
  }
}
