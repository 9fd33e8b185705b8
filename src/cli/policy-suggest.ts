import { writeFileSync } from "node:fs";
import { basename } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { Problem } from "../core/problem.ts";
import { templateName } from "../policy/template.ts";
import { errorCode, fileProblem } from "../vault/private-file.ts";
import { type Cli, withExamples } from "./cli.ts";
import { withControl } from "./local.ts";
import { given } from "./policy-flags.ts";
import { Progress } from "./progress.ts";
import { counted } from "./wording.ts";

interface SuggestFlags {
  readonly run: string;
  readonly vendor?: string;
  readonly margin: number;
  readonly out?: string;
  readonly json?: true;
}

const MARGIN_PERCENT_MAX = 1_000;

/** `keybrake policy suggest`: a template made of what a run did. */
export function addSuggestCommand(policy: Command, cli: Cli): void {
  const command = policy
    .command("suggest")
    .description("write the tightest template that would have allowed what a recorded run did")
    .requiredOption("--run <label>", "the run's label")
    .option("--vendor <name>", "only of the calls to this vendor, where the run called several")
    .option("--margin <percent>", "room on top of the amounts that were used, like 20%", readPercent, 20)
    .option("--out <file>", "write to a new file, like policies/ray-billing.yaml, in place of stdout")
    .option("--json", "print a JSON object with the template as its source")
    .action(async ({ run, vendor, margin, out, json }: SuggestFlags) => {
      if (out !== undefined) checkName(out);
      const progress = new Progress(cli.voice, "rows read");
      const request = { run, margin_percent: margin, ...given("vendor", vendor) };
      const view = await withControl(cli, command, (control) =>
        control.suggestPolicy({ ...request, onProgress: (rows) => progress.show(rows) }),
      ).finally(() => progress.end());
      if (out !== undefined) {
        writeNew(out, view.source);
        cli.voice.note(`wrote ${out}, made of ${counted(view.calls, "call")}`);
        cli.voice.note(`try it on more history: keybrake policy replay --template ${out} --since 30d`);
      }
      if (json) cli.voice.sayJson(view);
      else if (out === undefined) cli.voice.sayRaw(view.source);
    });
  withExamples(command, [
    "keybrake policy suggest --run ray-billing/01",
    "keybrake policy suggest --run ray-billing/01 --margin 50% --out policies/ray-billing.yaml",
  ]);
}

function readPercent(text: string): number {
  const [, digits] = /^([0-9]{1,4})%?$/.exec(text) ?? [];
  if (digits !== undefined && Number(digits) <= MARGIN_PERCENT_MAX) return Number(digits);
  throw new InvalidArgumentError(`It must be whole per cent from 0% to ${MARGIN_PERCENT_MAX}%.`);
}

/** A file of another name would be written and never used. */
function checkName(path: string): void {
  if (templateName(basename(path)) !== undefined) return;
  throw new Problem(
    "usage",
    `${basename(path)} is no name for a template's file`,
    "small letters, digits and dashes, ending in .yaml, like ray-billing.yaml",
  );
}

function writeNew(path: string, text: string): void {
  try {
    writeFileSync(path, text, { flag: "wx" });
  } catch (cause) {
    if (errorCode(cause) !== "EEXIST") throw fileProblem("cannot write the template", path, cause);
    throw new Problem("conflict", `${path} exists already`, "name another file, or remove it first");
  }
}
