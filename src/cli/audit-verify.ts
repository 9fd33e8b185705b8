import { existsSync } from "node:fs";
import type { Command } from "commander";
import { readConfig } from "../config.ts";
import { isRemote } from "../config-remote.ts";
import { Problem } from "../core/problem.ts";
import type { AuditVerdictView, CheckpointText, ExportVerdictView } from "../operate/audit-chain-verbs.ts";
import { checkpointsIn } from "../operate/checkpoint-file.ts";
import { verifyExportFile } from "../operate/verify-export.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { collect } from "./policy-flags.ts";
import { Progress } from "./progress.ts";
import { counted, dollars, grouped } from "./wording.ts";

interface VerifyFlags {
  readonly checkpoint?: readonly string[];
  readonly file?: string;
  readonly json?: true;
}

/** `keybrake audit verify`: whether every row is as it was written. */
export function addAuditVerifyCommand(audit: Command, cli: Cli): void {
  const command = audit
    .command("verify")
    .description("check the chain of all audit rows, or an exported file; ends with 1 where something is wrong")
    .option("--checkpoint <file>", "compare with the checkpoints in this file, too; repeatable", collect)
    .option("--file <export>", "check an NDJSON file that `audit export` wrote, in place of the database")
    .option("--json", "print a JSON object")
    .action(async () => {
      // `audit` itself has a --json, which takes the flag wherever it stands.
      const { checkpoint = [], file, json } = command.optsWithGlobals<VerifyFlags>();
      if (file !== undefined && checkpoint.length > 0) {
        throw new Problem("usage", "--file and --checkpoint are both given", "an export carries its own checkpoint");
      }
      if (file !== undefined) return sayExport(file, await verifyFile(file, command, cli), json, cli);
      const progress = new Progress(cli.voice, "rows checked");
      const verdict = await withControl(cli, command, (control) =>
        control.verifyAudit({
          checkpoints: checkpoint.map(checkpointsAt),
          onProgress: (done, of) => progress.show(done, of),
        }),
      ).finally(() => progress.end());
      sayVerdict(verdict, json, cli);
    });
  withExamples(command, [
    "keybrake audit verify",
    "keybrake audit verify --checkpoint /mnt/other-disk/checkpoints",
    "keybrake audit verify --file audit.ndjson",
  ]);
}

function checkpointsAt(path: string): CheckpointText {
  if (!existsSync(path)) throw new Problem("not_found", `there is no checkpoint file ${path}`);
  return checkpointsIn(path);
}

/** An auditor has the file and no data directory; none is made for it. */
async function verifyFile(file: string, command: Command, cli: Cli): Promise<ExportVerdictView> {
  if (isRemote(cli.environment)) {
    cli.voice.note("the file is read here and the key is the server's: only links and sums are checked");
    return verifyExportFile(file, undefined);
  }
  const { dataDir } = readConfig(globalFlags(command), cli.environment);
  if (existsSync(dataDir)) return withControl(cli, command, (control) => control.verifyExport(file));
  cli.voice.note(`there is no data directory ${dataDir}, and so no key: only links and sums are checked`);
  return verifyExportFile(file, undefined);
}

function sayVerdict(verdict: AuditVerdictView, json: true | undefined, cli: Cli): void {
  const { voice } = cli;
  const { ok, count, pruned_rows, sum_usd, head, checkpoints, finding } = verdict;
  cli.exitCode = ok ? 0 : 1;
  if (json) {
    voice.sayJson(verdict);
    return;
  }
  if (finding) {
    const until = finding.chain_seq - 1 > 0 ? `; all ${grouped(count)} positions before it are in order` : "";
    voice.error(`${finding.message}${finding.fault === "tail_cut_off" ? "" : until}`, HINT);
    return;
  }
  const pruned = pruned_rows > 0 ? ` (${grouped(pruned_rows)} of them pruned)` : "";
  const compared =
    checkpoints > 0 ? `, in accord with ${counted(checkpoints, "checkpoint")}` : ", no checkpoint to compare with";
  voice.say(
    `the chain is whole: ${counted(count, "row")}${pruned}, ${dollars(sum_usd)} in all, head ${head}${compared}`,
  );
}

const HINT = "keep a copy of the database as it is, and compare it with a backup or an export from before";

function sayExport(file: string, verdict: ExportVerdictView, json: true | undefined, cli: Cli): void {
  const { voice } = cli;
  const { ok, rows, sum_usd, complete, hashes_checked, finding } = verdict;
  cli.exitCode = ok ? 0 : 1;
  if (json) {
    voice.sayJson(verdict);
    return;
  }
  if (finding) {
    const row = finding.id === null ? "" : ` (${finding.id})`;
    voice.error(`${file}, line ${finding.line}${row}: ${finding.message}`, "ask for the file anew");
    return;
  }
  const what = hashes_checked ? "every hash" : "every link and sum, but no hash";
  voice.say(`${file} is in order by ${what}: ${counted(rows, "row")}, ${dollars(sum_usd)} in all`);
  if (!complete) voice.note("it is a selection of rows: nobody can see from the file what was left out");
}
