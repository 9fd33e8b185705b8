import { describe, expect, test } from "bun:test";
import { stripe } from "../../src/vendors/stripe.ts";
import { costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "./make-call.ts";

/** What single operations cost is in `stripe/`; here is how amounts are read, from a request and from an answer. */
const EUR_AT_1_10 = makePricing({ eur: 1_100_000n, jpy: 6_700n, gbp: 1_350_000n });

test("a parameter that an operation is not known to have is refused by its name, cut where it is long", () => {
  const refusal = (name: string) =>
    exposureOf(stripe, makeCall("POST /v1/customers", { form: { [name]: "1" } }), EUR_AT_1_10);
  expect(refusal("strange")).toMatchObject({
    ok: false,
    code: "cost_unknown",
    message: expect.stringContaining(
      "Keybrake does not know the parameter strange of this operation, which may move or commit money",
    ),
  });
  expect((refusal("s".repeat(4_000)) as { message: string }).message.length).toBeLessThan(300);
});

describe("an amount in a request to Stripe", () => {
  test.each([
    ["dollars", "POST /v1/payment_intents", { amount: "2999", currency: "usd" }, 29_990_000n],
    ["a cent", "POST /v1/charges", { amount: "1", currency: "usd" }, 10_000n],
    ["euros, by their rate", "POST /v1/payouts", { amount: "1000", currency: "eur" }, 11_000_000n],
    ["yen, which have no minor unit", "POST /v1/charges", { amount: "1000", currency: "jpy" }, 6_700_000n],
    [
      "the dearest currency, where Stripe takes the account's",
      "POST /v1/climate/orders",
      { amount: "100" },
      1_350_000n,
    ],
  ])("counts %s", (_what, line, form, micros) => {
    const exposure = exposureOf(stripe, makeCall(line, { form: form as Record<string, string> }), EUR_AT_1_10);
    expect(exposure).toMatchObject({ ok: true, micros, sends: 0, source: "request" });
  });

  test.each([
    ["request_rejected", "POST /v1/payment_intents", { amount: "1e9", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "+5", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "-5", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "0100", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "1.5", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "0", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "９", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "1000000000000", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "5", currency: "JPY" }],
    ["request_rejected", "POST /v1/payment_intents", { amount: "5", currency: "usd " }],
    ["request_rejected", "POST /v1/payment_intents", { "amount[0]": "5", currency: "usd" }],
    ["request_rejected", "POST /v1/payment_intents", { Amount: "5", currency: "usd" }],
    ["currency_denied", "POST /v1/payment_intents", { amount: "5", currency: "xyz" }],
    ["currency_denied", "POST /v1/payment_intents", { amount: "5", currency: "cad" }],
    ["cost_unknown", "POST /v1/payment_intents", { currency: "usd" }],
    ["cost_unknown", "POST /v1/payment_intents", { amount: "5" }],
  ] as const)("answers %s to %s with %j", (code, line, form) => {
    const exposure = exposureOf(stripe, makeCall(line, { form: form as Record<string, string> }), EUR_AT_1_10);
    expect({ ...exposure }).toMatchObject({ ok: false, code, message: expect.stringMatching(/^Keybrake: .+\.$/) });
  });

  test("names the currency and the setting where a rate is missing", () => {
    const exposure = exposureOf(stripe, makeCall("POST /v1/payouts", { form: { amount: "5", currency: "cad" } }));
    expect(exposure).toMatchObject({ code: "currency_denied", message: expect.stringContaining("currency_rates.cad") });
  });

  test("is not more than Keybrake can keep", () => {
    const form = { amount: "999999999999", currency: "gbp" };
    const dear = makePricing({ gbp: 1_000_000_000_000n });
    expect(exposureOf(stripe, makeCall("POST /v1/payouts", { form }), dear)).toMatchObject({
      code: "request_rejected",
    });
  });
});

describe("what a Stripe call did cost", () => {
  const CREATE = makeCall("POST /v1/payment_intents", { form: { amount: "2999", currency: "usd" } });
  const PAYOUT = makeCall("POST /v1/payouts", { form: { amount: "100", currency: "usd" } });
  const intent = (status: string, more = {}) => ({
    id: "pi_1",
    object: "payment_intent",
    amount: 2999,
    currency: "usd",
    status,
    ...more,
  });

  test.each([
    ["succeeded", intent("succeeded", { amount_received: 2000 }), 20_000_000n, false],
    ["succeeded without amount_received", intent("succeeded"), 29_990_000n, false],
    ["authorised", intent("requires_capture", { amount_capturable: 2500 }), 25_000_000n, true],
    ["processing", intent("processing"), 29_990_000n, true],
    ["waiting for the payer", intent("requires_action"), 29_990_000n, true],
    ["without a method", intent("requires_payment_method"), 0n, true],
    ["unconfirmed", intent("requires_confirmation"), 0n, true],
    ["cancelled", intent("canceled"), 0n, false],
  ])("reads a PaymentIntent that is %s, and remembers one that is not done", (_what, json, micros, isRemembered) => {
    const { remember, ...cost } = costOf(stripe, CREATE, makeAnswer(json));
    expect(cost).toEqual({ micros, source: "vendor_response", vendorTxnId: "pi_1" });
    expect(remember?.path).toBe(isRemembered ? "/v1/payment_intents/pi_1" : undefined);
  });

  test("reads the currency of the answer, above the estimate where that is dearer", () => {
    const answer = makeAnswer({ id: "po_1", amount: 100, currency: "eur", status: "pending" });
    expect(costOf(stripe, PAYOUT, answer, EUR_AT_1_10).micros).toBe(1_100_000n);
  });

  test("counts an answer in a currency without a rate by the dearest there is, never below the hold", () => {
    const answer = makeAnswer({ id: "po_1", amount: 100, currency: "gbp", status: "pending" });
    expect(costOf(stripe, PAYOUT, answer)).toMatchObject({ micros: 2_000_000n, unreadable: true });
  });

  test("does not count a replayed answer again", () => {
    const answer = makeAnswer(intent("succeeded", { amount_received: 2999 }), { "idempotent-replayed": "true" });
    expect(costOf(stripe, CREATE, answer)).toEqual({ micros: 0n, source: "vendor_response", vendorTxnId: "pi_1" });
  });

  test.each([
    ["no JSON", undefined],
    ["a list", [intent("succeeded")]],
    ["no status", { id: "pi_1", amount: 2999, currency: "usd" }],
    ["an unheard-of status", intent("splendid")],
    ["no amount", { id: "pi_1", currency: "usd", status: "succeeded" }],
    ["an amount as text", intent("processing", { amount: "2999" })],
    ["a negative amount", intent("processing", { amount: -1 })],
    ["an amount that a double rounds", intent("processing", { amount: 2 ** 53 })],
    ["no currency", intent("processing", { currency: null })],
  ])("counts the hold in full, and remembers nothing, where the answer has %s", (_what, json) => {
    const cost = costOf(stripe, CREATE, makeAnswer(json as never));
    expect(cost.unreadable).toBe(true);
    expect(cost.remember).toBeUndefined();
    expect(cost.micros).toBeGreaterThanOrEqual(29_990_000n);
  });

  test("counts what the policy reserved where an update might have moved money", () => {
    const held = { ok: true, micros: 7_000_000n, sends: 0, currency: undefined, source: "request" } as const;
    for (const line of ["POST /v1/customers/cus_1", "POST /v1/payouts/po_1", "POST /v1/charges/ch_1"]) {
      const call = makeCall(line, { form: { source: "tok_1" } });
      expect(operationFor(stripe, call).cost?.(call, makeAnswer({ id: "x_1" }), held, makePricing()).micros).toBe(
        7_000_000n,
      );
    }
  });
});
