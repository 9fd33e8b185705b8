import { describe, expect, test } from "bun:test";
import { compilePolicies, compilePolicy } from "../../src/policy/compile.ts";
import { lintTemplate } from "../../src/policy/lint.ts";
import { fillTemplate, loadTemplate } from "../../src/policy/load.ts";
import { rulePlace } from "../../src/policy/rule-place.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { vendorPolicies, vendorsOf } from "../../src/policy/vendor-policies.ts";

const BOTH = {
  vendors: {
    stripe: { daily_usd_cap: 500, allowed_endpoints: "POST /v1/charges" },
    twilio: { daily_send_cap: "20", to_prefixes: ["+1"], idempotency: "replay" },
  },
  daily_usd_cap_total: 510,
  per_vendor_daily_caps: "stripe=400, twilio=20",
  cap_window: "rolling_24h",
  idempotency: "forward",
  expires_in: "2h",
};

function canonical(fields: unknown) {
  const result = validatePolicy(fields);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.policy;
}

describe("a policy for several vendors", () => {
  test("is read vendor by vendor, and reading it again changes nothing", () => {
    const policy = canonical(BOTH);
    expect(policy).toEqual({
      vendors: {
        stripe: { daily_usd_cap: "500.00", allowed_endpoints: ["POST /v1/charges"] },
        twilio: { daily_send_cap: 20, to_prefixes: ["+1"], idempotency: "replay" },
      },
      daily_usd_cap_total: "510.00",
      per_vendor_daily_caps: { stripe: "400.00", twilio: "20.00" },
      cap_window: "rolling_24h",
      idempotency: "forward",
      expires_in: "2h",
    });
    expect(canonical(policy)).toEqual(policy);
    expect(vendorsOf(policy)).toEqual(["stripe", "twilio"]);
  });

  test("gives each vendor the top's window, and its defaults where it does not say otherwise", () => {
    expect(vendorPolicies(canonical(BOTH))).toEqual([
      {
        vendor: "stripe",
        cap_window: "rolling_24h",
        idempotency: "forward",
        daily_usd_cap: "500.00",
        allowed_endpoints: ["POST /v1/charges"],
      },
      { vendor: "twilio", cap_window: "rolling_24h", idempotency: "replay", daily_send_cap: 20, to_prefixes: ["+1"] },
    ]);
  });

  test("is compiled for each vendor, with what is counted for all of them", () => {
    const policies = compilePolicies(canonical(BOTH));
    expect([...policies.keys()]).toEqual(["stripe", "twilio"]);
    expect(policies.get("twilio")).toMatchObject({
      vendor: "twilio",
      capWindow: "rolling_24h",
      idempotency: "replay",
      joint: { dailyMicros: 510_000_000n, vendorDailyMicros: 20_000_000n, totalMicros: undefined },
    });
    expect(policies.get("stripe")).toMatchObject({ dailyCapMicros: 500_000_000n, idempotency: "forward" });
    expect(() => compilePolicy(canonical(BOTH))).toThrow(RangeError);
  });

  test("for one vendor is compiled as ever, without anything joint", () => {
    const one = canonical({ vendor: "stripe", daily_usd_cap: 5 });
    expect(compilePolicies(one)).toEqual(new Map([["stripe", compilePolicy(one)]]));
    expect(compilePolicy(one)).not.toHaveProperty("joint");
  });
});

const OF_STRIPE = { stripe: {} };

test.each([
  ["vendor beside vendors", { vendor: "stripe", vendors: OF_STRIPE }, "vendor", "give one of them"],
  ["no vendor at all", { daily_usd_cap_total: 5 }, "vendor", "name one, like vendor: stripe, or several under vendors"],
  ["vendors without any", { vendors: {} }, "vendors", "must be a map like"],
  ["vendors as a list", { vendors: ["stripe"] }, "vendors", "must be a map like"],
  ["a vendor of another shape", { vendors: { Stripe: {} } }, "vendors.Stripe", "small letters"],
  ["a vendor without fields", { vendors: { stripe: null } }, "vendors.stripe", "must be a map of the vendor's own"],
  [
    "a vendor's cap at the top",
    { vendors: OF_STRIPE, daily_usd_cap: 5 },
    "daily_usd_cap",
    "vendors.stripe.daily_usd_cap",
  ],
  ["another one", { vendors: OF_STRIPE, daily_usd_cap: 5 }, "daily_usd_cap", "daily_usd_cap_total counts all vendors"],
  ["endpoints at the top", { vendors: OF_STRIPE, allowed_endpoints: [] }, "allowed_endpoints", "put it under vendors"],
  [
    "the key's life within a vendor",
    { vendors: { stripe: { expires_in: "2h" } } },
    "vendors.stripe.expires_in",
    "at the top",
  ],
  [
    "a window of one vendor's own",
    { vendors: { stripe: { cap_window: "utc_day" } } },
    "vendors.stripe.cap_window",
    "at the top",
  ],
  [
    "auto_revoke within a vendor",
    { vendors: { stripe: { auto_revoke: [] } } },
    "vendors.stripe.auto_revoke",
    "at the top",
  ],
  [
    "the total within a vendor",
    { vendors: { stripe: { daily_usd_cap_total: 5 } } },
    "vendors.stripe.daily_usd_cap_total",
    "at the top",
  ],
  [
    "vendors within a vendor",
    { vendors: { stripe: { vendor: "stripe" } } },
    "vendors.stripe.vendor",
    "the name before it",
  ],
  [
    "an unknown field",
    { vendors: { stripe: { daily_usd_cpa: 5 } } },
    "vendors.stripe.daily_usd_cpa",
    "did you mean daily_usd_cap?",
  ],
  [
    "a wrong value",
    { vendors: { stripe: { daily_usd_cap: -5 } } },
    "vendors.stripe.daily_usd_cap",
    "vendors.stripe.daily_usd_cap must be dollars",
  ],
  [
    "an entry of a list",
    { vendors: { twilio: { to_prefixes: ["1"] } } },
    "vendors.twilio.to_prefixes.0",
    "vendors.twilio.to_prefixes[0] must be",
  ],
  [
    "a cap of another vendor",
    { vendors: OF_STRIPE, per_vendor_daily_caps: { twilio: 5 } },
    "per_vendor_daily_caps.twilio",
    "its vendors are stripe",
  ],
  [
    "a cap by vendor that is none",
    { vendors: OF_STRIPE, per_vendor_daily_caps: { stripe: "x" } },
    "per_vendor_daily_caps.stripe",
    "must be dollars",
  ],
  [
    "caps by vendor as a number",
    { vendors: OF_STRIPE, per_vendor_daily_caps: 5 },
    "per_vendor_daily_caps",
    "dollars by vendor like",
  ],
  [
    "a cap twice",
    { vendors: OF_STRIPE, per_vendor_daily_caps: "stripe=5,stripe=6" },
    "per_vendor_daily_caps.stripe",
    "twice",
  ],
  [
    "a total for one vendor",
    { vendor: "stripe", daily_usd_cap_total: 5 },
    "daily_usd_cap_total",
    "this one is for stripe; use daily_usd_cap",
  ],
  [
    "caps by vendor for one",
    { vendor: "stripe", per_vendor_daily_caps: { stripe: 5 } },
    "per_vendor_daily_caps",
    "use daily_usd_cap",
  ],
])("refuses %s", (_title, fields, path, message) => {
  const result = validatePolicy(fields);
  if (result.ok) throw new Error("it was taken");
  const found = result.problems.find((problem) => problem.path.join(".") === path);
  expect(found?.message).toContain(message as string);
});

const TEMPLATE = `description: billing and its messages
vendors:
  stripe:
    daily_usd_cap: 5
    allowed_endpoints:
      - POST /v1/charges/\${id}
    customers: \${customers}
  twilio:
    customers: \${customers}
daily_usd_cap_total: 6
per_vendor_daily_caps: { stripe: 4 }
inputs:
  customers: { default: any }
`;

describe("a template for several vendors", () => {
  const template = loadTemplate(TEMPLATE, "both.yaml");

  test("knows its vendors", () => {
    expect(template.vendors).toEqual(["stripe", "twilio"]);
  });

  test("keeps a vendor whose every rule was left out", () => {
    expect(fillTemplate(template, { id: "ch_1" }).vendors).toEqual({
      stripe: { daily_usd_cap: "5.00", allowed_endpoints: ["POST /v1/charges/ch_1"] },
      twilio: {},
    });
  });

  test.each(["*", "a/b", "ch_1/../x"])("lets no input widen an endpoint within a vendor: %s", (id) => {
    expect(() => fillTemplate(template, { id })).toThrow("letters, digits and . _ ~ -");
  });

  test.each([
    ["allowed_endpoints[0]", "stripe", 6],
    ["vendors.stripe.daily_usd_cap", "stripe", 4],
    ["per_vendor_daily_caps.stripe", "stripe", 11],
    ["daily_usd_cap_total", "twilio", 10],
    ["customers", "twilio", 9],
    ["allowed_endpoints", "twilio", undefined],
    ["max_amount_per_call_usd", "stripe", undefined],
  ])("%s of a call to %s stands in line %p", (rule, vendor, line) => {
    const policy = fillTemplate(template, { id: "ch_1", customers: "cus_1" });
    expect(rulePlace(template, policy, rule, vendor)?.line).toBe(line as number);
  });
});

describe("lint", () => {
  const lint = (text: string) =>
    lintTemplate(text, "t.yaml").map(
      ({ line, column, severity, message }) => `${line}:${column} ${severity} ${message}`,
    );

  test("finds errors within vendors by line and column", () => {
    const text = [
      "vendors:",
      "  stripe:",
      "    daily_usd_cpa: 5",
      "    allowed_endpoints: [POST /v1/charges, GET x]",
      "  twilio:",
      "    expires_in: 2h",
      "daily_usd_cap: 5",
    ].join("\n");
    expect(lint(text).filter((line) => line.includes(" error "))).toEqual([
      expect.stringMatching(/^3:5 error "daily_usd_cpa" is not a field/),
      expect.stringMatching(/^4:43 error vendors\.stripe\.allowed_e/),
      expect.stringMatching(/^6:5 error vendors\.twilio\.expires_in/),
      expect.stringMatching(/^7:16 error daily_usd_cap is each vendor/),
    ]);
  });

  test("knows vendors that there are not, and says what each vendor's rules do not do", () => {
    const text = [
      "vendors:",
      "  strype: { daily_usd_cap: 5 }",
      "  twilio:",
      "    allowed_endpoints: [POST /2010-04-01/Accounts/*/Messages.json]",
      "  resend: {}",
    ].join("\n");
    expect(lint(text)).toEqual([
      '2:3 error vendor: there is no vendor "strype"; did you mean stripe?',
      expect.stringContaining(
        '4:25 warning twilio: "POST /2010-04-01/Accounts/*/Messages.json" costs money and there is no cap',
      ),
      expect.stringMatching(/^5:\d+ warning resend: there are no allowed_endpoints/),
    ]);
  });

  test.each(["daily_usd_cap_total: 5", "total_usd_cap: 5", "per_vendor_daily_caps: { stripe: 5 }"])(
    "counts %s at the top as a cap of what costs",
    (cap) => {
      expect(lint(`vendors: { stripe: { allowed_endpoints: [POST /v1/charges] } }\n${cap}`)).toEqual([]);
    },
  );
});
