import { parseUsd } from "../core/money.ts";
import { parseRoute } from "../core/route.ts";
import { parseDuration } from "../core/window.ts";
import { narrowAutoRevoke } from "./auto-revoke.ts";
import type { CapsDocument, VendorUsdDocument } from "./cap-values.ts";
import { covers } from "./coverage.ts";
import { narrowCaps, narrowMoney, narrowVendorUsd } from "./narrow-caps.ts";
import { narrowParameters, type RulesDocument, type SayWider } from "./narrow-parameters.ts";
import type { PolicyFields } from "./policy.ts";
import type { PolicyFieldName } from "./schema.ts";
import { narrowUnknownCost } from "./unknown-cost.ts";

/** The narrower of two values of a field; says so where `given` admits anything that `base` does not. */
type Narrower = (base: unknown, given: unknown, sayWider: () => void) => unknown;

/** Both sets of fields at once: those of a policy for one vendor, or at the top of one for several; never `vendors`. */
export function narrowFields(base: PolicyFields, given: PolicyFields, sayWider: SayWider): PolicyFields {
  const merged: Record<string, unknown> = { ...base };
  for (const [name, value] of Object.entries(given)) {
    const before = base[name] ?? DEFAULTS[name as PolicyFieldName];
    if (name === "parameters") {
      merged[name] = narrowParameters((before ?? {}) as RulesDocument, value as RulesDocument, sayWider);
    } else if (name === "caps") {
      merged[name] = narrowCaps((before ?? {}) as CapsDocument, value as CapsDocument, sayWider);
    } else if (name === "per_vendor_daily_caps") {
      merged[name] = narrowVendorUsd((before ?? {}) as VendorUsdDocument, value as VendorUsdDocument, sayWider);
    } else if (before === undefined) {
      merged[name] = value;
    } else {
      merged[name] = NARROWERS[name as NarrowedField](before, value, () => sayWider(name, before, value));
    }
  }
  return merged;
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

type NarrowedField = Exclude<PolicyFieldName, "parameters" | "caps" | "per_vendor_daily_caps" | "vendors">;

const NARROWERS: Record<NarrowedField, Narrower> = {
  vendor: same,
  description: (_base, given) => given,
  daily_usd_cap: atMost((value) => parseUsd(value as string)),
  // A cap over any 24 hours admits nothing that the same cap over a UTC day refuses; the other way round it does.
  cap_window: (base, given, sayWider) => {
    if (base === "rolling_24h" && given !== "rolling_24h") sayWider();
    return given;
  },
  daily_usd_cap_total: atMost((value) => parseUsd(value as string)),
  total_usd_cap: atMost((value) => parseUsd(value as string)),
  daily_cap: narrowMoney,
  total_cap: narrowMoney,
  max_amount_per_call_usd: atMost((value) => parseUsd(value as string)),
  on_unknown_cost: narrowUnknownCost,
  allowed_endpoints: withinRoutes,
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

/** As `within`, of endpoints: each is read once, since both lists may be long. */
function withinRoutes(base: unknown, given: unknown, sayWider: () => void): unknown {
  const outer = (base as readonly string[]).map(parseRoute);
  const inner = given as readonly string[];
  if (!inner.map(parseRoute).every((route) => outer.some((allowed) => covers(allowed, route)))) sayWider();
  return inner;
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
