import { type Command, Option } from "commander";
import { Problem } from "../core/problem.ts";
import { parseDuration } from "../core/window.ts";
import type { PruneAuditView } from "../operate/audit-chain-verbs.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { countUpTo } from "./policy-flags.ts";
import { Progress } from "./progress.ts";
import { counted, shortTime } from "./wording.ts";

const DAY_MS = 86_400_000;
const DAYS_MAX = 36_500;

interface PruneFlags {
  readonly olderThan?: string;
  readonly keepDays?: number;
  readonly dryRun?: true;
  readonly yes?: true;
  readonly json?: true;
}

/** `keybrake audit prune`: retention by hand. */
export function addAuditPruneCommand(audit: Command, cli: Cli): void {
  const command = audit
    .command("prune")
    .description("remove old audit rows; their sums and the ends of their chain are kept")
    .option("--older-than <duration>", "calls that ended longer ago than this, such as 400d")
    .addOption(
      new Option("--keep-days <n>", "keep so many days (default: retention_days of keybrake.yaml)")
        .argParser(countUpTo(DAYS_MAX))
        .conflicts("olderThan"),
    )
    .option("--dry-run", "only say what would be removed")
    .option("--yes", "do it; rows that are removed are gone")
    .option("--json", "print a JSON object")
    .action(async () => {
      // `audit` itself has a --json, which takes the flag wherever it stands.
      const flags = command.optsWithGlobals<PruneFlags>();
      if (!flags.dryRun && !flags.yes) {
        throw new Problem("usage", "rows that are removed are gone for good", "look with --dry-run, then say --yes");
      }
      const progress = new Progress(cli.voice, "rows removed");
      const view = await withControl(cli, command, async (control) =>
        control.pruneAudit({
          olderThanMs: await ageOf(flags, control),
          dryRun: flags.dryRun ?? false,
          onProgress: (removed) => progress.show(removed),
        }),
      ).finally(() => progress.end());
      if (flags.json) cli.voice.sayJson(view);
      else cli.voice.say(pruneText(view));
    });
  withExamples(command, [
    "keybrake audit prune --older-than 400d --dry-run",
    "keybrake audit export --until 400d --output old.ndjson",
    "keybrake audit prune --older-than 400d --yes",
  ]);
}

async function ageOf({ olderThan, keepDays }: PruneFlags, control: ControlPlane): Promise<number> {
  if (olderThan === undefined) {
    const days = keepDays ?? (await control.about()).retention_days;
    if (days !== null) return days * DAY_MS;
    throw new Problem(
      "usage",
      "nothing says which rows are old",
      "--older-than 400d, --keep-days 400, or retention_days",
    );
  }
  try {
    return parseDuration(olderThan);
  } catch (cause) {
    throw new Problem("usage", `--older-than: ${(cause as RangeError).message}`);
  }
}

function pruneText({ rows, kept_unresolved, before, dry_run }: PruneAuditView): string {
  const done = dry_run ? "would be removed" : "removed";
  const kept = kept_unresolved === 0 ? "" : `; ${counted(kept_unresolved, "unresolved call")} of then kept`;
  return `${counted(rows, "row")} from before ${shortTime(before)} ${done}${kept}`;
}
