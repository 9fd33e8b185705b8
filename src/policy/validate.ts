import { nearestName } from "../core/nearest.ts";
import { readAutoRevoke } from "./auto-revoke.ts";
import { readCaps, readMoney, readVendorUsd } from "./cap-values.ts";
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
import { checkCappedVendors, checkOneVendor, checkSeveralVendors, isMisplaced } from "./placement.ts";
import type { PolicyDocument, PolicyFields } from "./policy.ts";
import { isMap, readRules } from "./rule-values.ts";
import {
  POLICY_FIELD_NAMES,
  POLICY_FIELDS,
  type PolicyField,
  type PolicyFieldName,
  VENDOR_FIELD_NAMES,
} from "./schema.ts";
import { readUnknownCost } from "./unknown-cost.ts";
import { vendorsOf } from "./vendor-policies.ts";

export type { PolicyProblem } from "./field-values.ts";

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
  const problems = result.ok ? [] : [...result.problems];
  const isNamed = (name: string) => isMap(input) && input[name] !== undefined && input[name] !== null;
  if (isMap(input) && !isNamed("vendor") && !isNamed("vendors")) {
    if (!problems.some(({ path }) => path[0] === "vendor" || path[0] === "vendors")) {
      const message = "vendor is missing; name one, like vendor: stripe, or several under vendors";
      problems.unshift({ path: ["vendor"], message });
    }
  }
  if (isMap(input) && isNamed("vendor") && !isNamed("vendors")) {
    checkOneVendor(input, shownName(input["vendor"]), reportInto(problems));
  }
  if (result.ok && result.fields["vendors"] !== undefined) {
    checkCappedVendors(result.fields, vendorsOf(result.fields), reportInto(problems));
  }
  return problems.length === 0 && result.ok
    ? { ok: true, policy: result.fields as PolicyDocument }
    : { ok: false, problems };
}

/** As `validatePolicy`, for fields that are no whole policy: `vendor` may be missing. */
export function validateFields(input: unknown): FieldsValidation {
  const problems: PolicyProblem[] = [];
  const report = reportInto(problems);
  if (!isMap(input)) {
    report([], `a policy is a map of fields like vendor and daily_usd_cap, not ${shown(input)}`);
    return { ok: false, problems };
  }
  for (const name of Object.keys(input)) if (!POLICY_FIELD_NAMES.has(name)) reportUnknown([name], report);
  const fields = readFields(input, [], report);
  if (isMap(input["vendors"])) checkSeveralVendors(input, Object.keys(input["vendors"]), report);
  return problems.length === 0 ? { ok: true, fields } : { ok: false, problems };
}

/** One problem as one line: the message, which names the field. */
export function problemsText(problems: readonly PolicyProblem[]): string {
  return problems.map(({ message }) => message).join("; ");
}

function reportInto(problems: PolicyProblem[]): Report {
  return (path, message, nearest) => {
    problems.push(nearest === undefined ? { path, message } : { path, message, nearest });
  };
}

/** The fields that are known, at the top of a policy or within a vendor's part of it. */
function readFields(input: Readonly<Record<string, unknown>>, within: Path, report: Report): PolicyFields {
  const known = within.length === 0 ? POLICY_FIELD_NAMES : VENDOR_FIELD_NAMES;
  const entries: [string, unknown][] = [];
  for (const field of POLICY_FIELDS) {
    if (!known.has(field.name) || !Object.hasOwn(input, field.name) || input[field.name] === undefined) continue;
    const value = readField(field, input[field.name], [...within, field.name], report);
    if (value !== undefined) entries.push([field.name, value]);
  }
  return Object.fromEntries(entries);
}

function reportUnknown(path: Path, report: Report): void {
  const name = String(path.at(-1));
  const isVendors = path.length > 1;
  const known = isVendors ? VENDOR_FIELD_NAMES : POLICY_FIELD_NAMES;
  const nearest = nearestName(name, known);
  const meant = nearest ? `did you mean ${nearest}?` : `the fields are ${[...known].join(", ")}`;
  const at = isVendors ? ` (${pathText(path)})` : "";
  report(path, `${shown(name)} is not a field of a policy${at}; ${meant}`, nearest);
}

function readField({ name, kind }: PolicyField, value: unknown, path: Path, report: Report): unknown {
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
    case "vendor_usd":
      return readVendorUsd(value, path, report);
    case "unknown_cost":
      return readUnknownCost(value, path, report);
    case "auto_revoke":
      return readAutoRevoke(value, path, report);
    case "rules":
      return readRules(value, path, report);
    case "vendors":
      return readVendors(value, path, report);
    case "text":
      return readNamed(name, value, path, report);
  }
}

/** Each vendor's own fields. */
function readVendors(value: unknown, path: Path, report: Report): Readonly<Record<string, PolicyFields>> | undefined {
  if (!isMap(value) || Object.keys(value).length === 0) {
    report(path, `${pathText(path)} must be a map like { stripe: { daily_usd_cap: 500 } }, not ${shown(value)}`);
    return undefined;
  }
  const vendors: [string, PolicyFields][] = [];
  for (const [vendor, fields] of Object.entries(value)) {
    const at = [...path, vendor];
    if (!VENDOR_NAME.test(vendor)) {
      report(at, `${pathText(path)} must name vendors in small letters like stripe, not ${shown(vendor)}`);
    } else if (!isMap(fields)) {
      report(
        at,
        `${pathText(at)} must be a map of the vendor's own fields like allowed_endpoints, not ${shown(fields)}`,
      );
    } else {
      for (const name of Object.keys(fields)) {
        if (VENDOR_FIELD_NAMES.has(name) || isMisplaced(name, [...at, name], report)) continue;
        reportUnknown([...at, name], report);
      }
      vendors.push([vendor, readFields(fields, at, report)]);
    }
  }
  return Object.fromEntries(vendors);
}

const VENDOR_NAME = /^[a-z][a-z0-9-]{0,40}$/;

/** The values of fields that are one of a few words. */
const WORDS: Partial<Record<PolicyFieldName, readonly string[]>> = {
  cap_window: ["utc_day", "rolling_24h"],
  idempotency: ["replay", "forward"],
};

function readNamed(name: PolicyFieldName, value: unknown, path: Path, report: Report): string | undefined {
  const text = readText(value, path, report);
  if (text === undefined) return undefined;
  if (name === "vendor" && !VENDOR_NAME.test(text)) {
    report(path, `vendor must be a vendor's name in small letters like stripe, not ${shown(value)}`);
    return undefined;
  }
  const words = WORDS[name];
  if (words && !words.includes(text)) {
    report(path, `${pathText(path)} must be ${words.join(" or ")}, not ${shown(value)}`);
    return undefined;
  }
  return text;
}

function shownName(value: unknown): string {
  return typeof value === "string" ? value : shown(value);
}
