import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { makeAnswer, makeCall } from "../make-call.ts";
import { askExposure, costAfter, expectScenario, mostOf, type Scenario } from "./scenario.ts";

const CHARGE = "/v1/charges/ch_1";
const INTENT = "/v1/payment_intents/pi_1";
const FEE = "/v1/application_fees/fee_1";

/** A charge as Stripe shows it: $30 of cus_1's, captured, unless said otherwise. */
function charge(more: Readonly<Record<string, JsonValue>> = {}): Record<string, JsonValue> {
  return {
    id: "ch_1",
    object: "charge",
    amount: 3000,
    amount_captured: 3000,
    amount_refunded: 0,
    captured: true,
    currency: "usd",
    customer: "cus_1",
    status: "succeeded",
    ...more,
  };
}

const uncaptured = charge({ captured: false, amount_captured: 0 });
const intent = { id: "pi_1", object: "payment_intent", latest_charge: "ch_1", customer: "cus_2" };

function refund(amount: number, more: Readonly<Record<string, JsonValue>> = {}): Record<string, JsonValue> {
  return { id: "re_1", object: "refund", amount, currency: "usd", status: "succeeded", ...more };
}

const ofCharge = { kind: "charge", id: "ch_1", currency: "usd" } as const;
const ofRefund = { kind: "refund", id: "re_1", currency: "usd", customer: "cus_1" } as const;

const ROWS: Readonly<Record<string, Scenario>> = {
  "a charge": {
    call: "POST /v1/charges",
    form: { amount: "3000", currency: "usd", customer: "cus_1" },
    most: 30_000_000n,
    source: "request",
    answer: charge(),
    costs: 30_000_000n,
    ...ofCharge,
    customer: "cus_1",
  },
  "a charge that fails": {
    call: "POST /v1/charges",
    form: { amount: "3000", currency: "usd" },
    most: 30_000_000n,
    answer: charge({ status: "failed" }),
    costs: 0n,
    ...ofCharge,
  },
  "a capture of what was authorised elsewhere": {
    call: `POST ${CHARGE}/capture`,
    found: { [CHARGE]: uncaptured },
    most: 30_000_000n,
    source: "lookup",
    answer: charge(),
    costs: 30_000_000n,
    ...ofCharge,
    customer: "cus_1",
    object: CHARGE,
  },
  "a capture of a part": {
    call: `POST ${CHARGE}/capture`,
    form: { amount: "700" },
    found: { [CHARGE]: uncaptured },
    most: 7_000_000n,
    source: "request",
    answer: charge({ amount_captured: 700, amount_refunded: 2300 }),
    costs: 7_000_000n,
    ...ofCharge,
    customer: "cus_1",
    object: CHARGE,
  },
  "a description of a charge": {
    call: `POST ${CHARGE}`,
    form: { "metadata[a]": "b", receipt_email: "a@example.com" },
    most: 0n,
    answer: charge(),
    costs: 0n,
    kind: "write",
    id: "ch_1",
  },
  "a refund of all that is left": {
    call: "POST /v1/refunds",
    form: { charge: "ch_1" },
    found: { [CHARGE]: charge({ amount_refunded: 1000 }) },
    most: 20_000_000n,
    source: "lookup",
    answer: refund(2000),
    costs: 20_000_000n,
    ...ofRefund,
  },
  "a refund of a part, in the charge's currency": {
    call: "POST /v1/refunds",
    form: { charge: "ch_1", amount: "500" },
    found: { [CHARGE]: charge({ currency: "eur" }) },
    most: 5_500_000n,
    source: "request",
    answer: refund(500, { currency: "eur", status: "pending" }),
    costs: 5_500_000n,
    ...ofRefund,
    currency: "eur",
  },
  "a refund after a partial capture": {
    call: "POST /v1/refunds",
    form: { charge: "ch_1" },
    found: { [CHARGE]: charge({ amount_captured: 700, amount_refunded: 2300 }) },
    most: 7_000_000n,
    answer: refund(700),
    costs: 7_000_000n,
    ...ofRefund,
  },
  "a refund after a partial capture that shows no refund": {
    call: "POST /v1/refunds",
    form: { charge: "ch_1" },
    found: { [CHARGE]: charge({ amount_captured: 700 }) },
    most: 7_000_000n,
    answer: refund(700),
    costs: 7_000_000n,
    ...ofRefund,
  },
  "a refund of a PaymentIntent, by the charge that took it": {
    call: "POST /v1/refunds",
    form: { payment_intent: "pi_1" },
    found: { [INTENT]: intent, [CHARGE]: charge({ amount_refunded: 1000 }) },
    most: 20_000_000n,
    source: "lookup",
    answer: refund(2000),
    costs: 20_000_000n,
    ...ofRefund,
  },
  "a refund of a PaymentIntent that shows its charge": {
    call: "POST /v1/refunds",
    form: { payment_intent: "pi_1", amount: "500" },
    found: { [INTENT]: { ...intent, latest_charge: charge({ customer: null }) } },
    most: 5_000_000n,
    source: "request",
    answer: refund(500),
    costs: 5_000_000n,
    ...ofRefund,
    customer: "cus_2",
  },
  "a refund of a PaymentIntent before API version 2022-11-15": {
    call: "POST /v1/refunds",
    form: { payment_intent: "pi_1" },
    found: {
      [INTENT]: {
        id: "pi_1",
        charges: { object: "list", data: [charge({ id: "ch_0", amount: 9, status: "failed" }), charge()] },
      },
    },
    most: 30_000_000n,
    answer: refund(3000),
    costs: 30_000_000n,
    ...ofRefund,
  },
  "a refund by the charge's own path": {
    call: `POST ${CHARGE}/refunds`,
    found: { [CHARGE]: charge() },
    most: 30_000_000n,
    answer: refund(3000),
    costs: 30_000_000n,
    ...ofRefund,
  },
  "a refund that fails": {
    call: "POST /v1/refunds",
    form: { charge: "ch_1" },
    found: { [CHARGE]: charge() },
    most: 30_000_000n,
    answer: refund(3000, { status: "failed" }),
    costs: 0n,
    ...ofRefund,
  },
  "a refund from a cash balance": {
    call: "POST /v1/refunds",
    form: { amount: "500", currency: "eur", customer: "cus_1", origin: "customer_balance" },
    most: 5_500_000n,
    source: "request",
    answer: refund(500, { currency: "eur", status: "requires_action" }),
    costs: 5_500_000n,
    ...ofRefund,
    currency: "eur",
  },
  "a refund of a whole cash balance": {
    call: "POST /v1/refunds",
    form: { currency: "eur", customer: "cus_1", origin: "customer_balance" },
    found: { "/v1/customers/cus_1/cash_balance": { object: "cash_balance", available: { eur: 1000, usd: 9 } } },
    most: 11_000_000n,
    source: "lookup",
    answer: refund(1000, { currency: "eur", status: "pending" }),
    costs: 11_000_000n,
    ...ofRefund,
    currency: "eur",
  },
  "a refund that is called off": {
    call: "POST /v1/refunds/re_1/cancel",
    most: 0n,
    answer: refund(500, { status: "canceled" }),
    costs: 0n,
    kind: "refund",
    id: "re_1",
  },
  "a refund of what is left of an application fee": {
    call: `POST ${FEE}/refunds`,
    found: { [FEE]: { id: "fee_1", amount: 100, amount_refunded: 40, currency: "usd" } },
    most: 600_000n,
    source: "lookup",
    answer: { id: "fr_1", object: "fee_refund", amount: 60, currency: "usd" },
    costs: 600_000n,
    kind: "refund",
    id: "fr_1",
    currency: "usd",
  },
  "a refund of a part of an application fee": {
    call: `POST ${FEE}/refunds`,
    form: { amount: "10" },
    found: { [FEE]: { id: "fee_1", amount: 100, amount_refunded: 40, currency: "usd" } },
    most: 100_000n,
    answer: { id: "fr_1", object: "fee_refund", amount: 10, currency: "usd" },
    costs: 100_000n,
    kind: "refund",
    id: "fr_1",
    currency: "usd",
  },
};

describe("what is taken and given back by charge costs", () => {
  test.each(Object.entries(ROWS))("%s", (_what, scenario) => expectScenario(scenario));
});

test("a charge that was authorised through here counts once when it is captured", () => {
  const create = makeCall("POST /v1/charges", { form: { amount: "3000", currency: "usd", capture: "false" } });
  const { micros, remember } = costAfter(create, mostOf(create), makeAnswer(uncaptured));
  expect([micros, remember?.path]).toEqual([30_000_000n, CHARGE]);
  const capture = makeCall(`POST ${CHARGE}/capture`);
  const exposure = mostOf(capture, { [CHARGE]: remember!.object });
  expect([exposure.micros, costAfter(capture, exposure, makeAnswer(charge())).micros]).toEqual([0n, 0n]);
});

describe("a refund is refused", () => {
  test.each<[string, Record<string, string>, Record<string, JsonValue>]>([
    ["request_rejected", { charge: "ch_1", payment_intent: "pi_1" }, {}],
    ["request_rejected", { charge: "../payouts" }, {}],
    ["request_rejected", { charge: "ch_1?expand[]=number" }, {}],
    ["request_rejected", { payment_intent: "pi_1/../../charges" }, {}],
    ["request_rejected", { charge: "ch_1", AMOUNT: "5" }, {}],
    ["request_rejected", { charge: "ch_1", amount: "-5" }, { [CHARGE]: charge() }],
    ["request_rejected", { payment_intent: "pi_1" }, { [INTENT]: { id: "pi_1", latest_charge: null } }],
    ["cost_unknown", {}, {}],
    ["cost_unknown", { origin: "customer_balance" }, {}],
    ["cost_unknown", { charge: "ch_1" }, { [CHARGE]: { id: "ch_1" } }],
    ["cost_unknown", { charge: "ch_1" }, { [CHARGE]: [] }],
    ["currency_denied", { charge: "ch_1" }, { [CHARGE]: charge({ currency: "cad" }) }],
  ])("with %s for %j", (code, form, found) => {
    const { exposure } = askExposure(makeCall("POST /v1/refunds", { form }), found);
    expect({ ...exposure }).toMatchObject({ ok: false, code, message: expect.stringMatching(/^Keybrake: .+\.$/) });
  });
});
