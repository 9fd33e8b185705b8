import { nearestName } from "../core/nearest.ts";
import { readAutoRevoke } from "./auto-revoke.ts";
import { readCaps, readMoney } from "./cap-values.ts";
import {
  LIST_ENTRIES,
  type Path,
  type PolicyProblem,
  pathText,
  type Report,
  readCount,
  readDuration,
  readList,
  readText,
  readUsd,
  shown,
} from "./field-values.ts";
import type { PolicyDocument } from "./policy.ts";
import { isMap, readRules } from "./rule-values.ts";
import { LATER_FIELDS, POLICY_FIELD_NAMES, POLICY_FIELDS, type PolicyField, type PolicyFieldName } from "./schema.ts";
import { readUnknownCost } from "./unknown-cost.ts";

export type { PolicyProblem } from "./field-values.ts";

/** Some of a policy's fields, canonical; what a request gives beside a template. */
export type PolicyFields = Readonly<Record<string, unknown>>;

export type Validation = { readonly ok: true; readonly policy: PolicyDocument } | Invalid;
export type FieldsValidation = { readonly ok: true; readonly fields: PolicyFields } | Invalid;

interface Invalid {
  readonly ok: false;
  readonly problems: readonly PolicyProblem[];
}

/**
 * Reads a policy from YAML, JSON or flags and makes it canonical: amounts as decimal text, lists as arrays, domains and
 * currencies in lower case. Reports every problem, not only the first. Reading a canonical policy changes nothing.
 */
export function validatePolicy(input: unknown): Validation {
  const result = validateFields(input);
  const vendorMissing = isMap(input) && (input["vendor"] === undefined || input["vendor"] === null);
  const problems = result.ok ? [] : [...result.problems];
  if (vendorMissing && !problems.some(({ path }) => path[0] === "vendor" || path[0] === "vendors")) {
    problems.unshift({ path: ["vendor"], message: "vendor is missing; name one, like vendor: stripe" });
  }
  return problems.length === 0 && result.ok
    ? { ok: true, policy: result.fields as PolicyDocument }
    : { ok: false, problems };
}

/** As `validatePolicy`, for fields that are no whole policy: `vendor` may be missing. */
export function validateFields(input: unknown): FieldsValidation {
  const problems: PolicyProblem[] = [];
  const report: Report = (path, message, nearest) => {
    problems.push(nearest === undefined ? { path, message } : { path, message, nearest });
  };
  if (!isMap(input)) {
    report([], `a policy is a map of fields like vendor and daily_usd_cap, not ${shown(input)}`);
    return { ok: false, problems };
  }
  for (const name of Object.keys(input)) if (!POLICY_FIELD_NAMES.has(name)) reportUnknown(name, report);
  const entries: [string, unknown][] = [];
  for (const field of POLICY_FIELDS) {
    if (!Object.hasOwn(input, field.name) || input[field.name] === undefined) continue;
    const value = readField(field, input[field.name], report);
    if (value !== undefined) entries.push([field.name, value]);
  }
  return problems.length === 0 ? { ok: true, fields: Object.fromEntries(entries) } : { ok: false, problems };
}

/** One problem as one line: the message, which names the field. */
export function problemsText(problems: readonly PolicyProblem[]): string {
  return problems.map(({ message }) => message).join("; ");
}

function reportUnknown(name: string, report: Report): void {
  const instead = LATER_FIELDS.get(name);
  if (instead !== undefined) {
    report([name], `${name} is not supported yet in this version; ${instead}`);
    return;
  }
  const nearest = nearestName(name, POLICY_FIELD_NAMES);
  const meant = nearest ? `did you mean ${nearest}?` : `the fields are ${[...POLICY_FIELD_NAMES].join(", ")}`;
  report([name], `${shown(name)} is not a field of a policy; ${meant}`, nearest);
}

function readField({ name, kind }: PolicyField, value: unknown, report: Report): unknown {
  const path: Path = [name];
  if (value === null) {
    report(path, `${pathText(path)} is empty; give it a value or leave the field out`);
    return undefined;
  }
  switch (kind) {
    case "usd":
      return readUsd(value, path, report);
    case "count":
      return readCount(value, path, report);
    case "duration":
      return readDuration(value, path, report);
    case "list":
      return readList(value, path, report, LIST_ENTRIES[name as keyof typeof LIST_ENTRIES]);
    case "money":
      return readMoney(value, path, report);
    case "caps":
      return readCaps(value, path, report);
    case "unknown_cost":
      return readUnknownCost(value, path, report);
    case "auto_revoke":
      return readAutoRevoke(value, path, report);
    case "rules":
      return readRules(value, path, report);
    case "text":
      return readNamed(name, value, report);
  }
}

function readNamed(name: PolicyFieldName, value: unknown, report: Report): string | undefined {
  const text = readText(value, [name], report);
  if (text === undefined) return undefined;
  if (name === "vendor" && !/^[a-z][a-z0-9-]{0,40}$/.test(text)) {
    report([name], `vendor must be a vendor's name in small letters like stripe, not ${shown(value)}`);
    return undefined;
  }
  if (name === "cap_window" && text !== "utc_day" && text !== "rolling_24h") {
    report([name], `cap_window must be utc_day or rolling_24h, not ${shown(value)}`);
    return undefined;
  }
  if (name === "idempotency" && text !== "replay" && text !== "forward") {
    report([name], `idempotency must be replay or forward, not ${shown(value)}`);
    return undefined;
  }
  return text;
}
