import { existsSync, readFileSync } from "node:fs";
import type { Command } from "commander";
import { configPath } from "../config.ts";
import { Problem } from "../core/problem.ts";
import { type DeclarationProblem, readDeclarations } from "../vendors/declared/read.ts";
import { VENDORS } from "../vendors/index.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { noteLocal } from "./local.ts";
import { counted } from "./wording.ts";

interface FileProblem extends DeclarationProblem {
  /** As the file was named. */
  readonly path: string;
}

/** `keybrake vendor lint`: what is wrong with vendors that a file declares. No data directory is opened. */
export function addVendorLint(vendor: Command, cli: Cli): void {
  const command = vendor
    .command("lint")
    .description(
      "show everything that is wrong with declared vendors, as file:line:col; ends with 1 where there is an error",
    )
    .argument("[files...]", "YAML files with vendors (default: keybrake.yaml)")
    .option("--json", "print a JSON array")
    .action((files: readonly string[], { json }: { json?: true }) => {
      const paths = files.length > 0 ? files : [ownConfig(configPath(globalFlags(command), cli.environment))];
      if (files.length === 0) noteLocal(cli, "keybrake.yaml is that");
      const read = paths.map((path) => ({ path, ...readDeclarations(textOf(path), VENDORS) }));
      const problems = read.flatMap(({ path, problems }) =>
        problems.map((problem): FileProblem => ({ ...problem, path })),
      );
      const errors = problems.filter(({ severity }) => severity === "error").length;
      cli.exitCode = errors > 0 ? 1 : 0;
      if (json) {
        cli.voice.sayJson(problems);
        return;
      }
      for (const problem of problems) cli.voice.say(problemText(problem, cli));
      if (problems.length === 0) {
        for (const { path, vendors } of read) {
          if (vendors.length === 0) cli.voice.note(`${path} declares no vendor: it has nothing under vendors`);
        }
      }
      const sound = read.flatMap(({ vendors }) => vendors);
      if (sound.length + problems.length === 0) return;
      const names = sound.length > 0 ? ` (${sound.map(({ name }) => name).join(", ")})` : "";
      cli.voice.note(
        `${counted(sound.length, "sound vendor")}${names}, ${counted(errors, "error")}, ${counted(problems.length - errors, "warning")}`,
      );
    });
  withExamples(command, ["keybrake vendor lint", "keybrake vendor lint acme.yaml --json"]);
}

function ownConfig(path: string): string {
  if (existsSync(path)) return path;
  throw new Problem(
    "not_found",
    `there is no ${path}, so that no vendor is declared`,
    "name a file to look at another one",
  );
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new Problem("not_found", `cannot read ${path} (${code})`, "lint takes the paths of YAML files");
  }
}

function problemText({ path, line, column, severity, message }: FileProblem, { voice }: Cli): string {
  const what = severity === "error" ? voice.paint("error", "red") : voice.paint("warning", "yellow");
  return `${path}:${line}:${column}: ${what}: ${message}`;
}
