import { parseUsd } from "../core/money.ts";
import { Problem } from "../core/problem.ts";
import { parseRoute } from "../core/route.ts";
import { parseDuration } from "../core/window.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { narrowAutoRevoke } from "./auto-revoke.ts";
import type { CapsDocument } from "./cap-values.ts";
import { covers } from "./coverage.ts";
import { narrowCaps, narrowMoney } from "./narrow-caps.ts";
import { narrowParameters, type RulesDocument, type SayWider, valueText } from "./narrow-parameters.ts";
import type { PolicyDocument } from "./policy.ts";
import type { PolicyFieldName } from "./schema.ts";
import { narrowUnknownCost } from "./unknown-cost.ts";
import { problemsText, validateFields, validatePolicy } from "./validate.ts";

/** The narrower of two values of a field; says so where `given` admits anything that `base` does not. */
type Narrower = (base: unknown, given: unknown, sayWider: () => void) => unknown;

/**
 * A template's policy with the fields of a request, which can only narrow it: what the template refuses, the result
 * refuses. `vendor` is the template's, and is needed to keep closed operations closed: a template that allows `* /**`
 * does not open them, so a request cannot open one by its exact name.
 * @throws Problem `invalid` naming each field that would widen the template, with both values.
 */
export function narrowPolicy(base: PolicyDocument, fields: unknown, vendor: Vendor): PolicyDocument {
  const given = validateFields(fields);
  if (!given.ok) throw new Problem("invalid", problemsText(given.problems));
  const wider: string[] = [];
  const sayWider: SayWider = (field, template, value) => {
    wider.push(`${field}: ${valueText(value)} is wider than the template's ${valueText(template)}`);
  };
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(given.fields)) {
    const before = base[name] ?? DEFAULTS[name as PolicyFieldName];
    if (name === "parameters") {
      merged[name] = narrowParameters((before ?? {}) as RulesDocument, value as RulesDocument, sayWider);
    } else if (name === "caps") {
      merged[name] = narrowCaps((before ?? {}) as CapsDocument, value as CapsDocument, sayWider);
    } else if (before === undefined) {
      merged[name] = value;
    } else {
      merged[name] = NARROWERS[name as NarrowedField](before, value, () => sayWider(name, before, value));
    }
  }
  wider.push(...opened(base, merged, vendor));
  if (wider.length > 0) {
    throw new Problem("invalid", wider.join("; "), "fields beside a template only narrow it; use another template");
  }
  const result = validatePolicy(merged);
  // Two rules that are sound alone can contradict each other: min 100 of the template, max 50 of the request.
  if (!result.ok) throw new Problem("invalid", problemsText(result.problems));
  return result.policy;
}

/** What a field that a template leaves out means, where that is not "no limit". */
const DEFAULTS: Partial<Record<PolicyFieldName, unknown>> = {
  allowed_endpoints: [],
  merchants: [],
  allowed_currencies: ["usd"],
  idempotency: "replay",
  cap_window: "utc_day",
  on_unknown_cost: "deny",
};

type NarrowedField = Exclude<PolicyFieldName, "parameters" | "caps">;

const NARROWERS: Record<NarrowedField, Narrower> = {
  vendor: same,
  description: (_base, given) => given,
  daily_usd_cap: atMost((value) => parseUsd(value as string)),
  // A cap over any 24 hours admits nothing that the same cap over a UTC day refuses; the other way round it does.
  cap_window: (base, given, sayWider) => {
    if (base === "rolling_24h" && given !== "rolling_24h") sayWider();
    return given;
  },
  total_usd_cap: atMost((value) => parseUsd(value as string)),
  daily_cap: narrowMoney,
  total_cap: narrowMoney,
  max_amount_per_call_usd: atMost((value) => parseUsd(value as string)),
  on_unknown_cost: narrowUnknownCost,
  allowed_endpoints: within((outer, inner) => covers(parseRoute(outer), parseRoute(inner))),
  denied_endpoints: (base, given) => [...new Set([...(base as string[]), ...(given as string[])])],
  customers: within(isSame),
  merchants: within(isSame),
  to_prefixes: within((outer, inner) => inner.startsWith(outer)),
  from_numbers: within(isSame),
  from_domains: within(isSame),
  to_domains: within(isSame),
  daily_send_cap: atMost((value) => BigInt(value as number)),
  max_write_operations: atMost((value) => BigInt(value as number)),
  requests_per_minute: atMost((value) => BigInt(value as number)),
  requests_per_hour: atMost((value) => BigInt(value as number)),
  idempotency: (base, given, sayWider) => {
    if (base === "replay" && given !== "replay") sayWider();
    return given;
  },
  dedup_window: atLeast((value) => BigInt(parseDuration(value as string))),
  allowed_currencies: within(isSame),
  auto_revoke: narrowAutoRevoke,
  expires_in: atMost((value) => BigInt(parseDuration(value as string))),
};

function isSame(outer: string, inner: string): boolean {
  return outer === inner;
}

function same(base: unknown, given: unknown, sayWider: () => void): unknown {
  if (base !== given) sayWider();
  return base;
}

function atMost(measure: (value: unknown) => bigint): Narrower {
  return (base, given, sayWider) => {
    if (measure(given) > measure(base)) sayWider();
    return given;
  };
}

/** For what refuses more the larger it is. */
function atLeast(measure: (value: unknown) => bigint): Narrower {
  return (base, given, sayWider) => {
    if (measure(given) < measure(base)) sayWider();
    return given;
  };
}

/** Every given entry must lie within one of the template's. */
function within(contains: (outer: string, inner: string) => boolean): Narrower {
  return (base, given, sayWider) => {
    const outer = base as readonly string[];
    const inner = given as readonly string[];
    if (!inner.every((entry) => outer.some((allowed) => contains(allowed, entry)))) sayWider();
    return inner;
  };
}

/** Closed operations that the merged policy would open and the template does not. */
function opened(base: PolicyDocument, merged: Record<string, unknown>, vendor: Vendor): string[] {
  const before = new Set(base["allowed_endpoints"] as readonly string[] | undefined);
  const added = ((merged["allowed_endpoints"] ?? []) as readonly string[]).filter((entry) => !before.has(entry));
  const closed = new Set(
    vendor.operations.filter((operation) => operation.class === "closed").map(({ route }) => route),
  );
  return added
    .filter((entry) => closed.has(entry))
    .map((entry) => `allowed_endpoints: "${entry}" is closed and is opened only by a template that names it exactly`);
}
