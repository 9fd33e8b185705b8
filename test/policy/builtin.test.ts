import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import type { Call } from "../../src/core/call.ts";
import { BUILTIN_TEMPLATES } from "../../src/policy/builtin.ts";
import { compilePolicies, compilePolicy } from "../../src/policy/compile.ts";
import { explain } from "../../src/policy/explain.ts";
import { callFromText } from "../../src/policy/explain-call.ts";
import { judge } from "../../src/policy/judge.ts";
import { lintTemplate } from "../../src/policy/lint.ts";
import { fillTemplate, type InputValues, loadTemplate } from "../../src/policy/load.ts";
import { narrowPolicy } from "../../src/policy/narrow.ts";
import { vendorNamed } from "../../src/vendors/index.ts";
import { PRICING } from "./fake-vendor.ts";

const ACCOUNT_SID = `AC${"0".repeat(32)}`;

function filled(name: string, inputs: InputValues = {}) {
  return fillTemplate(loadTemplate(BUILTIN_TEMPLATES.get(`${name}.yaml`)!, `${name}.yaml`), inputs);
}

function explained(
  name: string,
  inputs: InputValues,
  endpoint: string,
  data: readonly string[],
  change = (call: Call) => call,
) {
  const document = filled(name, inputs);
  const [, prefix] = /^\S+ \/([a-z]+)\//.exec(endpoint) ?? [];
  const vendor = vendorNamed(document.vendor ?? prefix!)!;
  const account = { accountId: vendor.name === "twilio" ? ACCOUNT_SID : "" };
  const call = change(callFromText(vendor, endpoint.replace("AC", ACCOUNT_SID), data));
  return explain({ policy: compilePolicies(document).get(vendor.name)!, vendor, account, pricing: PRICING }, call);
}

test("the binary carries every template of policies/", () => {
  const files = readdirSync(join(import.meta.dir, "../../policies")).filter((name) => name !== "budgets.yaml");
  expect([...BUILTIN_TEMPLATES.keys()]).toEqual(files.sort());
});

test.each([...BUILTIN_TEMPLATES])("%s has no lint errors and no warnings, and an expiry", (fileName, text) => {
  expect(lintTemplate(text, fileName)).toEqual([]);
  const inputs = fileName === "tenant-billing.yaml" ? RUN : {};
  expect(filled(fileName.replace(".yaml", ""), inputs)).toMatchObject({ expires_in: expect.any(String) });
});

test("tenant-billing is not filled without the tenant's customers, and its cap follows the plan", () => {
  expect(() => filled("tenant-billing")).toThrow(/customers/);
  expect(filled("tenant-billing", RUN)).toMatchObject({ daily_usd_cap: "500.00" });
  expect(filled("tenant-billing", { ...RUN, cap: "5000" })).toMatchObject({ daily_usd_cap: "5000.00" });
});

test("refunds has a cap of its kind, which fields beside it can lower", () => {
  const document = filled("refunds");
  expect(document).toMatchObject({ daily_usd_cap: "200.00", caps: { refund: { daily_usd: "200.00" } } });
  const narrowed = narrowPolicy(document, { caps: "refund.daily_usd=50" }, [vendorNamed("stripe")!]);
  expect(narrowed["caps"]).toEqual({ refund: { daily_usd: "50.00" } });
});

test("billing without --set has its caps and no rule about customers", () => {
  expect(filled("billing")).toEqual({
    vendor: "stripe",
    description: "Charge the customers of one billing run",
    daily_usd_cap: "500.00",
    max_amount_per_call_usd: "120.00",
    allowed_endpoints: ["POST /v1/payment_intents", "POST /v1/payment_intents/*/confirm", "GET /v1/customers/*"],
    parameters: { currency: { in: ["usd"] }, "metadata[order_id]": { matches: "ord_[0-9]+" } },
    allowed_currencies: ["usd"],
    expires_in: "2h",
  });
});

const PAY = "POST /v1/payment_intents";
const AT_STRIPE = "POST /stripe/v1/payment_intents";
const AT_TWILIO = "POST /twilio/2010-04-01/Accounts/AC/Messages.json";
const SMS = "POST /2010-04-01/Accounts/AC/Messages.json";
const RUN = { customers: "cus_1,cus_2" };
const FROM = { from: "example.com" };
const mail = (parts: object) => [
  JSON.stringify({ from: "Team <team@example.com>", to: ["a@example.org"], subject: "Hi", text: "Hi", ...parts }),
];

type Row = [
  template: string,
  inputs: InputValues,
  endpoint: string,
  data: readonly string[],
  verdict: string,
  exposure: string,
];

describe("verdicts and exposures", () => {
  test.each<Row>([
    ["billing", {}, PAY, ["amount=2999", "currency=usd", "customer=cus_7"], "allowed", "29.99"],
    ["billing", {}, PAY, ["amount=2999", "currency=usd"], "allowed", "29.99"],
    ["billing", {}, PAY, ["amount=12000", "currency=usd"], "allowed", "120.00"],
    ["billing", {}, PAY, ["amount=12001", "currency=usd"], "amount_denied", "120.01"],
    ["billing", {}, PAY, ["amount=2999", "currency=eur"], "parameter_denied", "0.00"],
    ["billing", {}, PAY, ["amount=2999", "currency=usd", "metadata[order_id]=ord_17"], "allowed", "29.99"],
    ["billing", {}, PAY, ["amount=2999", "currency=usd", "metadata[order_id]=17"], "parameter_denied", "0.00"],
    ["billing", {}, "POST /v1/payment_intents/pi_1/confirm", [], "allowed", "0.00"],
    ["billing", {}, "POST /v1/payment_intents/pi_1", ["amount=2999"], "endpoint_denied", "0.00"],
    ["billing", {}, "GET /v1/customers/cus_9", [], "allowed", "0.00"],
    ["billing", {}, "GET /v1/customers", [], "endpoint_denied", "0.00"],
    ["billing", {}, "POST /v1/refunds", ["payment_intent=pi_1", "amount=1"], "endpoint_denied", "0.00"],
    ["billing", {}, "POST /v1/payouts", ["amount=1", "currency=usd"], "endpoint_denied", "0.00"],
    ["billing", RUN, PAY, ["amount=2999", "currency=usd", "customer=cus_2"], "allowed", "29.99"],
    ["billing", RUN, PAY, ["amount=2999", "currency=usd", "customer=cus_9"], "scope_denied", "0.00"],
    ["billing", RUN, PAY, ["amount=2999", "currency=usd"], "scope_denied", "0.00"],
    ["billing", RUN, "GET /v1/customers/cus_9", [], "scope_denied", "0.00"],
    // What a refund costs depends on the charge's currency: it is looked up, and judged by its amount then.
    ["refunds", {}, "POST /v1/refunds", ["charge=ch_1", "amount=1500"], "allowed", "0.00"],
    ["refunds", {}, "POST /v1/refunds", ["charge=ch_1", "amount=1500", "reason=duplicate"], "allowed", "0.00"],
    ["refunds", {}, "POST /v1/refunds", ["charge=ch_1"], "parameter_denied", "0.00"],
    [
      "refunds",
      {},
      "POST /v1/refunds",
      ["charge=ch_1", "amount=1500", "reason=fraudulent"],
      "parameter_denied",
      "0.00",
    ],
    [
      "refunds",
      {},
      "POST /v1/refunds",
      ["charge=ch_1", "amount=1500", "reverse_transfer=true"],
      "parameter_denied",
      "0.00",
    ],
    ["refunds", {}, "GET /v1/charges/ch_1", [], "allowed", "0.00"],
    ["refunds", {}, "POST /v1/charges", ["amount=1500", "currency=usd"], "endpoint_denied", "0.00"],
    ["notifications-sms", {}, SMS, ["To=+14155550100", "From=+15005550006", "Body=Hi"], "allowed", "*"],
    ["notifications-sms", {}, SMS, ["To=+447700900000", "From=+15005550006", "Body=Hi"], "scope_denied", "0.00"],
    [
      "notifications-sms",
      { prefixes: "+44,+353" },
      SMS,
      ["To=+14155550100", "From=+15005550006", "Body=Hi"],
      "scope_denied",
      "0.00",
    ],
    [
      "notifications-sms",
      { senders: "+15005550006" },
      SMS,
      ["To=+14155550100", "From=+15005550007", "Body=Hi"],
      "scope_denied",
      "0.00",
    ],
    [
      "notifications-sms",
      { senders: "+15005550006" },
      SMS,
      ["To=+14155550100", "MessagingServiceSid=MG1", "Body=Hi"],
      "scope_denied",
      "0.00",
    ],
    [
      "notifications-sms",
      {},
      SMS,
      ["To=+14155550100", "From=+15005550006", "Body=Hi", "StatusCallback=https://example.net"],
      "parameter_denied",
      "0.00",
    ],
    [
      "notifications-sms",
      {},
      "POST /2010-04-01/Accounts/AC/Calls.json",
      ["To=+14155550100"],
      "endpoint_denied",
      "0.00",
    ],
    ["notifications-sms", {}, "GET /2010-04-01/Accounts/AC.json", [], "endpoint_denied", "0.00"],
    ["notifications-sms", {}, "GET /2010-04-01/Accounts/AC/Messages/SM1.json", [], "allowed", "0.00"],
    [
      "notifications-sms",
      {},
      `POST /2010-04-01/Accounts/XC${"1".repeat(32)}/Messages.json`,
      ["To=+14155550100", "Body=Hi"],
      "scope_denied",
      "0.00",
    ],
    ["email", FROM, "POST /emails", mail({}), "allowed", "0.0009"],
    ["email", {}, "POST /emails", mail({ from: "a@example.net" }), "allowed", "0.0009"],
    [
      "email",
      FROM,
      "POST /emails",
      mail({ to: ["a@example.org", "b@example.org"], cc: "c@example.org", bcc: "d@example.org" }),
      "allowed",
      "0.0036",
    ],
    ["email", FROM, "POST /emails", mail({ from: "ceo@example.net" }), "scope_denied", "0.00"],
    ["email", { ...FROM, to: "example.org" }, "POST /emails", mail({ bcc: ["x@example.net"] }), "scope_denied", "0.00"],
    ["email", FROM, "POST /emails/batch", [`[${mail({})[0]},${mail({})[0]}]`], "allowed", "0.0018"],
    [
      "email",
      FROM,
      "POST /emails/batch",
      [`[${mail({})[0]},${mail({ from: "a@example.net" })[0]}]`],
      "scope_denied",
      "0.00",
    ],
    ["email", FROM, "POST /api-keys", ["name=x"], "endpoint_denied", "0.00"],
    ["email", FROM, "POST /broadcasts", ["name=x"], "endpoint_denied", "0.00"],
    ["refunds", {}, "GET /v1/customers/cus_1", [], "allowed", "0.00"],
    ["refunds", {}, "GET /v1/customers", [], "endpoint_denied", "0.00"],
    ["multi-vendor", {}, AT_STRIPE, ["amount=2999", "currency=usd"], "allowed", "29.99"],
    ["multi-vendor", {}, AT_STRIPE, ["amount=12001", "currency=usd"], "amount_denied", "120.01"],
    ["multi-vendor", RUN, AT_STRIPE, ["amount=2999", "currency=usd", "customer=cus_9"], "scope_denied", "0.00"],
    ["multi-vendor", {}, "POST /stripe/v1/refunds", ["payment_intent=pi_1"], "endpoint_denied", "0.00"],
    ["multi-vendor", {}, AT_TWILIO, ["To=+14155550100", "From=+15005550006", "Body=Hi"], "allowed", "*"],
    ["multi-vendor", {}, AT_TWILIO, ["To=+2348012345678", "From=+15005550006", "Body=Hi"], "scope_denied", "0.00"],
    ["multi-vendor", FROM, "POST /resend/emails", mail({}), "allowed", "0.0009"],
    ["multi-vendor", FROM, "POST /resend/emails", mail({ from: "ceo@example.net" }), "scope_denied", "0.00"],
    ["multi-vendor", {}, "POST /resend/v1/payment_intents", ["amount=1", "currency=usd"], "endpoint_denied", "0.00"],
    ["tenant-billing", RUN, PAY, ["amount=2999", "currency=usd", "customer=cus_1"], "allowed", "29.99"],
    ["tenant-billing", RUN, PAY, ["amount=2999", "currency=usd", "customer=cus_9"], "scope_denied", "0.00"],
    ["tenant-billing", RUN, PAY, ["amount=2999", "currency=usd"], "scope_denied", "0.00"],
    ["tenant-billing", RUN, PAY, ["amount=25001", "currency=usd", "customer=cus_1"], "amount_denied", "250.01"],
    ["tenant-billing", RUN, "GET /v1/customers/cus_9", [], "scope_denied", "0.00"],
    ["tenant-billing", RUN, "GET /v1/customers", [], "endpoint_denied", "0.00"],
    ["tenant-billing", RUN, "POST /v1/refunds", ["payment_intent=pi_1"], "endpoint_denied", "0.00"],
    ["code-sandbox", {}, PAY, ["amount=500", "currency=usd"], "allowed", "5.00"],
    ["code-sandbox", {}, PAY, ["amount=501", "currency=usd"], "amount_denied", "5.01"],
    ["code-sandbox", {}, PAY, ["amount=500", "currency=usd", "on_behalf_of=acct_1"], "parameter_denied", "0.00"],
    [
      "code-sandbox",
      {},
      PAY,
      ["amount=500", "currency=usd", "transfer_data[destination]=acct_1"],
      "parameter_denied",
      "0.00",
    ],
    ["code-sandbox", {}, "GET /v1/customers", [], "endpoint_denied", "0.00"],
    ["code-sandbox", {}, "POST /v1/refunds", ["payment_intent=pi_1"], "endpoint_denied", "0.00"],
    ["webhook-payment-failed", {}, "POST /v1/payment_intents/pi_1/confirm", [], "allowed", "0.00"],
    ["webhook-payment-failed", {}, "POST /v1/refunds", ["payment_intent=pi_1", "amount=100"], "allowed", "0.00"],
    ["webhook-payment-failed", {}, "GET /v1/payment_intents/pi_1", [], "allowed", "0.00"],
    ["webhook-payment-failed", {}, PAY, ["amount=2999", "currency=usd"], "endpoint_denied", "0.00"],
    ["webhook-payment-failed", {}, "POST /v1/payouts", ["amount=1", "currency=usd"], "endpoint_denied", "0.00"],
    [
      "webhook-payment-failed",
      {},
      "POST /v1/refunds",
      ["payment_intent=pi_1", "reason=fraudulent"],
      "parameter_denied",
      "0.00",
    ],
    ["webhook-dispute-created", {}, "GET /v1/disputes/dp_1", [], "allowed", "0.00"],
    ["webhook-dispute-created", {}, "POST /v1/disputes/dp_1", ["submit=false"], "allowed", "0.00"],
    ["webhook-dispute-created", {}, "POST /v1/disputes/dp_1", ["submit=true"], "parameter_denied", "0.00"],
    ["webhook-dispute-created", {}, "POST /v1/disputes/dp_1", [], "parameter_denied", "0.00"],
    ["webhook-dispute-created", {}, "POST /v1/disputes/dp_1/close", [], "endpoint_denied", "0.00"],
    ["read-only", {}, "GET /v1/charges?limit=100", [], "allowed", "0.00"],
    ["read-only", {}, "HEAD /v1/balance", [], "allowed", "0.00"],
    ["read-only", {}, "GET /v1/issuing/cards/ic_1", [], "endpoint_denied", "0.00"],
    [
      "read-only",
      {},
      "GET /v1/charges/ch_1?expand[]=payment_method_details.card.number",
      [],
      "endpoint_denied",
      "0.00",
    ],
    ["read-only", {}, "GET /v1/apps/secrets", [], "endpoint_denied", "0.00"],
    ["read-only", {}, "POST /v1/customers", ["name=x"], "endpoint_denied", "0.00"],
    ["read-only", {}, "DELETE /v1/customers/cus_1", [], "endpoint_denied", "0.00"],
  ])("%s %j: %s %j is %s", (template, inputs, endpoint, data, verdict, exposure) => {
    const explanation = explained(template, inputs, endpoint, data);
    expect([explanation.verdict, explanation.message]).toEqual([verdict, explanation.message] as never);
    if (exposure !== "*") expect(explanation.exposure_usd).toBe(exposure);
    else expect(Number(explanation.exposure_usd)).toBeGreaterThan(0);
  });

  test("a refund over the most that one may cost is refused once its currency is known", () => {
    const vendor = vendorNamed("stripe")!;
    const call = callFromText(vendor, "POST /v1/refunds", ["charge=ch_1", "amount=9900"]);
    const charge = { id: "ch_1", object: "charge", amount: 20_000, amount_refunded: 0, currency: "usd" };
    const found = new Map([["GET /v1/charges/ch_1", charge]]);
    const account = { accountId: "" };
    expect(judge(compilePolicy(filled("refunds")), vendor, account, call, PRICING, found)).toMatchObject({
      code: "amount_denied",
      details: { requested_usd: "99.00", cap_usd: "50.00" },
    });
  });

  test("another account's header is out of scope under every Stripe template", () => {
    const connected = (call: Call) => ({ ...call, headers: new Map([["stripe-account", "acct_1"]]) });
    expect(explained("read-only", {}, "GET /v1/charges/ch_1", [], connected).verdict).toBe("scope_denied");
    expect(explained("billing", {}, PAY, ["amount=1", "currency=usd"], connected).verdict).toBe("scope_denied");
  });
});
