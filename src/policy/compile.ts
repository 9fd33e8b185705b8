import { parseUsd } from "../core/money.ts";
import { parseRoute, type Route } from "../core/route.ts";
import { parseDuration } from "../core/window.ts";
import { CAPPED_KINDS } from "../vendors/vendor.ts";
import type { CapsDocument, MoneyDocument, VendorUsdDocument } from "./cap-values.ts";
import type { CompiledPolicy, CurrencyCap, JointCaps, KindCap, ParameterRule, PolicyDocument } from "./policy.ts";
import type { RuleDocument } from "./rule-values.ts";
import { unknownCostMicros } from "./unknown-cost.ts";
import { vendorPolicies } from "./vendor-policies.ts";

/**
 * A canonical document (from `validatePolicy`) made ready to judge calls with, vendor by vendor in its order.
 * @throws RangeError where the document was never validated.
 */
export function compilePolicies(document: PolicyDocument): ReadonlyMap<string, CompiledPolicy> {
  const isForSeveral = document.vendors !== undefined;
  return new Map(
    vendorPolicies(document).map((part) => {
      const policy = compilePolicy(part);
      return [policy.vendor, isForSeveral ? { ...policy, joint: jointCaps(document, policy.vendor) } : policy];
    }),
  );
}

/**
 * As `compilePolicies`, for a document of one vendor. Without `allowed_endpoints` nothing is allowed; without
 * `allowed_currencies` only US dollars are.
 */
export function compilePolicy(document: PolicyDocument): CompiledPolicy {
  if (document.vendor === undefined) throw new RangeError("a policy for several vendors is compiled vendor by vendor");
  const dedupWindow = document["dedup_window"] as string | undefined;
  return {
    vendor: document.vendor,
    allowed: routes(document["allowed_endpoints"]),
    denied: routes(document["denied_endpoints"]),
    capWindow: document["cap_window"] === "rolling_24h" ? "rolling_24h" : "utc_day",
    dailyCapMicros: micros(document["daily_usd_cap"]),
    totalCapMicros: micros(document["total_usd_cap"]),
    dailyCap: currencyCap(document["daily_cap"]),
    totalCap: currencyCap(document["total_cap"]),
    kindCaps: kindCaps(document["caps"]),
    maxPerCallMicros: micros(document["max_amount_per_call_usd"]),
    unknownCostMicros: unknownCostMicros(document["on_unknown_cost"]),
    dailySendCap: count(document["daily_send_cap"]),
    maxWriteOperations: count(document["max_write_operations"]),
    requestsPerMinute: count(document["requests_per_minute"]),
    requestsPerHour: count(document["requests_per_hour"]),
    idempotency: document["idempotency"] === "forward" ? "forward" : "replay",
    dedupWindowMs: dedupWindow === undefined ? undefined : parseDuration(dedupWindow),
    currencies: set(document["allowed_currencies"]) ?? new Set(["usd"]),
    parameters: rules(document["parameters"]),
    customers: set(document["customers"]),
    merchants: set(document["merchants"]) ?? new Set(),
    toPrefixes: document["to_prefixes"] as readonly string[] | undefined,
    fromNumbers: set(document["from_numbers"]),
    fromDomains: set(document["from_domains"]),
    toDomains: set(document["to_domains"]),
  };
}

function jointCaps(document: PolicyDocument, vendor: string): JointCaps {
  const ofVendors = document["per_vendor_daily_caps"] as VendorUsdDocument | undefined;
  return {
    dailyMicros: micros(document["daily_usd_cap_total"]),
    totalMicros: micros(document["total_usd_cap"]),
    maxWriteOperations: count(document["max_write_operations"]),
    requestsPerMinute: count(document["requests_per_minute"]),
    requestsPerHour: count(document["requests_per_hour"]),
    vendorDailyMicros: micros(ofVendors?.[vendor]),
  };
}

function routes(value: unknown): readonly Route[] {
  return ((value ?? []) as readonly string[]).map(parseRoute);
}

function micros(value: unknown): bigint | undefined {
  return value === undefined ? undefined : parseUsd(value as string);
}

function count(value: unknown): bigint | undefined {
  return value === undefined ? undefined : BigInt(value as number);
}

function currencyCap(value: unknown): CurrencyCap | undefined {
  const money = value as MoneyDocument | undefined;
  return money && { amountMicros: parseUsd(money.amount), currency: money.currency };
}

function kindCaps(value: unknown): readonly KindCap[] {
  const caps = (value ?? {}) as CapsDocument;
  return CAPPED_KINDS.flatMap((kind) => {
    const cap = caps[kind];
    return cap ? [{ kind, dailyMicros: micros(cap.daily_usd), totalMicros: micros(cap.total_usd) }] : [];
  });
}

function set(value: unknown): ReadonlySet<string> | undefined {
  return value === undefined ? undefined : new Set(value as readonly string[]);
}

function rules(value: unknown): readonly ParameterRule[] {
  return Object.entries((value ?? {}) as Record<string, RuleDocument>).map(([name, rule]) => ({
    name,
    required: rule.required ?? false,
    forbidden: rule.forbidden ?? false,
    ...(rule.in && { in: new Set(rule.in) }),
    ...(rule.not_in && { notIn: new Set(rule.not_in) }),
    ...(rule.min !== undefined && { min: BigInt(rule.min) }),
    ...(rule.max !== undefined && { max: BigInt(rule.max) }),
    // Anchored: a rule is about the whole value. `patternProblem` has refused patterns that could escape the group.
    ...(rule.matches !== undefined && { matches: new RegExp(`^(?:${rule.matches})$`, "u") }),
    ...(rule.prefix_in && { prefixIn: rule.prefix_in }),
  }));
}
