import type { TSchema } from "@sinclair/typebox";
import { nearestName } from "../../core/nearest.ts";
import type { DataPath } from "../../core/yaml-data.ts";

export interface ReportDetail {
  /** The known name that an unknown one was probably meant to be. */
  readonly nearest?: string | undefined;
  /** What of the entry at the path is wrong. Default: its value. */
  readonly at?: "key" | "value";
}

/** Says what is wrong at `path`. */
export type Report = (path: DataPath, message: string, detail?: ReportDetail) => void;

/**
 * Holds data that was read from YAML (maps, lists, text, booleans) against a schema of objects, records, lists, text and
 * unions of text and list. Reports every problem. TypeBox's own errors name neither the nearest field nor the key.
 */
export function checkShape(schema: TSchema, value: unknown, path: DataPath, report: Report): void {
  if (schema["anyOf"] !== undefined) checkShape(branchFor(schema, value), value, path, report);
  else if (schema["type"] === "array") checkList(schema, value, path, report);
  else if (schema["type"] !== "object") checkText(schema, value, path, report);
  else if (!isMap(value)) report(path, `${whereOf(path)} must be a map, not ${shown(value)}`);
  else if (schema["properties"] === undefined) checkRecord(schema, value, path, report);
  else checkObject(schema, value, path, report);
}

/** A list is meant where a list is given. */
function branchFor(schema: TSchema, value: unknown): TSchema {
  const branches = schema["anyOf"] as readonly TSchema[];
  return branches.find((branch) => (branch["type"] === "array") === Array.isArray(value)) ?? branches[0]!;
}

function checkObject(schema: TSchema, value: YamlMap, path: DataPath, report: Report): void {
  const fields = schema["properties"] as Readonly<Record<string, TSchema>>;
  const names = Object.keys(fields);
  const meantNames = new Set<string>();
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(fields, name)) continue;
    const nearest = nearestName(name, names);
    const meant = nearest ? `did you mean ${nearest}?` : `the fields are ${names.join(", ")}`;
    report([...path, name], `${JSON.stringify(name)} is not a field of ${whereOf(path)}; ${meant}`, {
      nearest,
      at: "key",
    });
    if (nearest) meantNames.add(nearest);
  }
  const required = (schema["required"] as readonly string[] | undefined) ?? [];
  for (const [name, field] of Object.entries(fields)) {
    if (value[name] !== undefined && value[name] !== null) checkShape(field, value[name], [...path, name], report);
    else if (Object.hasOwn(value, name))
      report([...path, name], `${whereOf([...path, name])} is empty; give it a value`);
    else if (required.includes(name) && !meantNames.has(name)) report(path, `${whereOf(path)} has no ${name}`);
  }
}

function checkRecord(schema: TSchema, value: YamlMap, path: DataPath, report: Report): void {
  const [entry] = Object.values(schema["patternProperties"] as Readonly<Record<string, TSchema>>);
  for (const [name, each] of Object.entries(value)) checkShape(entry!, each, [...path, name], report);
}

function checkList(schema: TSchema, value: unknown, path: DataPath, report: Report): void {
  if (!Array.isArray(value)) {
    report(path, `${whereOf(path)} must be a list, not ${shown(value)}`);
    return;
  }
  for (const [index, entry] of value.entries()) checkShape(schema["items"] as TSchema, entry, [...path, index], report);
}

function checkText(schema: TSchema, value: unknown, path: DataPath, report: Report): void {
  const words = schema["enum"] as readonly string[] | undefined;
  const fits = words
    ? typeof value === "string" && words.includes(value)
    : typeof value === "string" && new RegExp(String(schema["pattern"]), "u").test(value);
  if (fits) return;
  const nearest = words && typeof value === "string" ? nearestName(value, words) : undefined;
  const meant = nearest ? `; did you mean ${nearest}?` : "";
  report(path, `${whereOf(path)} must be ${schema["expected"]}, not ${shown(value)}${meant}`, { nearest });
}

/** `operations[2].price.usd`, without the vendor's name and what stands before it. */
export function whereOf(path: DataPath): string {
  const [, name, ...rest] = path;
  if (name === undefined) return "vendors";
  if (rest.length === 0) return String(name);
  return rest.map((part, i) => (typeof part === "number" ? `[${part}]` : i === 0 ? part : `.${part}`)).join("");
}

type YamlMap = Readonly<Record<string, unknown>>;

export function isMap(value: unknown): value is YamlMap {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** How a wrong value is shown: short, and on one line. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a map";
  const text = JSON.stringify(value);
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
