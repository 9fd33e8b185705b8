import { describe, expect, test } from "bun:test";
import { Value } from "@sinclair/typebox/value";
import { PolicySchema } from "../../src/policy/schema.ts";
import { validatePolicy } from "../../src/policy/validate.ts";

function problems(input: unknown) {
  const result = validatePolicy(input);
  return result.ok ? [] : result.problems;
}

describe("what is taken", () => {
  test("is made canonical", () => {
    const result = validatePolicy({
      vendor: "stripe",
      daily_usd_cap: 500.0,
      total_usd_cap: "29.990",
      daily_cap: { amount: 500, currency: "EUR" },
      total_cap: "29.9gbp",
      caps: { refund: { daily_usd: 50 }, payout: { daily_usd: "0", total_usd: 9.5 } },
      max_amount_per_call_usd: 0.1,
      allowed_endpoints: " POST /v1/charges , GET /v1/customers/*",
      customers: "cus_1,cus_2,cus_1",
      to_domains: ["Example.COM"],
      allowed_currencies: ["EUR", "usd"],
      daily_send_cap: "20",
      idempotency: " forward ",
      dedup_window: 90,
      expires_in: 3600,
      parameters: { amount: { min: 1, max: "100" }, a: { in: ["x", 5, true], required: false, forbidden: true } },
    });
    expect(result).toEqual({
      ok: true,
      policy: {
        vendor: "stripe",
        daily_usd_cap: "500.00",
        total_usd_cap: "29.99",
        daily_cap: { amount: "500.00", currency: "eur" },
        total_cap: { amount: "29.90", currency: "gbp" },
        caps: { refund: { daily_usd: "50.00" }, payout: { daily_usd: "0.00", total_usd: "9.50" } },
        max_amount_per_call_usd: "0.10",
        allowed_endpoints: ["POST /v1/charges", "GET /v1/customers/*"],
        parameters: { amount: { min: "1", max: "100" }, a: { in: ["x", "5", "true"], forbidden: true } },
        customers: ["cus_1", "cus_2"],
        to_domains: ["example.com"],
        daily_send_cap: 20,
        idempotency: "forward",
        dedup_window: "90s",
        allowed_currencies: ["eur", "usd"],
        expires_in: "3600s",
      },
    });
    if (result.ok) {
      expect(Value.Check(PolicySchema, result.policy)).toBe(true);
      expect(validatePolicy(JSON.parse(JSON.stringify(result.policy)))).toEqual(result);
    }
  });

  test("may say caps by kind in one text, as a flag does", () => {
    const caps = " refund.daily_usd=50, payout.daily_usd=0,payout.total_usd=9.5";
    expect(validatePolicy({ vendor: "stripe", caps })).toEqual({
      ok: true,
      policy: {
        vendor: "stripe",
        caps: { refund: { daily_usd: "50.00" }, payout: { daily_usd: "0.00", total_usd: "9.50" } },
      },
    });
  });

  test("may have a cap of 0, which means that nothing may be spent", () => {
    expect(validatePolicy({ vendor: "stripe", daily_usd_cap: 0 })).toEqual({
      ok: true,
      policy: { vendor: "stripe", daily_usd_cap: "0.00" },
    });
  });
});

describe("what is refused", () => {
  const rule = (value: unknown) => ({ vendor: "stripe", parameters: { amount: value } });
  test.each([
    ["a vendor that is missing", {}, "vendor", "vendor is missing"],
    ["no map", [], "", "not a list"],
    ["a negative cap", { vendor: "stripe", daily_usd_cap: -1 }, "daily_usd_cap", "not -1"],
    ["a cap of seven decimals", { vendor: "stripe", daily_usd_cap: 0.0000001 }, "daily_usd_cap", "six decimals"],
    ["a cap that is no number", { vendor: "stripe", daily_usd_cap: "five" }, "daily_usd_cap", 'not "five"'],
    ["NaN", { vendor: "stripe", daily_usd_cap: Number.NaN }, "daily_usd_cap", "not NaN"],
    ["an empty value", { vendor: "stripe", daily_usd_cap: null }, "daily_usd_cap", "is empty"],
    ["an empty text for a list", { vendor: "stripe", customers: "" }, "customers", 'not ""'],
    ["a fraction for a count", { vendor: "stripe", daily_send_cap: 1.5 }, "daily_send_cap", "not 1.5"],
    ["a negative rate", { vendor: "stripe", requests_per_minute: -1 }, "requests_per_minute", "not -1"],
    ["no duration", { vendor: "stripe", expires_in: "soon" }, "expires_in", "30s, 5m, 2h"],
    [
      "another word for idempotency",
      { vendor: "stripe", idempotency: "off" },
      "idempotency",
      'must be replay or forward, not "off"',
    ],
    ["a window that is no duration", { vendor: "stripe", dedup_window: "soon" }, "dedup_window", "30s, 5m, 2h"],
    [
      "another window",
      { vendor: "stripe", cap_window: "week" },
      "cap_window",
      'must be utc_day or rolling_24h, not "week"',
    ],
    [
      "no endpoint",
      { vendor: "stripe", allowed_endpoints: ["POST /v1/a", "/v1/b"] },
      "allowed_endpoints.1",
      "POST /v1/charges",
    ],
    ["an endpoint with dots", { vendor: "stripe", denied_endpoints: ["GET /a/../b"] }, "denied_endpoints.0", '".."'],
    ["a prefix without +", { vendor: "twilio", to_prefixes: ["1"] }, "to_prefixes.0", '"+1"'],
    ["a prefix with letters", { vendor: "twilio", to_prefixes: ["+1a"] }, "to_prefixes.0", "digits"],
    ["no domain", { vendor: "resend", to_domains: ["a@example.com"] }, "to_domains.0", "a domain like example.com"],
    ["a domain of one label", { vendor: "resend", to_domains: ["localhost"] }, "to_domains.0", "a domain"],
    ["no currency", { vendor: "stripe", allowed_currencies: ["dollars"] }, "allowed_currencies.0", "ISO code"],
    ["a vendor of another shape", { vendor: "Stripe/../x" }, "vendor", "small letters"],
    ["caps that are a list", { vendor: "stripe", caps: [] }, "caps", "{ refund: { daily_usd: 50 } }"],
    ["caps of nothing", { vendor: "stripe", caps: {} }, "caps", "{ refund: { daily_usd: 50 } }"],
    ["a kind that there is not", { vendor: "stripe", caps: { tip: { daily_usd: 1 } } }, "caps.tip", "the kinds are"],
    ["a kind that costs nothing", { vendor: "stripe", caps: { read: { daily_usd: 1 } } }, "caps.read", "the kinds are"],
    ["a kind without a cap", { vendor: "stripe", caps: { refund: {} } }, "caps.refund", "{ daily_usd: 50 }"],
    ["a kind that is an amount", { vendor: "stripe", caps: { refund: 50 } }, "caps.refund", "not 50"],
    [
      "a cap of a kind that there is not",
      { vendor: "stripe", caps: { refund: { daily_sends: 1 } } },
      "caps.refund.daily_sends",
      "a kind has daily_usd, total_usd",
    ],
    [
      "a negative cap of a kind",
      { vendor: "stripe", caps: { refund: { daily_usd: -1 } } },
      "caps.refund.daily_usd",
      "not -1",
    ],
    [
      "__proto__ as a kind",
      JSON.parse('{"vendor":"stripe","caps":{"__proto__":{"daily_usd":1}}}'),
      "caps.__proto__",
      "has",
    ],
    ["a text that is no caps", { vendor: "stripe", caps: "refund=50" }, "caps", 'refund.daily_usd=50, not "refund=50"'],
    ["a cap said twice", { vendor: "stripe", caps: "refund.daily_usd=1,refund.daily_usd=2" }, "caps", "twice"],
    ["a currency cap in dollars' form", { vendor: "stripe", daily_cap: 5 }, "daily_cap", "there is daily_usd_cap"],
    ["a currency cap without currency", { vendor: "stripe", total_cap: { amount: 5 } }, "total_cap", "total_usd_cap"],
    [
      "a currency that there is not",
      { vendor: "stripe", daily_cap: { amount: 5, currency: "euro" } },
      "daily_cap.currency",
      "ISO code",
    ],
    ["a currency cap of dollars", { vendor: "stripe", daily_cap: "$5 eur" }, "daily_cap", "not"],
    [
      "a negative amount",
      { vendor: "stripe", daily_cap: { amount: -5, currency: "eur" } },
      "daily_cap.amount",
      "500 or 29.99",
    ],
    [
      "another word in a currency cap",
      { vendor: "stripe", daily_cap: { amount: 5, currency: "eur", rate: 1 } },
      "daily_cap.rate",
      "amount and currency",
    ],
    ["rules that are a list", { vendor: "stripe", parameters: [] }, "parameters", "not a list"],
    ["a rule that is text", rule("usd"), "parameters.amount", "{ in: [usd] }"],
    ["a rule that says nothing", rule({}), "parameters.amount", "says nothing"],
    ["min over max", rule({ min: 2, max: 1 }), "parameters.amount", "min 2 over max 1"],
    ["required and forbidden", rule({ required: true, forbidden: true }), "parameters.amount", "keep one"],
    ["required as text", rule({ required: "yes" }), "parameters.amount.required", "true or false"],
    ["a fraction for min", rule({ min: 1.5 }), "parameters.amount.min", "whole number"],
    [
      "a name with an empty bracket",
      { vendor: "stripe", parameters: { "to[]": { in: ["a"] } } },
      "parameters.to[]",
      "metadata[order_id]",
    ],
    [
      "__proto__ as a name",
      JSON.parse('{"vendor":"stripe","parameters":{"__proto__":{"in":["a"]}}}'),
      "parameters.__proto__",
      "as the vendor does",
    ],
    [
      "__proto__ as a field",
      JSON.parse('{"vendor":"stripe","__proto__":{"daily_usd_cap":1}}'),
      "__proto__",
      "not a field",
    ],
    ["constructor as a rule", rule({ constructor: 1 }), "parameters.amount.constructor", "a rule has"],
  ])("%s", (_title, input, path, message) => {
    const found = problems(input);
    expect(found.map((problem) => problem.path.join("."))).toEqual([path as string]);
    expect(found[0]!.message).toContain(message as string);
  });

  test("with the nearest known name", () => {
    expect(
      problems({ vendor: "stripe", daily_cap_usd: 5, "max-amount-per-call-usd": 1, alowed_endpoints: [] }),
    ).toMatchObject([
      { path: ["daily_cap_usd"], nearest: "daily_usd_cap" },
      { path: ["max-amount-per-call-usd"], nearest: "max_amount_per_call_usd" },
      { path: ["alowed_endpoints"], nearest: "allowed_endpoints" },
    ]);
    expect(problems({ vendor: "stripe", caps: { refnd: { daily_usd: 1 }, payout: { dayly_usd: 1 } } })).toMatchObject([
      { path: ["caps", "refnd"], nearest: "refund", message: 'caps has "refnd"; did you mean refund?' },
      { path: ["caps", "payout", "dayly_usd"], nearest: "daily_usd" },
    ]);
    expect(problems({ vendor: "stripe", parameters: { a: { require: true } } })[0]).toMatchObject({
      nearest: "required",
    });
  });

  test("with every problem, not only the first", () => {
    const found = problems({ daily_usd_cap: -1, colour: 1, customers: ["a b", "cus_1", 1.5, {}], expires_in: 0 });
    expect(found.map(({ path }) => path.join("."))).toEqual([
      "vendor",
      "colour",
      "daily_usd_cap",
      "customers.0",
      "customers.3",
      "expires_in",
    ]);
  });
});
