import fc from "fast-check";
import type { Call } from "../../src/core/call.ts";
import type { PolicyDocument } from "../../src/policy/policy.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { call } from "./fake-vendor.ts";

const some = <T>(values: readonly T[]) => fc.subarray([...values], { minLength: 0 });

const ENDPOINTS = [
  "* /**",
  "POST /v1/**",
  "POST /v1/*",
  "POST /v1/charges",
  "POST /v1/keys",
  "GET /v1/**",
  "GET /v1/customers/*",
  "GET /v1/customers/cus_1",
  "HEAD /v1/customers/*",
  "POST /v1/messages",
  "POST /v1/emails",
  "* /v1/customers/*",
] as const;

const rule = fc.record(
  {
    in: some(["usd", "eur", "1"]),
    not_in: some(["eur", "2"]),
    min: fc.constantFrom(0, 100, 500),
    max: fc.constantFrom(500, 1000, 20_000),
    matches: fc.constantFrom("[a-z]+", "[0-9]+", ".*"),
    prefix_in: some(["u", "us", "1"]),
    required: fc.boolean(),
    forbidden: fc.boolean(),
  },
  { requiredKeys: [] },
);

const autoRevokeRule = fc.oneof(
  fc.record({ cap_hits: fc.constantFrom(1, 3, 10), within: fc.constantFrom("1m", "1h") }),
  fc.record({ vendor_errors: fc.constantFrom(2, 5), within: fc.constantFrom("1m", "1h") }),
  fc.record({ requests_over_baseline: fc.constantFrom("2x", "5x") }),
);

const amount = fc.constantFrom(0, 5, 50);
const kindCap = (name: string) => fc.record({ [name]: amount });

/** Any fields of a policy for the fake vendor, as a request may give them beside a template. */
export const fieldsArbitrary: fc.Arbitrary<Record<string, unknown>> = fc.record(
  {
    daily_usd_cap: fc.constantFrom(0, 5, "10.50", 500),
    total_usd_cap: fc.constantFrom(1, 1000),
    daily_cap: fc.record({ amount: fc.constantFrom(5, "10.50"), currency: fc.constantFrom("eur", "gbp") }),
    caps: fc.dictionary(
      fc.constantFrom("charge", "refund", "payout"),
      fc.oneof(kindCap("daily_usd"), kindCap("total_usd"), fc.record({ daily_usd: amount, total_usd: amount })),
      { minKeys: 1, noNullPrototype: true },
    ),
    max_amount_per_call_usd: fc.constantFrom(0, 5, 120),
    on_unknown_cost: fc.constantFrom("deny", "allow", "reserve_usd=5", { reserve_usd: 50 }),
    allowed_endpoints: some(ENDPOINTS),
    denied_endpoints: some(["POST /v1/charges", "GET /v1/customers/*", "* /v1/keys"]),
    parameters: fc.dictionary(fc.constantFrom("currency", "amount", "customer"), rule, {
      maxKeys: 2,
      noNullPrototype: true,
    }),
    customers: some(["cus_1", "cus_2"]),
    merchants: some(["acct_1"]),
    to_prefixes: some(["+1", "+1500", "+44"]),
    from_numbers: some(["+15005550006"]),
    from_domains: some(["example.com"]),
    to_domains: some(["example.com", "example.org"]),
    daily_send_cap: fc.constantFrom(0, 10),
    cap_window: fc.constantFrom("utc_day", "rolling_24h"),
    max_write_operations: fc.constantFrom(0, 7),
    requests_per_minute: fc.constantFrom(1, 30),
    requests_per_hour: fc.constantFrom(0, 100),
    allowed_currencies: some(["usd", "eur"]),
    idempotency: fc.constantFrom("replay", "forward"),
    dedup_window: fc.constantFrom("10s", "10m"),
    auto_revoke: fc.array(autoRevokeRule, { minLength: 1, maxLength: 3 }),
    expires_in: fc.constantFrom("30s", "2h", 60),
  },
  { requiredKeys: [] },
);

/** Canonical policies; without those whose rules contradict each other. */
export const policyArbitrary: fc.Arbitrary<PolicyDocument> = fieldsArbitrary
  .map((fields) => validatePolicy({ vendor: "fake", allowed_endpoints: ["* /**"], ...fields }))
  .filter((result) => result.ok)
  .map((result) => (result.ok ? result.policy : (undefined as never)));

export const callArbitrary: fc.Arbitrary<Call> = fc
  .record({
    endpoint: fc.constantFrom(
      "POST /v1/charges",
      "POST /v1/keys",
      "GET /v1/customers/cus_1",
      "HEAD /v1/customers/cus_1",
      "GET /v1/customers/cus_3",
      "POST /v1/customers/cus_2",
      "POST /v1/messages",
      "POST /v1/emails",
      "GET /v1/a/b",
      "POST /v1/charges/1/confirm",
    ),
    fields: fc.record(
      {
        amount: fc.constantFrom("1", "500", "12000", "99900"),
        currency: fc.constantFrom("usd", "eur"),
        customer: fc.constantFrom("cus_1", "cus_3"),
        to: fc.constantFrom("+15005550010", "+447700900000", "a@example.com|b@example.org", "a@example.net"),
        from: fc.constantFrom("+15005550006", "+15005550007", "team@example.com"),
      },
      { requiredKeys: [] },
    ),
    headers: fc.record({ account: fc.constantFrom("acct_1", "acct_2") }, { requiredKeys: [] }),
  })
  .map(({ endpoint, fields, headers }) =>
    endpoint.startsWith("POST") ? call(endpoint, { fields, headers }) : call(endpoint, { query: fields, headers }),
  );
