import { describe, expect, test } from "bun:test";
import { compilePolicy } from "../../src/policy/compile.ts";
import { explain } from "../../src/policy/explain.ts";
import { judge } from "../../src/policy/judge.ts";
import { lintTemplate, policyWarnings } from "../../src/policy/lint.ts";
import type { PolicyDocument } from "../../src/policy/policy.ts";
import { unpricedExposure } from "../../src/policy/unknown-cost.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { ACCOUNT, type CallParts, call, fakeVendor, PRICING } from "./fake-vendor.ts";

type Fields = Record<string, unknown>;

function document(fields: Fields): PolicyDocument {
  const result = validatePolicy({ vendor: "fake", allowed_endpoints: ["* /**"], ...fields });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.policy;
}

/** The verdict and the rule; of a call that is let in, what it is held at, its sends and whether it has a price. */
function decided(fields: Fields, endpoint: string, parts: CallParts): string {
  const judgement = judge(compilePolicy(document(fields)), fakeVendor, ACCOUNT, call(endpoint, parts), PRICING);
  if (!judgement.ok) return "rule" in judgement ? `${judgement.code} ${judgement.rule}` : judgement.code;
  const { micros, sends, unpriced, source } = judgement.exposure;
  return `${micros} ${sends} ${source}${unpriced ? " unpriced" : ""}`;
}

const CONFIRM = "POST /v1/charges/ch_1/confirm";
const RESERVE = { on_unknown_cost: { reserve_usd: 5 } };
const ALLOW = { on_unknown_cost: "allow" };
const CHARGE = { fields: { amount: "500", currency: "usd" } };

const JUDGED: readonly (readonly [title: string, Fields, endpoint: string, CallParts, expected: string])[] = [
  ["deny refuses an operation of unknown cost", { on_unknown_cost: "deny" }, CONFIRM, {}, "cost_unknown unknown_cost"],
  ["a reserve holds its amount for an operation of unknown cost", RESERVE, CONFIRM, {}, "5000000 0 none unpriced"],
  ["and for one that the vendor does not list", RESERVE, "POST /v1/nonsense", {}, "5000000 0 none unpriced"],
  ["and for a read that the vendor does not list", RESERVE, "GET /v9/x", {}, "5000000 0 none unpriced"],
  ["and for a priced one that cannot be priced", RESERVE, "POST /v1/charges", {}, "5000000 0 none unpriced"],
  ["allow holds nothing", ALLOW, CONFIRM, {}, "0 0 none unpriced"],
  ["what has a price keeps it under a reserve", RESERVE, "POST /v1/charges", CHARGE, "5000000 0 request"],
  ["what has a price keeps it under allow", ALLOW, "POST /v1/charges", CHARGE, "5000000 0 request"],
  ["what is free stays free", RESERVE, "GET /v1/a", {}, "0 0 none"],
  ["a closed operation stays closed under a reserve", RESERVE, "POST /v1/keys", {}, "endpoint_denied closed"],
  ["a closed operation stays closed under allow", ALLOW, "POST /v1/keys", {}, "endpoint_denied closed"],
  [
    "what the vendor's file refuses stays refused",
    ALLOW,
    "GET /v1/cards",
    { query: { reveal: "number" } },
    "endpoint_denied vendor",
  ],
  [
    "a currency that may not be charged stays refused",
    ALLOW,
    "POST /v1/charges",
    { fields: { amount: "5", currency: "eur" } },
    "currency_denied allowed_currencies",
  ],
  [
    "a denied endpoint stays denied",
    { ...ALLOW, denied_endpoints: ["POST /v1/charges/**"] },
    CONFIRM,
    {},
    "endpoint_denied denied_endpoints[0]",
  ],
  [
    "a reserve over the limit of one call is refused",
    { ...RESERVE, max_amount_per_call_usd: 4.99 },
    CONFIRM,
    {},
    "amount_denied max_amount_per_call_usd",
  ],
  [
    "a reserve at the limit of one call passes",
    { ...RESERVE, max_amount_per_call_usd: 5 },
    CONFIRM,
    {},
    "5000000 0 none unpriced",
  ],
  [
    "a call without a price must name one of the customers",
    { ...RESERVE, customers: ["cus_1"] },
    CONFIRM,
    {},
    "customers_wanted",
  ],
  [
    "and passes where it does",
    { ...RESERVE, customers: ["cus_1"] },
    CONFIRM,
    { fields: { customer: "cus_1" } },
    "5000000 0 none unpriced",
  ],
  [
    "what it shows as recipients counts as sends",
    RESERVE,
    "POST /v1/nonsense",
    { fields: { to: "+15005550010|+15005550011" } },
    "5000000 2 none unpriced",
  ],
];

describe("on_unknown_cost", () => {
  for (const [title, fields, endpoint, parts, expected] of JUDGED) {
    test(title, () => {
      const customers = expected === "customers_wanted";
      expect(decided(fields, endpoint, parts)).toBe(customers ? "scope_denied customers" : expected);
    });
  }
});

test.each([
  ["deny", "deny"],
  [" allow ", "allow"],
  ["reserve_usd=5", { reserve_usd: "5.00" }],
  ["reserve_usd = 0.5", { reserve_usd: "0.50" }],
  [{ reserve_usd: 29.99 }, { reserve_usd: "29.99" }],
])("reads %j", (given, read) => {
  const once = document({ on_unknown_cost: given });
  expect(once["on_unknown_cost"]).toEqual(read as never);
  expect(document(once)).toEqual(once);
});

test.each([
  ["maybe", 'on_unknown_cost must be deny, allow or { reserve_usd: 5 }, not "maybe"'],
  [5, "on_unknown_cost must be deny, allow or { reserve_usd: 5 }, not 5"],
  [{}, "on_unknown_cost must be deny, allow or { reserve_usd: 5 }, not a map"],
  [{ reserve_usd: 5, daily_usd: 9 }, "on_unknown_cost must be"],
  [
    "reserve_usd=lots",
    'on_unknown_cost.reserve_usd must be dollars like 500, 29.99 or 0 (up to six decimals, no sign), not "lots"',
  ],
  [{ reserve_usd: 0 }, "on_unknown_cost.reserve_usd must be above 0, not 0; allow is what counts nothing"],
])("refuses %j and says what it takes", (given, message) => {
  expect(() => document({ on_unknown_cost: given })).toThrow(message as string);
});

test.each([
  ["message", 1],
  ["email", 1],
  ["charge", 0],
] as const)("a %s that shows no recipient counts as %i sends", (kind, sends) => {
  const operation = { name: "x", route: "POST /v1/x", class: "priced", kind } as const;
  const said = { ok: false, code: "cost_unknown", message: "?" } as const;
  expect(unpricedExposure(0n, said, operation, {})).toMatchObject({ sends });
});

describe("says loudly", () => {
  const lint = (fields: string) => {
    const text = `vendor: fake\ndaily_usd_cap: 5\nallowed_endpoints: [POST /v1/charges/*/confirm, PATCH /v2/x]\n${fields}`;
    return lintTemplate(text, "t.yaml", [fakeVendor]).map(({ line, message }) => `${line} ${message}`);
  };
  test("in policy lint and at the key's issue that allow counts nothing", () => {
    expect(lint("on_unknown_cost: allow")).toEqual([expect.stringContaining("4 on_unknown_cost: allow lets calls")]);
    const warnings = policyWarnings(document({ ...ALLOW, daily_usd_cap: 5 }), [fakeVendor], new Map());
    expect(warnings).toEqual([expect.stringContaining("no cap in dollars counts")]);
  });
  test("that a reserve is over what one call may cost", () => {
    expect(lint("on_unknown_cost: { reserve_usd: 5 }\nmax_amount_per_call_usd: 4")).toEqual([
      expect.stringContaining("reserves $5.00, over the $4.00 of max_amount_per_call_usd"),
    ]);
  });
  test("nothing of a reserve that fits, nor that its calls are refused", () => {
    expect(lint("on_unknown_cost: { reserve_usd: 5 }")).toEqual([]);
    expect(lint("on_unknown_cost: deny")).toEqual([
      expect.stringContaining("refused (cost_unknown)"),
      expect.stringContaining("refused (cost_unknown)"),
    ]);
  });
  test.each([
    [RESERVE, "is allowed and reserves $5.00 (on_unknown_cost: nobody can say what it costs; counted in full"],
    [
      ALLOW,
      "is allowed and reserves $0.00 (on_unknown_cost: allow; nobody can say what it costs, and it is not counted)",
    ],
  ])("in an explanation: %j", (fields, said) => {
    const setting = { policy: compilePolicy(document(fields)), vendor: fakeVendor, account: ACCOUNT, pricing: PRICING };
    expect(explain(setting, call(CONFIRM)).message).toContain(said as string);
  });
});
