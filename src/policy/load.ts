import { nearestName } from "../core/nearest.ts";
import { Problem } from "../core/problem.ts";
import { type Path, pathText } from "./field-values.ts";
import type { PolicyDocument } from "./policy.ts";
import { isMap } from "./rule-values.ts";
import { EVERY_INPUT, readTemplate, type Template, type TemplateInput, WHOLE_INPUT } from "./template.ts";
import { problemsText, validatePolicy } from "./validate.ts";
import { fieldOf } from "./vendor-policies.ts";

/** Values for a template's inputs, as `--set name=value` gives them; a list may also be text with commas. */
export type InputValues = Readonly<Record<string, string | readonly string[]>>;

/**
 * Reads a template from the text of its file.
 * @throws Problem `invalid` with file, line and column of the first error, and how many more there are.
 */
export function loadTemplate(text: string, fileName: string): Template {
  const { template, problems } = readTemplate(text, fileName);
  if (template) return template;
  const { line, column, message } = problems[0]!;
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : "";
  throw new Problem(
    "invalid",
    `${fileName}:${line}:${column}: ${message}${more}`,
    "`keybrake policy lint` shows every error",
  );
}

/** The inputs of a template, declared or not, in the order of their declaration and use. */
export function templateInputs(template: Template): readonly TemplateInput[] {
  return template.inputs;
}

/** Stands for a value that is left out because its input may be anything. */
const LEFT_OUT = Symbol("left out");

/**
 * Makes the policy of a template. Values are data: they are never read as YAML, as a pattern or as another input, and in
 * the midst of text they cannot add a list entry, an endpoint's segment or a wildcard.
 * @throws Problem `invalid` for a missing or unknown input, and for a value that does not fit where it goes.
 */
export function fillTemplate(template: Template, inputs: InputValues = {}): PolicyDocument {
  refuseUnknown(template, inputs);
  const values = new Map<string, string | readonly string[] | typeof LEFT_OUT>();
  for (const input of template.inputs) values.set(input.name, inputValue(template, input, inputs));
  const filled = fill(template.fields, [], values);
  const result = validatePolicy(filled);
  if (!result.ok) {
    throw new Problem(
      "invalid",
      `template ${template.name}, filled: ${problemsText(result.problems)}`,
      "mend the values given with --set",
    );
  }
  return result.policy;
}

type Values = ReadonlyMap<string, string | readonly string[] | typeof LEFT_OUT>;

function refuseUnknown(template: Template, inputs: InputValues): void {
  const known = template.inputs.map(({ name }) => name);
  for (const name of Object.keys(inputs)) {
    if (known.includes(name)) continue;
    const nearest = nearestName(name, known);
    const meant = nearest
      ? `did you mean ${nearest}?`
      : known.length > 0
        ? `its inputs are ${known.join(", ")}`
        : "it has none";
    throw new Problem("invalid", `template ${template.name} has no input ${JSON.stringify(name)}; ${meant}`);
  }
}

function inputValue(template: Template, input: TemplateInput, inputs: InputValues) {
  const given = Object.hasOwn(inputs, input.name) ? inputs[input.name] : undefined;
  if (given !== undefined) {
    const entries = typeof given === "string" ? [given] : given;
    if (entries.length === 0 || entries.some((entry) => typeof entry !== "string" || entry.trim() === "")) {
      throw new Problem(
        "invalid",
        `the input ${input.name} of template ${template.name} is empty`,
        `give it a value: --set ${input.name}=…`,
      );
    }
    return given;
  }
  if (input.default.kind === "any") return LEFT_OUT;
  if (input.default.kind === "value") return input.default.value;
  const what = input.description ? ` (${input.description})` : "";
  throw new Problem(
    "invalid",
    `template ${template.name} needs the input ${input.name}${what}`,
    `give it with --set ${input.name}=…`,
  );
}

/** `value` with its inputs filled; a map or list in which everything was left out is left out too. */
function fill(value: unknown, path: Path, values: Values): unknown {
  if (typeof value === "string") return fillText(value, path, values);
  if (Array.isArray(value)) {
    const filled = value.flatMap((entry, index) => fillEntry(entry, [...path, index], values));
    return filled.length === 0 && value.length > 0 ? LEFT_OUT : filled;
  }
  if (!isMap(value)) return value;
  const entries = Object.entries(value)
    .map(([key, entry]) => [key, fill(entry, [...path, key], values)] as const)
    .filter(([, entry]) => entry !== LEFT_OUT);
  // A vendor of which every rule was left out is still one of the key's.
  const isWhole = path.length === 0 || (path[0] === "vendors" && path.length === 2);
  const emptied = entries.length === 0 && Object.keys(value).length > 0 && !isWhole;
  return emptied ? LEFT_OUT : Object.fromEntries(entries);
}

/** An entry of a list: one that is an input as a whole may become several. */
function fillEntry(entry: unknown, path: Path, values: Values): readonly unknown[] {
  const filled = fill(entry, path, values);
  if (filled === LEFT_OUT) return [];
  const whole = typeof entry === "string" && WHOLE_INPUT.test(entry);
  if (!whole) return [filled];
  return typeof filled === "string" ? filled.split(",").map((part) => part.trim()) : (filled as readonly string[]);
}

function fillText(text: string, path: Path, values: Values): unknown {
  const whole = WHOLE_INPUT.exec(text);
  if (whole) return values.get(whole[1]!) ?? text;
  let leftOut = false;
  const filled = text.replace(EVERY_INPUT, (match, name: string) => {
    const value = values.get(name) ?? match;
    if (value === LEFT_OUT) leftOut = true;
    return typeof value === "symbol" ? "" : withinText(name, value, path);
  });
  return leftOut ? LEFT_OUT : filled;
}

/** A value in the midst of text: one value, and without what has a meaning of its own there. */
function withinText(name: string, value: string | readonly string[], path: Path): string {
  const at = pathText(path);
  if (typeof value !== "string") {
    throw new Problem(
      "invalid",
      `the input ${name} is a list, and ${at} takes one value of it`,
      `give one: --set ${name}=…`,
    );
  }
  const field = fieldOf(path);
  if (field === "description") return value;
  if (path.at(-1) === "matches") return escapePattern(value);
  const isEndpoint = field === "allowed_endpoints" || field === "denied_endpoints";
  // `*` or `/` in an endpoint, or a comma in a list, would make the rule another one than the template's author wrote.
  const refused = isEndpoint ? /[^A-Za-z0-9._~-]/ : /[,\p{Cc}]/u;
  if (refused.test(value)) {
    const allowed = isEndpoint ? "letters, digits and . _ ~ -" : "one value without commas";
    throw new Problem(
      "invalid",
      `the input ${name} may be ${allowed} in ${at}, not ${JSON.stringify(value.slice(0, 60))}`,
    );
  }
  return value;
}

function escapePattern(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
