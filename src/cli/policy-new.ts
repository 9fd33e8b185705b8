import type { Command } from "commander";
import type { Config } from "../config.ts";
import { Problem } from "../core/problem.ts";
import type { TemplateView } from "../operate/control-plane.ts";
import { knownVendor } from "../operate/known-vendor.ts";
import { templateText, writeNewTemplate } from "../operate/new-template.ts";
import { endpointsNamed } from "../operate/operation-words.ts";
import { lintTemplate } from "../policy/lint.ts";
import { loadTemplate } from "../policy/load.ts";
import { POLICY_FIELDS } from "../policy/schema.ts";
import { type Template, templateName } from "../policy/template.ts";
import { type Cli, withExamples } from "./cli.ts";
import { refuseRemote, withLocalControl } from "./local.ts";
import { addPolicyFlags, type FlagValues, readPolicyFlags } from "./policy-flags.ts";
import { askForTemplate, missingAnswers, presetNamed, type TemplateAnswers } from "./policy-questions.ts";

/** `keybrake policy new`: writes a template from flags, or from answers at the terminal. */
export function addPolicyNew(policy: Command, cli: Cli): void {
  const command = policy
    .command("new")
    .description("write a new template; asks at the terminal for what no flag says")
    .argument("[name]", "the new template's name, in small letters and dashes")
    .option("--preset <template>", "begin with the fields of this template")
    .option("--operations <names>", "endpoints by the names of `keybrake vendor operations`, with commas");
  addPolicyFlags(command)
    .option("--json", "print a JSON object")
    .action(async (name: string | undefined, flags: FlagValues) => {
      refuseRemote(cli, "a new template is a file of this machine, which that server does not read");
      const written = await withLocalControl(cli, command, async (control, config) => {
        const templates = await control.listTemplates();
        const given = answersOf(name, flags);
        const answers = await complete(cli, given, templates, config);
        return write(answers, templates, config);
      });
      if (flags["json"]) {
        cli.voice.sayJson(written);
        return;
      }
      cli.voice.say(`${written.path} is written`);
      cli.voice.note(`issue a key from it: keybrake key issue --template ${written.name} --label my-run/01`);
    });
  withExamples(command, [
    "keybrake policy new",
    "keybrake policy new refunds-eu --preset refunds --daily-usd-cap 50",
    "keybrake policy new top-up --vendor stripe --operations topups.create --daily-usd-cap 100 --expires-in 1h",
  ]);
}

function answersOf(name: string | undefined, flags: FlagValues): TemplateAnswers {
  const fields = readPolicyFlags(flags);
  const expiresIn = flags["expiresIn"] as string | undefined;
  const { allowed_endpoints: routes, vendor, ...rest } = fields as Record<string, string>;
  const words = [flags["operations"] as string | undefined, routes].flatMap((text) => text?.split(",") ?? []);
  return {
    name,
    vendor,
    preset: flags["preset"] as string | undefined,
    endpoints: words.map((word) => word.trim()).filter((word) => word !== ""),
    fields: expiresIn === undefined ? rest : { ...rest, expires_in: expiresIn },
  };
}

/** Asks for what is missing, or says which flags say it. */
async function complete(
  cli: Cli,
  given: TemplateAnswers,
  templates: readonly TemplateView[],
  { vendors }: Config,
): Promise<TemplateAnswers> {
  const missing = missingAnswers(given);
  if (missing.length === 0) return given;
  if (cli.keyboard.isTerminal) return askForTemplate(cli, given, templates, vendors);
  throw new Problem(
    "usage",
    `a new template needs ${missing.join(", ")}`,
    "give them as flags, or run this at a terminal, where it asks",
  );
}

interface WrittenTemplate {
  readonly name: string;
  readonly path: string;
  readonly source: string;
}

function write(answers: TemplateAnswers, templates: readonly TemplateView[], config: Config): WrittenTemplate {
  const { name = "", preset, fields } = answers;
  if (templateName(`${name}.yaml`) === undefined) {
    throw new Problem(
      "usage",
      `${JSON.stringify(name)} names no template`,
      "use small letters and dashes, like refunds-eu",
    );
  }
  const base = preset === undefined ? undefined : presetTemplate(preset, templates);
  const ofVendor = base?.fields["vendors"] === undefined ? forOneVendor(answers, base, config) : forSeveral(answers);
  const source = templateText({
    name,
    inputs: base?.inputs ?? [],
    fields: {
      ...base?.fields,
      ...ofVendor,
      ...Object.fromEntries(Object.entries(fields).map(([field, value]) => [field, listed(field, value)])),
    },
  });
  const problem = lintTemplate(source, `${name}.yaml`, config.vendors, config.currencyRates)[0];
  if (problem) throw new Problem("invalid", `nothing was written: ${problem.message}`, "say it another way");
  return { name, path: writeNewTemplate(config.policiesDir, name, source), source };
}

function forOneVendor(
  { vendor: asked, endpoints }: TemplateAnswers,
  base: Template | undefined,
  { vendors }: Config,
): Readonly<Record<string, unknown>> {
  const vendor = knownVendor(vendors, asked ?? base?.vendors[0] ?? "");
  if (base && !base.vendors.includes(vendor.name)) {
    throw new Problem(
      "usage",
      `the template ${base.name} is for ${base.vendors.join(" and ")}, not for ${vendor.name}`,
    );
  }
  const named = endpoints.length === 0 ? {} : { allowed_endpoints: [...new Set(endpointsNamed(vendor, endpoints))] };
  return { vendor: vendor.name, ...named };
}

/** What stands under each vendor no flag says: it is the preset's. */
function forSeveral({ vendor, endpoints, preset }: TemplateAnswers): Readonly<Record<string, unknown>> {
  if (vendor === undefined && endpoints.length === 0) return {};
  throw new Problem(
    "usage",
    `the template ${preset} is for several vendors, each with endpoints of its own, which no flag can say`,
    "write it as it is, and change the file",
  );
}

function presetTemplate(name: string, templates: readonly TemplateView[]): Template {
  return loadTemplate(presetNamed(name, templates).source, `${name}.yaml`);
}

/** A flag's list as a list. */
function listed(field: string, value: unknown): unknown {
  const kind = POLICY_FIELDS.find(({ name }) => name === field)?.kind;
  return kind === "list" && typeof value === "string" ? value.split(",").map((each) => each.trim()) : value;
}
