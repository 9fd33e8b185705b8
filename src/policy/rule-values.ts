import { nearestName } from "../core/nearest.ts";
import { ANY_TEXT, type Path, pathText, type Report, readList, shown } from "./field-values.ts";
import { patternProblem } from "./pattern-cost.ts";
import { RULE_NAMES } from "./value-schemas.ts";

/** One parameter's rule in its canonical form, as it is stored with the key. */
export interface RuleDocument {
  readonly in?: readonly string[];
  readonly not_in?: readonly string[];
  /** Whole numbers as decimal text, so that none is rounded. */
  readonly min?: string;
  readonly max?: string;
  readonly matches?: string;
  readonly prefix_in?: readonly string[];
  readonly required?: true;
  readonly forbidden?: true;
}

/** `amount`, `metadata[order_id]`, `line_items[0][price]`, `to[]` is not one: a rule on `to` covers its entries. */
const PARAMETER_NAME = /^[A-Za-z0-9_.:@$-]+(?:\[[A-Za-z0-9_.:@$-]+\])*$/;
const PARAMETER_NAME_CHARACTERS_MAX = 200;
const RULES_MAX = 200;

/** `parameters`: a map from the vendor's own spelling of a parameter to its rule. */
export function readRules(value: unknown, path: Path, report: Report): Record<string, RuleDocument> | undefined {
  if (!isMap(value)) {
    report(path, `${pathText(path)} must be a map like { currency: { in: [usd] } }, not ${shown(value)}`);
    return undefined;
  }
  const names = Object.keys(value);
  if (names.length > RULES_MAX) {
    report(path, `${pathText(path)} has rules for ${names.length} parameters; a policy has at most ${RULES_MAX}`);
    return undefined;
  }
  const rules: [string, RuleDocument][] = [];
  for (const name of names) {
    const at = [...path, name];
    if (name.length > PARAMETER_NAME_CHARACTERS_MAX || !PARAMETER_NAME.test(name) || name === "__proto__") {
      report(at, `${pathText(path)} has the name ${shown(name)}; write it as the vendor does, like metadata[order_id]`);
      continue;
    }
    const rule = readRule(value[name], at, report);
    if (rule) rules.push([name, rule]);
  }
  return Object.fromEntries(rules);
}

function readRule(value: unknown, path: Path, report: Report): RuleDocument | undefined {
  if (!isMap(value)) {
    report(path, `${pathText(path)} must be a rule like { in: [usd] }, not ${shown(value)}`);
    return undefined;
  }
  const entries: [string, unknown][] = [];
  for (const [name, given] of Object.entries(value)) {
    if (given === undefined) continue;
    const read = RULE_READERS[name as keyof RuleDocument];
    if (!read || !RULE_NAMES.includes(name)) {
      reportUnknownRule(name, path, report);
      continue;
    }
    const result = read(given, [...path, name], report);
    if (result !== undefined) entries.push([name, result]);
  }
  const rule = Object.fromEntries(entries) as RuleDocument;
  if (rule.min !== undefined && rule.max !== undefined && BigInt(rule.min) > BigInt(rule.max)) {
    report(path, `${pathText(path)} has min ${rule.min} over max ${rule.max}, so that no value fits`);
  }
  if (rule.required && rule.forbidden) report(path, `${pathText(path)} is both required and forbidden; keep one`);
  if (Object.keys(value).length === 0) {
    report(path, `${pathText(path)} says nothing; give one of ${RULE_NAMES.join(", ")}`);
  }
  return rule;
}

function reportUnknownRule(name: string, path: Path, report: Report): void {
  const nearest = nearestName(name, RULE_NAMES);
  const meant = nearest ? `; did you mean ${nearest}?` : "";
  report([...path, name], `${pathText(path)} has ${shown(name)}; a rule has ${RULE_NAMES.join(", ")}${meant}`, nearest);
}

const RULE_READERS: Record<keyof RuleDocument, (value: unknown, path: Path, report: Report) => unknown> = {
  in: readTexts,
  not_in: readTexts,
  prefix_in: readTexts,
  min: readWhole,
  max: readWhole,
  matches: readPattern,
  required: readSwitch,
  forbidden: readSwitch,
};

function readTexts(value: unknown, path: Path, report: Report): string[] | undefined {
  return readList(value, path, report, ANY_TEXT);
}

function readWhole(value: unknown, path: Path, report: Report): string | undefined {
  const text = typeof value === "number" || typeof value === "string" ? String(value).trim() : "";
  if (/^(0|-?[1-9][0-9]{0,17})$/.test(text)) return text;
  report(
    path,
    `${pathText(path)} must be a whole number (amounts in the vendor's unit, like cents), not ${shown(value)}`,
  );
  return undefined;
}

function readPattern(value: unknown, path: Path, report: Report): string | undefined {
  const problem = typeof value === "string" ? patternProblem(value) : "is no text";
  if (problem === undefined) return value as string;
  report(path, `${pathText(path)} must be a regular expression like "ord_[0-9]+"; ${shown(value)} ${problem}`);
  return undefined;
}

/** `false` is the default and is left out of the canonical form. */
function readSwitch(value: unknown, path: Path, report: Report): true | undefined {
  if (typeof value !== "boolean") report(path, `${pathText(path)} must be true or false, not ${shown(value)}`);
  return value === true ? true : undefined;
}

export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
