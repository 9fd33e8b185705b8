import { nearestName } from "../core/nearest.ts";
import { parseDuration } from "../core/window.ts";
import { type Path, pathText, type Report, readCount, readDuration, shown } from "./field-values.ts";
import { isMap } from "./rule-values.ts";

/** The rules that count within a span of time, and what of a key each counts. */
export const TIMED_RULES = ["cap_hits", "vendor_errors"] as const;
export type TimedRule = (typeof TIMED_RULES)[number];
export type AutoRevokeName = TimedRule | "requests_over_baseline";

/** One rule of `auto_revoke` as it is stored and shown: `{ cap_hits: 10, within: "1h" }`, `{ requests_over_baseline: "5x" }`. */
export type AutoRevokeDocument =
  | { readonly cap_hits: number; readonly within: string }
  | { readonly vendor_errors: number; readonly within: string }
  | { readonly requests_over_baseline: string };

/** A rule made ready to judge by: `limit` is a count, or how many times the baseline; `withinMs` is 0 for the latter. */
export interface AutoRevokeRule {
  readonly name: AutoRevokeName;
  readonly limit: number;
  readonly withinMs: number;
  /** As the policy writes it; undefined for `requests_over_baseline`. */
  readonly within: string | undefined;
}

const RULES_MAX = 10;
/** Each that counts towards a limit is kept by its millisecond until it has aged. */
const COUNT_MAX = 10_000;
const WITHIN_MIN_MS = 1_000;
const WITHIN_MAX_MS = 86_400_000;
const FACTOR_MAX = 1_000;
const NAMES: readonly string[] = [...TIMED_RULES, "requests_over_baseline"];
const LIKE = "{ cap_hits: 10, within: 1h }, { vendor_errors: 50, within: 5m } or { requests_over_baseline: 5x }";
const RULE_TEXT = /^([a-z_]+) ?= ?([^/]+)(?:\/(.+))?$/;

/** One rule or a list of them, or `cap_hits=10/1h,requests_over_baseline=5x` where only text can be given. */
export function readAutoRevoke(value: unknown, path: Path, report: Report): readonly AutoRevokeDocument[] | undefined {
  const given = typeof value === "string" ? rulesOfText(value) : isMap(value) ? [value] : value;
  if (!Array.isArray(given) || given.length === 0 || given.length > RULES_MAX) {
    report(path, `${pathText(path)} must be a rule or up to ${RULES_MAX} of them, like ${LIKE}, not ${shown(value)}`);
    return undefined;
  }
  const read = given.map((rule: unknown, index) =>
    readRule(rule, Array.isArray(value) ? [...path, index] : path, report),
  );
  const rules = read.filter((rule) => rule !== undefined);
  return rules.length === read.length ? withoutDuplicates(rules) : undefined;
}

function readRule(value: unknown, path: Path, report: Report): AutoRevokeDocument | undefined {
  const names = isMap(value) ? Object.keys(value) : [];
  const named = names.filter((name) => NAMES.includes(name));
  if (!isMap(value) || named.length !== 1) {
    const nearest = names.map((name) => nearestName(name, NAMES)).find((name) => name !== undefined);
    const meant = nearest && named.length === 0 ? `; did you mean ${nearest}?` : "";
    report(path, `${pathText(path)} must be one rule like ${LIKE}, not ${shownRule(value)}${meant}`, nearest);
    return undefined;
  }
  const name = named[0] as AutoRevokeName;
  const fields = name === "requests_over_baseline" ? [name] : [name, "within"];
  const unknown = names.find((field) => !fields.includes(field));
  if (unknown !== undefined) {
    const nearest = nearestName(unknown, fields);
    const message = `${pathText(path)} has ${shown(unknown)}; a rule of ${name} has ${fields.join(" and ")}`;
    report([...path, unknown], message, nearest);
    return undefined;
  }
  return name === "requests_over_baseline"
    ? readBaseline(value[name], path, report)
    : readTimed(name, value, path, report);
}

function readTimed(
  name: TimedRule,
  value: Readonly<Record<string, unknown>>,
  path: Path,
  report: Report,
): AutoRevokeDocument | undefined {
  const count = readCount(value[name], [...path, name], report);
  if (value["within"] === undefined) {
    report(path, `${pathText(path)} needs within beside ${name}, like { ${name}: 10, within: 1h }`);
    return undefined;
  }
  const within = readDuration(value["within"], [...path, "within"], report);
  if (count === undefined || within === undefined) return undefined;
  if (count < 1 || count > COUNT_MAX) {
    const at = [...path, name];
    report(at, `${pathText(at)} must be 1 to ${COUNT_MAX}, not ${shown(value[name])}`);
    return undefined;
  }
  const withinMs = parseDuration(within);
  if (withinMs < WITHIN_MIN_MS || withinMs > WITHIN_MAX_MS) {
    const at = [...path, "within"];
    report(at, `${pathText(at)} must be from 1s to 24h, not ${shown(value["within"])}`);
    return undefined;
  }
  return { [name]: count, within } as unknown as AutoRevokeDocument;
}

function readBaseline(value: unknown, path: Path, report: Report): AutoRevokeDocument | undefined {
  const at = [...path, "requests_over_baseline"];
  const [, digits] = /^([1-9][0-9]{0,3}) ?x?$/.exec(String(value).trim()) ?? [];
  const factor = Number(digits);
  if (digits !== undefined && factor >= 2 && factor <= FACTOR_MAX) return { requests_over_baseline: `${factor}x` };
  report(at, `${pathText(at)} must be a whole factor from 2x to ${FACTOR_MAX}x like 5x, not ${shown(value)}`);
  return undefined;
}

function shownRule(value: unknown): string {
  return isMap(value) ? JSON.stringify(value).slice(0, 60) : shown(value);
}

/** The maps that `cap_hits=10/1h,requests_over_baseline=5x` writes down; undefined where it is something else. */
function rulesOfText(text: string): readonly unknown[] | undefined {
  const rules = text.split(",").map((part) => {
    const [, name, limit, within] = RULE_TEXT.exec(part.trim()) ?? [];
    if (name === undefined) return undefined;
    return within === undefined ? { [name]: limit!.trim() } : { [name]: limit!.trim(), within };
  });
  return rules.includes(undefined) ? undefined : rules;
}

function withoutDuplicates(rules: readonly AutoRevokeDocument[]): readonly AutoRevokeDocument[] {
  return [...new Map(rules.map((rule) => [JSON.stringify(rule), rule])).values()];
}

/** Canonical rules ready to judge by; none where the policy has no such field. */
export function autoRevokeRules(document: unknown): readonly AutoRevokeRule[] {
  return ((document ?? []) as readonly AutoRevokeDocument[]).map((rule) => {
    if ("requests_over_baseline" in rule) {
      const limit = Number.parseInt(rule.requests_over_baseline, 10);
      return { name: "requests_over_baseline", limit, withinMs: 0, within: undefined };
    }
    const name = "cap_hits" in rule ? "cap_hits" : "vendor_errors";
    const limit = "cap_hits" in rule ? rule.cap_hits : rule.vendor_errors;
    return { name, limit, withinMs: parseDuration(rule.within), within: rule.within };
  });
}

/**
 * Both sets of rules at once, less those that another one makes idle. A given rule that trips later than one of the
 * template's would look like a limit and be none.
 */
export function narrowAutoRevoke(base: unknown, given: unknown, sayWider: () => void): unknown {
  const [before, added] = [base as readonly AutoRevokeDocument[], given as readonly AutoRevokeDocument[]];
  const isSame = (a: AutoRevokeDocument, b: AutoRevokeDocument) => isImplied(a, b) && isImplied(b, a);
  if (added.some((rule) => before.some((one) => isImplied(rule, one) && !isSame(rule, one)))) sayWider();
  const kept = before.filter((rule) => !added.some((one) => isImplied(rule, one)));
  const merged = withoutDuplicates([...kept, ...added]);
  if (merged.length > RULES_MAX) sayWider();
  return merged;
}

/** Whether `by` has tripped wherever `rule` trips. */
function isImplied(rule: AutoRevokeDocument, by: AutoRevokeDocument): boolean {
  const [[a], [b]] = [autoRevokeRules([rule]), autoRevokeRules([by])];
  return a!.name === b!.name && b!.limit <= a!.limit && b!.withinMs >= a!.withinMs;
}

/** `10 cap_hits within 1h`, `5x requests_over_baseline`. */
export function autoRevokeInWords({ name, limit, within }: Omit<AutoRevokeRule, "withinMs">): string {
  return within === undefined ? `${limit}x ${name}` : `${limit} ${name} within ${within}`;
}
