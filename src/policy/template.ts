import { nearestName } from "../core/nearest.ts";
import { INPUT_NAME, type Position, readYaml, type YamlData } from "../core/yaml-data.ts";
import { CAPPED_KINDS } from "../vendors/vendor.ts";
import type { Path } from "./field-values.ts";
import { pathText, readText, shown } from "./field-values.ts";
import { isMap } from "./rule-values.ts";
import { POLICY_FIELD_NAMES, VENDOR_FIELD_NAMES } from "./schema.ts";
import { validatePolicy } from "./validate.ts";
import { KIND_CAP_NAMES, RULE_NAMES } from "./value-schemas.ts";
import { vendorsOf } from "./vendor-policies.ts";

/** What stands for an input that was not given: nothing (it must be given), any value at all, or these. */
export type InputDefault =
  | { readonly kind: "required" }
  /** The rule that holds the input is left out. */
  | { readonly kind: "any" }
  | { readonly kind: "value"; readonly value: string | readonly string[] };

/** A value of a template that is filled when a key is issued: `--set customers=cus_1,cus_2`. */
export interface TemplateInput {
  readonly name: string;
  readonly description: string | undefined;
  readonly default: InputDefault;
}

/** A template that was read and found sound; `fillTemplate` makes a policy of it. */
export interface Template {
  /** The file's name without `.yaml`. */
  readonly name: string;
  readonly description: string | undefined;
  /** In the order of the file; one, where it names a `vendor`. */
  readonly vendors: readonly string[];
  readonly inputs: readonly TemplateInput[];
  /** The policy's fields with `${name}` where inputs go. */
  readonly fields: Readonly<Record<string, unknown>>;
  /** The file as it was written, comments included. */
  readonly text: string;
}

export interface TemplateProblem extends Position {
  readonly message: string;
  readonly nearest?: string;
}

export interface TemplateReading {
  /** Undefined where there is a problem. */
  readonly template: Template | undefined;
  readonly problems: readonly TemplateProblem[];
  /** The fields even where some are wrong, for further checks; undefined where the file is no YAML map. */
  readonly fields: Readonly<Record<string, unknown>> | undefined;
  /** Inputs that are declared and stand nowhere. */
  readonly unusedInputs: readonly string[];
  readonly positionOf: YamlData["positionOf"];
}

const TEMPLATE_FILE = /^([a-z0-9]+(?:-[a-z0-9]+)*)\.yaml$/;
/** The input at the whole of a value, or the inputs within it. */
export const WHOLE_INPUT = /^\$\{([A-Za-z_][A-Za-z0-9_-]*)\}$/;
export const EVERY_INPUT = /\$\{([A-Za-z_][A-Za-z0-9_-]*)\}/g;

/** The template's name for a file's, or undefined: kebab-case, `.yaml`, and not `budgets.yaml`, which holds no template. */
export function templateName(fileName: string): string | undefined {
  const name = TEMPLATE_FILE.exec(fileName)?.[1];
  return name === "budgets" ? undefined : name;
}

/** Reads a template and finds everything that is wrong with it, each with its line and column. */
export function readTemplate(text: string, fileName: string): TemplateReading {
  const yaml = readYaml(text);
  const problems: TemplateProblem[] = [...yaml.problems];
  const report = (path: Path, message: string, nearest?: string, what: "key" | "value" = "value") => {
    const position = yaml.positionOf(path, what);
    problems.push(nearest === undefined ? { ...position, message } : { ...position, message, nearest });
  };
  const name = templateName(fileName);
  if (name === undefined) {
    report(
      [],
      `the file name ${shown(fileName)} names no template; use small letters and dashes, like refunds-eu.yaml`,
    );
  }
  if (yaml.problems.length > 0 || !isMap(yaml.data)) {
    if (yaml.problems.length === 0)
      report([], `a template is a map of fields like vendor and daily_usd_cap, not ${shown(yaml.data)}`);
    return { template: undefined, problems, fields: undefined, unusedInputs: [], positionOf: yaml.positionOf };
  }
  const { inputs: declaredData, ...fields } = yaml.data;
  const declared = readInputs(declaredData, report);
  const used = usedInputs(fields, report);
  checkFields(fields, report);
  const inputs = new Map(declared.map((input) => [input.name, input]));
  for (const input of used) {
    if (!inputs.has(input)) inputs.set(input, { name: input, description: undefined, default: { kind: "required" } });
  }
  const unusedInputs = declared.map((input) => input.name).filter((input) => !used.has(input));
  const description = typeof fields["description"] === "string" ? fields["description"] : undefined;
  const template =
    problems.length === 0 && name !== undefined
      ? { name, description, vendors: vendorsOf(fields), inputs: [...inputs.values()], fields, text }
      : undefined;
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { template, problems, fields, unusedInputs, positionOf: yaml.positionOf };
}

type ReportAt = (path: Path, message: string, nearest?: string, what?: "key" | "value") => void;

/** Checks the fields as a policy; what an input will fill is checked when it is filled. */
function checkFields(fields: Record<string, unknown>, report: ReportAt): void {
  const result = validatePolicy(fields);
  if (result.ok) return;
  for (const { path, message, nearest } of result.problems) {
    const value = valueAt(fields, path);
    if (typeof value === "string" && value.match(EVERY_INPUT) && path[0] !== "vendor") continue;
    report(path, message, nearest, isUnknownName(path) ? "key" : "value");
  }
}

/** Whether a problem at `path` is the key itself: a field or a rule that there is not. */
function isUnknownName(path: Path): boolean {
  const known = namesAt(path.map(String));
  return known !== undefined && !known.includes(String(path.at(-1)));
}

/** The names that there are at `path`; undefined where it is no name. */
function namesAt(path: readonly string[]): readonly string[] | undefined {
  if (path[0] !== "vendors" || path.length === 1) return namesWithin(path, POLICY_FIELD_NAMES);
  return path.length === 2 ? undefined : namesWithin(path.slice(2), VENDOR_FIELD_NAMES);
}

function namesWithin(
  [field, ...within]: readonly string[],
  fields: ReadonlySet<string>,
): readonly string[] | undefined {
  if (within.length === 0) return [...fields];
  if (field === "caps") return [CAPPED_KINDS, KIND_CAP_NAMES][within.length - 1];
  if (field === "daily_cap" || field === "total_cap") return ["amount", "currency"];
  if (field === "on_unknown_cost") return ["reserve_usd"];
  return field === "parameters" && within.length === 2 ? RULE_NAMES : undefined;
}

function valueAt(root: unknown, path: Path): unknown {
  return path.reduce<unknown>((value, part) => (value as Record<string | number, unknown> | undefined)?.[part], root);
}

function readInputs(data: unknown, report: ReportAt): TemplateInput[] {
  if (data === undefined) return [];
  if (!isMap(data)) {
    report(["inputs"], `inputs must be a map like { customers: { description: …, default: any } }, not ${shown(data)}`);
    return [];
  }
  const inputs: TemplateInput[] = [];
  for (const [name, value] of Object.entries(data)) {
    const path = ["inputs", name];
    if (!INPUT_NAME.test(name)) report(path, `${shown(name)} is no name for an input; use letters, digits, - and _`);
    const declaration = value ?? {};
    if (!isMap(declaration)) {
      report(path, `${pathText(path)} must be a map with description and default, not ${shown(value)}`);
      continue;
    }
    for (const key of Object.keys(declaration)) {
      if (key === "description" || key === "default") continue;
      const nearest = nearestName(key, ["description", "default"]);
      report(
        [...path, key],
        `${pathText(path)} has ${shown(key)}; an input has description and default`,
        nearest,
        "key",
      );
    }
    const description = declaration["description"];
    const said = description === undefined ? undefined : readText(description, [...path, "description"], report);
    inputs.push({ name, description: said, default: readDefault(declaration, path, report) });
  }
  return inputs;
}

function readDefault(declaration: Record<string, unknown>, path: Path, report: ReportAt): InputDefault {
  const value = declaration["default"];
  if (value === undefined) return { kind: "required" };
  if (value === "any") return { kind: "any" };
  if (typeof value === "string" && value !== "") return { kind: "value", value };
  if (Array.isArray(value) && value.length > 0 && value.every((entry) => typeof entry === "string" && entry !== "")) {
    return { kind: "value", value };
  }
  report(
    [...path, "default"],
    `${pathText([...path, "default"])} must be any, text or a list of text, not ${shown(value)}`,
  );
  return { kind: "required" };
}

/** The names of all inputs in values; reports what looks like one and is none. */
function usedInputs(fields: Record<string, unknown>, report: ReportAt): Set<string> {
  const used = new Set<string>();
  const visit = (value: unknown, path: Path): void => {
    if (typeof value === "string") {
      for (const [, name] of value.matchAll(EVERY_INPUT)) used.add(name!);
      const rest = value.replace(EVERY_INPUT, "");
      if (rest.includes("${")) {
        report(path, `${shown(value)} has a \${…} that names no input; write \${name}, and its default under inputs`);
      } else if (path[0] === "vendor" && rest !== value) {
        report(path, "vendor cannot be an input; write one template per vendor");
      }
    } else if (Array.isArray(value)) {
      for (const [index, entry] of value.entries()) visit(entry, [...path, index]);
    } else if (isMap(value)) {
      for (const [key, entry] of Object.entries(value)) visit(entry, [...path, key]);
    }
  };
  visit(fields, []);
  return used;
}
