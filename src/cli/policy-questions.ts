import { Problem } from "../core/problem.ts";
import type { TemplateView } from "../operate/control-plane.ts";
import { knownVendor } from "../operate/known-vendor.ts";
import { endpointsNamed } from "../operate/operation-words.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { askLine } from "./ask.ts";
import type { Cli } from "./cli.ts";

/** What is known of a template that is to be written: from flags, then from answers. */
export interface TemplateAnswers {
  readonly name: string | undefined;
  readonly vendor: string | undefined;
  /** The template whose fields it begins with. */
  readonly preset: string | undefined;
  /** Operations by name, or routes; those of the preset where there are none. */
  readonly endpoints: readonly string[];
  /** Policy fields by their names, as text. */
  readonly fields: Readonly<Record<string, unknown>>;
}

const CAPS = ["daily_usd_cap", "total_usd_cap", "daily_cap", "total_cap"];
const EXPIRES_IN_USUAL = "2h";

/** What is still to be said, in the words of the flags that say it. */
export function missingAnswers({ name, vendor, preset, endpoints, fields }: TemplateAnswers): readonly string[] {
  const missing = [
    [name === undefined, "a name"],
    [preset === undefined && vendor === undefined, "--preset or --vendor"],
    [preset === undefined && endpoints.length === 0, "--operations or --allowed-endpoints"],
    [preset === undefined && !CAPS.some((cap) => cap in fields), "a cap (--daily-usd-cap)"],
    [preset === undefined && !("expires_in" in fields), "--expires-in"],
  ] as const;
  return missing.filter(([isMissing]) => isMissing).map(([, words]) => words);
}

/**
 * Asks at the terminal for all that `given` does not say. An answer that names nothing is told at once, not after the
 * last question.
 * @throws Problem as `knownVendor` and `endpointsNamed` do.
 */
export async function askForTemplate(
  cli: Cli,
  given: TemplateAnswers,
  templates: readonly TemplateView[],
  vendors: readonly Vendor[],
): Promise<TemplateAnswers> {
  const name = given.name ?? (await askLine(cli, "Name of the template, like refunds-eu"));
  const presetOf = templates.find((each) => each.name === given.preset);
  if (presetOf?.vendor === null) return { ...given, name };
  const presetVendor = presetOf?.vendor;
  const names = vendors.map((each) => each.name).join(", ");
  const asked = given.vendor ?? presetVendor ?? (await askLine(cli, `Vendor (${names})`, "stripe"));
  const vendor = knownVendor(vendors, asked);
  const preset = given.preset ?? (await askPreset(cli, vendor, templates));
  const endpoints = given.endpoints.length > 0 ? given.endpoints : await askEndpoints(cli, vendor, preset);
  const fields = { ...given.fields };
  const keep = preset === undefined ? "" : ` (Enter keeps what ${preset} has)`;
  const ask = async (field: string, question: string, otherwise = "") => {
    if (field in fields) return;
    const answer = await askLine(cli, `${question}${keep}`, preset === undefined ? otherwise : "");
    if (answer !== "") fields[field] = answer;
  };
  await ask("daily_usd_cap", "Dollars that may be spent in a UTC day");
  await ask("max_amount_per_call_usd", "Dollars that one call may cost at most");
  await ask("expires_in", "How long a key lives", EXPIRES_IN_USUAL);
  return { name, vendor: vendor.name, preset, endpoints, fields };
}

async function askPreset(cli: Cli, { name }: Vendor, templates: readonly TemplateView[]): Promise<string | undefined> {
  const jobs = templates.filter(({ vendor }) => vendor === name);
  if (jobs.length === 0) return undefined;
  for (const job of jobs) cli.voice.noteRaw(`  ${job.name}: ${job.description}\n`);
  const answer = await askLine(cli, "Job to begin with (Enter for none)");
  return answer === "" ? undefined : presetNamed(answer, jobs).name;
}

/** @throws Problem `not_found` where there is no such template. */
export function presetNamed(name: string, templates: readonly TemplateView[]): TemplateView {
  const view = templates.find((each) => each.name === name);
  if (view) return view;
  const names = templates.map((each) => each.name).join(", ");
  throw new Problem("not_found", `there is no template ${JSON.stringify(name)} to begin with`, `there are ${names}`);
}

async function askEndpoints(cli: Cli, vendor: Vendor, preset: string | undefined): Promise<readonly string[]> {
  const some = [...new Set(vendor.operations.filter(({ class: kind }) => kind === "priced").map(({ name }) => name))];
  cli.voice.noteRaw(
    `  such as ${some.slice(0, 6).join(", ")}; all: keybrake vendor operations ${vendor.name} --json\n`,
  );
  const keep = preset === undefined ? "" : ` (Enter keeps those of ${preset})`;
  const answer = await askLine(cli, `Operations or routes that may be called, with commas${keep}`);
  const words = answer.split(",").map((word) => word.trim());
  const endpoints = words.filter((word) => word !== "");
  endpointsNamed(vendor, endpoints);
  return endpoints;
}
