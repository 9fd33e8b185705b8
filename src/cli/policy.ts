import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { type Command, Option } from "commander";
import { readConfig } from "../config.ts";
import type { CurrencyRates } from "../core/currency.ts";
import { Problem } from "../core/problem.ts";
import type { TemplateView } from "../operate/control-plane.ts";
import { BUDGETS_FILE_NAME } from "../policy/budget-file.ts";
import { lintBudgets } from "../policy/budget-lint.ts";
import { type LintProblem, lintTemplate } from "../policy/lint.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { type Cli, globalFlags, withExamples } from "./cli.ts";
import { explainRequest, explainText } from "./explain-text.ts";
import { noteLocal, withControl } from "./local.ts";
import { collect, collectPair } from "./policy-flags.ts";
import { addPolicyNew } from "./policy-new.ts";
import { addReplayCommand } from "./policy-replay.ts";
import { addSuggestCommand } from "./policy-suggest.ts";
import type { Column } from "./table.ts";
import { counted } from "./wording.ts";

/** `keybrake policy …`: the templates. */
export function addPolicyCommands(program: Command, cli: Cli): void {
  const policy = program
    .command("policy")
    .description("list, show, write and check templates; ask what a policy would decide, or would have decided");
  withExamples(policy, [
    "keybrake policy lint",
    'keybrake policy explain --template billing "POST /v1/payment_intents" -d amount=2999 -d currency=usd',
  ]);
  addList(policy, cli);
  addShow(policy, cli);
  addPolicyNew(policy, cli);
  addLint(policy, cli);
  addExplain(policy, cli);
  addReplayCommand(policy, cli);
  addSuggestCommand(policy, cli);
}

const COLUMNS: readonly Column<TemplateView>[] = [
  { header: "template", text: ({ name }) => name },
  { header: "vendor", text: ({ vendors }) => vendors.join(", ") },
  { header: "inputs", text: ({ inputs }) => inputs.map(inputText).join(" ") || "-", widthMin: 8 },
  { header: "description", text: ({ description }) => description, widthMin: 16 },
];

/** `[customers]` may be left out, `customers` may not. */
function inputText({ name, required }: TemplateView["inputs"][number]): string {
  return required ? name : `[${name}]`;
}

function addList(policy: Command, cli: Cli): void {
  const command = policy
    .command("list")
    .description("list the templates that keys can be issued from")
    .option("--json", "print a JSON array")
    .action(async ({ json }: { json?: true }) => {
      const templates = await withControl(cli, command, async (control) => {
        cli.voice.note(`templates from ${(await control.about()).policies_dir}`);
        return control.listTemplates();
      });
      if (json) cli.voice.sayJson(templates);
      else cli.voice.sayTable(COLUMNS, templates, "there are no templates");
    });
  withExamples(command, ["keybrake policy list"]);
}

function addShow(policy: Command, cli: Cli): void {
  const command = policy
    .command("show")
    .description("print a template as it is written")
    .argument("<name>", "the template's name")
    .option("--json", "print a JSON object")
    .action(async (name: string, { json }: { json?: true }) => {
      const template = await withControl(cli, command, (control) => control.showTemplate(name));
      if (json) cli.voice.sayJson(template);
      else cli.voice.say(template.source.replace(/\n$/, ""));
    });
  withExamples(command, ["keybrake policy show billing > policies/billing-eu.yaml"]);
}

/** A problem with the path by which its file was named. */
interface FileProblem extends LintProblem {
  readonly path: string;
}

function addLint(policy: Command, cli: Cli): void {
  const command = policy
    .command("lint")
    .description(
      "show everything that is wrong with templates and budgets.yaml, as file:line:col; ends with 1 where there is an error",
    )
    .argument("[files...]", "the files (default: every one in the policies directory)")
    .option("--json", "print a JSON array")
    .action((files: readonly string[], { json }: { json?: true }) => {
      const { policiesDir, currencyRates, vendors } = readConfig(globalFlags(command), cli.environment);
      if (files.length === 0) noteLocal(cli, "templates are those");
      const paths = files.length > 0 ? files : templateFiles(policiesDir);
      const problems = paths.flatMap((path) => lintFile(path, vendors, currencyRates));
      const errors = problems.filter(({ severity }) => severity === "error").length;
      cli.exitCode = errors > 0 ? 1 : 0;
      if (json) return cli.voice.sayJson(problems);
      for (const problem of problems) cli.voice.say(problemText(problem, cli));
      cli.voice.note(
        `${counted(paths.length, "file")}: ${counted(errors, "error")}, ${counted(problems.length - errors, "warning")}`,
      );
    });
  withExamples(command, ["keybrake policy lint", "keybrake policy lint policies/billing.yaml --json"]);
}

/** Files that end in .yml or are misnamed are looked at too: lint says that they are not used. */
function templateFiles(directory: string): string[] {
  if (!existsSync(directory)) {
    throw new Problem(
      "not_found",
      `there is no directory ${directory}`,
      "name files, or the directory with --policies",
    );
  }
  return readdirSync(directory)
    .filter((name) => /\.ya?ml$/i.test(name))
    .sort()
    .map((name) => join(directory, name));
}

function lintFile(path: string, vendors: readonly Vendor[], rates: CurrencyRates): FileProblem[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? (cause as Error).message;
    throw new Problem("not_found", `cannot read ${path} (${code})`, "lint takes the paths of template files");
  }
  const lint = basename(path) === BUDGETS_FILE_NAME ? lintBudgets : lintTemplate;
  return lint(text, basename(path), vendors, rates).map((problem) => ({ ...problem, path }));
}

function problemText({ path, line, column, severity, message }: FileProblem, { voice }: Cli): string {
  const what = severity === "error" ? voice.paint("error", "red") : voice.paint("warning", "yellow");
  return `${path}:${line}:${column}: ${what}: ${message}`;
}

interface ExplainFlags {
  readonly template?: string;
  readonly set?: Readonly<Record<string, string>>;
  readonly key?: string;
  readonly label?: string;
  readonly body?: readonly string[];
  readonly check?: true;
  readonly json?: true;
}

function addExplain(policy: Command, cli: Cli): void {
  const command = policy
    .command("explain")
    .description("say what the proxy would do with a call, and which rule decides; nothing is sent")
    .argument("<call>", 'the call, like "POST /v1/charges"')
    .option("--template <name>", "by this template")
    .option("--set <name=value>", "fill an input of the template; repeatable", collectPair)
    .addOption(
      new Option("--key <id>", "by the policy of this key, and what is left of its caps").conflicts("template"),
    )
    .addOption(
      new Option("--label <text>", "for a key with this run label, which budgets above keys go by").conflicts("key"),
    )
    .option("-d, --body <name=value>", "a parameter of the call, or its JSON body; repeatable", collect)
    .option("--check", "end with 1 where the call would be refused")
    .option("--json", "print a JSON object")
    .action(async (call: string, flags: ExplainFlags) => {
      const request = explainRequest(call, flags);
      await withControl(cli, command, async (control) => {
        const view = await control.explain(request);
        if (flags.check && view.verdict !== "allowed") cli.exitCode = 1;
        if (flags.json) cli.voice.sayJson(view);
        else cli.voice.say(explainText(view, (await control.about()).policies_dir));
      });
    });
  withExamples(command, [
    'keybrake policy explain --template billing "POST /v1/payment_intents" -d amount=2999 -d currency=usd',
    'keybrake policy explain --template tenant-billing --label tenant:acme:billing:7 --set customers=cus_1 "POST /v1/payment_intents" -d amount=2999',
    'keybrake policy explain --key vk_01j… "GET /v1/customers/cus_1" --check',
  ]).addHelpText("after", "\nThe exit code is 0 whatever the answer is, unless --check is given.");
}
