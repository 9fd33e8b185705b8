import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { stripe } from "../../../src/vendors/stripe.ts";
import { makeCall, makePricing, operationFor } from "../make-call.ts";
import { askExposure, expectScenario, type Scenario } from "./scenario.ts";

const CUSTOMER = "/v1/customers/cus_1";
const PRODUCT = "/v1/climate/products/climsku_1";

const cus = { kind: "credit", id: "cus_1" } as const;
const answered = { id: "cus_1", object: "customer" };
const source = { id: "src_1", object: "source", amount: 900, currency: "usd", status: "pending" };
const prices = {
  current_prices_per_metric_ton: {
    usd: { amount_total: 10_000 },
    eur: { amount_total: 9_500 },
    cad: { amount_total: 14_000 },
  },
};
const order = { id: "climorder_1", amount_total: 15_000, currency: "usd", status: "confirmed" };

const ROWS: Readonly<Record<string, Scenario>> = {
  "a customer": {
    call: "POST /v1/customers",
    form: { email: "a@example.com", "address[line1]": "x", payment_method: "pm_1", source: "tok_1" },
    most: 0n,
    answer: answered,
    costs: 0n,
    ...cus,
  },
  "a customer with a credit": {
    call: "POST /v1/customers",
    form: { balance: "-5000" },
    most: 55_000_000n,
    answer: answered,
    costs: 55_000_000n,
    ...cus,
  },
  "a customer's new address": {
    call: `POST ${CUSTOMER}`,
    form: { "address[line1]": "x", "metadata[a]": "b", "invoice_settings[default_payment_method]": "pm_1" },
    most: 0n,
    answer: answered,
    costs: 0n,
    ...cus,
    customer: "cus_1",
  },
  "a change of a customer's balance": {
    call: `POST ${CUSTOMER}`,
    form: { balance: "-5000" },
    found: { [CUSTOMER]: { id: "cus_1", balance: -2000, currency: "usd" } },
    most: 30_000_000n,
    source: "lookup",
    answer: answered,
    costs: 30_000_000n,
    ...cus,
    customer: "cus_1",
    currency: "usd",
  },
  "a customer who goes": {
    call: `DELETE ${CUSTOMER}`,
    most: 0n,
    answer: { id: "cus_1", deleted: true },
    costs: 0n,
    kind: "write",
    id: "cus_1",
    customer: "cus_1",
  },
  "a source that asks the payer for money": {
    call: "POST /v1/sources",
    form: { type: "wechat", amount: "900", currency: "usd" },
    most: 9_000_000n,
    answer: source,
    costs: 9_000_000n,
    kind: "charge",
    id: "src_1",
    currency: "usd",
  },
  "a source without an amount": {
    call: "POST /v1/sources",
    form: { type: "card", token: "tok_1" },
    most: 0n,
    answer: { ...source, amount: null },
    costs: 0n,
    kind: "charge",
    id: "src_1",
  },
  "a source that asks for more": {
    call: "POST /v1/sources/src_1",
    form: { amount: "900" },
    found: { "/v1/sources/src_1": { ...source, amount: 100 } },
    most: 9_000_000n,
    answer: source,
    costs: 9_000_000n,
    kind: "charge",
    id: "src_1",
    currency: "usd",
  },
  "tons of carbon at their price": {
    call: "POST /v1/climate/orders",
    form: { product: "climsku_1", metric_tons: "1.5", currency: "usd" },
    found: { [PRODUCT]: prices },
    most: 150_000_000n,
    source: "lookup",
    answer: order,
    costs: 150_000_000n,
    kind: "other",
    id: "climorder_1",
    currency: "usd",
  },
  "tons of carbon in the account's currency: the dearest price that has a rate": {
    call: "POST /v1/climate/orders",
    form: { product: "climsku_1", metric_tons: "1.5" },
    found: { [PRODUCT]: prices },
    most: 156_750_000n,
    answer: order,
    costs: 150_000_000n,
    kind: "other",
    id: "climorder_1",
    currency: "eur",
  },
  "a fraction of a ton, rounded up": {
    call: "POST /v1/climate/orders",
    form: { product: "climsku_1", metric_tons: "0.33333", currency: "usd" },
    found: { [PRODUCT]: prices },
    most: 33_340_000n,
    answer: { ...order, amount_total: 3334 },
    costs: 33_340_000n,
    kind: "other",
    id: "climorder_1",
    currency: "usd",
  },
  "carbon for an amount": {
    call: "POST /v1/climate/orders",
    form: { product: "climsku_1", amount: "15000", currency: "usd" },
    most: 150_000_000n,
    source: "request",
    answer: order,
    costs: 150_000_000n,
    kind: "other",
    id: "climorder_1",
    currency: "usd",
  },
  "a countered dispute": {
    call: "POST /v1/disputes/dp_1",
    form: { "evidence[customer_name]": "A" },
    most: 15_000_000n,
    source: "rate_table",
    answer: { id: "dp_1" },
    costs: 15_000_000n,
    kind: "other",
    id: "dp_1",
  },
  "evidence that is only kept": {
    call: "POST /v1/disputes/dp_1",
    form: { "evidence[customer_name]": "A", submit: "false" },
    most: 0n,
    answer: { id: "dp_1" },
    costs: 0n,
    kind: "other",
    id: "dp_1",
  },
  "an identity check": {
    call: "POST /v1/identity/verification_sessions",
    form: { type: "document" },
    most: 1_500_000n,
    answer: { id: "vs_1" },
    costs: 1_500_000n,
    kind: "other",
    id: "vs_1",
  },
  "deposits that verify a bank account": {
    call: "POST /v2/core/vault/us_bank_accounts/usba_1/send_microdeposits",
    json: {},
    most: 2_000_000n,
    answer: { id: "usba_1" },
    costs: 2_000_000n,
    kind: "payout",
    id: "usba_1",
  },
};

describe("customers and what Stripe bills by itself cost", () => {
  test.each(Object.entries(ROWS))("%s", (_what, scenario) => expectScenario(scenario));
});

describe("what has no bound is refused", () => {
  test.each<[string, string, Record<string, string>, Record<string, JsonValue>]>([
    ["cost_unknown", `POST ${CUSTOMER}`, { source: "tok_1" }, {}],
    ["cost_unknown", `POST ${CUSTOMER}`, { coupon: "FREE" }, {}],
    ["cost_unknown", "POST /v1/customers", { coupon: "FREE" }, {}],
    ["request_rejected", `POST ${CUSTOMER}`, { Balance: "5" }, {}],
    ["request_rejected", `POST ${CUSTOMER}`, { balance: "1e9" }, { [CUSTOMER]: answered }],
    ["cost_unknown", "POST /v1/sources", { amount: "5" }, {}],
    ["cost_unknown", "POST /v1/climate/orders", { product: "climsku_1" }, {}],
    ["request_rejected", "POST /v1/climate/orders", { metric_tons: "1e3", product: "climsku_1" }, {}],
    ["cost_unknown", "POST /v1/climate/orders", { metric_tons: "1", product: "climsku_1" }, { [PRODUCT]: {} }],
    ["cost_unknown", "POST /v1/radar/payment_evaluations", {}, {}],
    ["cost_unknown", "POST /v1/three_d_secure/authentications", {}, {}],
  ])("with %s for %s %j", (code, line, form, found) => {
    const { exposure } = askExposure(makeCall(line, { form }), found);
    expect({ ...exposure }).toMatchObject({ ok: false, code, message: expect.stringMatching(/^Keybrake: .+\.$/) });
  });

  test("until the operator has a price for it, which also wins over Keybrake's own", () => {
    const pricing = makePricing({}, { three_d_secure: 30_000n, identity_verification: 900_000n });
    const cost = (line: string) => askExposure(makeCall(line), {}, pricing).exposure;
    expect(cost("POST /v1/three_d_secure/authentications")).toMatchObject({ micros: 30_000n, source: "rate_table" });
    expect(cost("POST /v1/identity/verification_sessions")).toMatchObject({ micros: 900_000n });
    expect(operationFor(stripe, makeCall("POST /v1/radar/payment_evaluations")).counts).toContain("prices.stripe.");
  });
});
