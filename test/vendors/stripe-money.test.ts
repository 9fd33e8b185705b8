import { describe, expect, test } from "bun:test";
import { stripe } from "../../src/vendors/stripe.ts";
import { costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "./make-call.ts";

const EUR_AT_1_10 = makePricing({ eur: 1_100_000n, jpy: 6_700n, gbp: 1_350_000n });

describe("what a Stripe call can cost at most", () => {
  test.each([
    ["a PaymentIntent", "POST /v1/payment_intents", { amount: "2999", currency: "usd" }, 29_990_000n, "charge"],
    [
      "a confirmed one",
      "POST /v1/payment_intents",
      { amount: "1", currency: "usd", confirm: "true" },
      10_000n,
      "charge",
    ],
    [
      "one that only authorises",
      "POST /v1/payment_intents",
      { amount: "500", currency: "usd", capture_method: "manual" },
      5_000_000n,
      "charge",
    ],
    ["euros, by their rate", "POST /v1/payment_intents", { amount: "1000", currency: "eur" }, 11_000_000n, "charge"],
    ["yen, which have no minor unit", "POST /v1/charges", { amount: "1000", currency: "jpy" }, 6_700_000n, "charge"],
    ["a raised amount", "POST /v1/payment_intents/pi_1", { amount: "9999" }, 134_986_500n, "charge"],
    [
      "a raised amount in dollars",
      "POST /v1/payment_intents/pi_1",
      { amount: "9999", currency: "usd" },
      99_990_000n,
      "charge",
    ],
    ["an update without an amount", "POST /v1/payment_intents/pi_1", { "metadata[a]": "b" }, 0n, "charge"],
    ["a partial confirm", "POST /v1/payment_intents/pi_1/confirm", { amount_to_confirm: "100" }, 1_350_000n, "charge"],
    ["a partial capture", "POST /v1/payment_intents/pi_1/capture", { amount_to_capture: "100" }, 1_350_000n, "charge"],
    [
      "an increment, its new total",
      "POST /v1/payment_intents/pi_1/increment_authorization",
      { amount: "100" },
      1_350_000n,
      "charge",
    ],
    ["a charge", "POST /v1/charges", { amount: "100", currency: "usd" }, 1_000_000n, "charge"],
    ["a charge's capture", "POST /v1/charges/ch_1/capture", { amount: "100" }, 1_350_000n, "charge"],
    ["a refund", "POST /v1/refunds", { amount: "100", charge: "ch_1" }, 1_350_000n, "refund"],
    ["a refund of a charge", "POST /v1/charges/ch_1/refunds", { amount: "100" }, 1_350_000n, "refund"],
    ["a fee's refund", "POST /v1/application_fees/fee_1/refunds", { amount: "100" }, 1_350_000n, "refund"],
    ["a payout", "POST /v1/payouts", { amount: "100", currency: "usd" }, 1_000_000n, "payout"],
    [
      "a transfer",
      "POST /v1/transfers",
      { amount: "100", currency: "usd", destination: "acct_1" },
      1_000_000n,
      "transfer",
    ],
    ["a transfer's reversal", "POST /v1/transfers/tr_1/reversals", { amount: "100" }, 1_350_000n, "transfer"],
    ["a top-up", "POST /v1/topups", { amount: "100", currency: "usd" }, 1_000_000n, "topup"],
    ["a customer", "POST /v1/customers", { email: "a@example.com", "metadata[a]": "b" }, 0n, "write"],
    ["a description", "POST /v1/refunds/re_1", { "metadata[a]": "b", "expand[0]": "charge" }, 0n, "write"],
  ] as const)("counts %s", (_what, line, form, micros, kind) => {
    const call = makeCall(line, { form: form as Record<string, string> });
    expect(exposureOf(stripe, call, EUR_AT_1_10)).toMatchObject({ ok: true, micros, sends: 0 });
    expect(operationFor(stripe, call)).toMatchObject({ class: "priced", kind });
  });

  test("takes dollars for a refund where no other currency has a rate", () => {
    const call = makeCall("POST /v1/refunds", { form: { amount: "5000", charge: "ch_1" } });
    expect(exposureOf(stripe, call)).toMatchObject({ micros: 50_000_000n, currency: undefined });
  });

  test("does not let a cheap currency lower what a refund can cost", () => {
    const call = makeCall("POST /v1/refunds", { form: { amount: "5000", charge: "ch_1", currency: "jpy" } });
    expect(exposureOf(stripe, call, EUR_AT_1_10)).toMatchObject({ micros: 67_500_000n });
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
    ["request_rejected", "POST /v1/payment_intents/pi_1", { "amount[0]": "500000" }],
    ["request_rejected", "POST /v1/refunds", { AMOUNT: "5", charge: "ch_1" }],
    ["currency_denied", "POST /v1/payment_intents", { amount: "5", currency: "xyz" }],
    ["currency_denied", "POST /v1/payment_intents", { amount: "5", currency: "cad" }],
    ["cost_unknown", "POST /v1/payment_intents", { currency: "usd" }],
    ["cost_unknown", "POST /v1/payment_intents", { amount: "5" }],
    ["cost_unknown", "POST /v1/payment_intents/pi_1", { currency: "eur" }],
    ["cost_unknown", "POST /v1/payment_intents/pi_1/confirm", {}],
    ["cost_unknown", "POST /v1/payment_intents/pi_1/capture", {}],
    ["cost_unknown", "POST /v1/refunds", { charge: "ch_1" }],
    ["cost_unknown", "POST /v1/transfers", { currency: "usd", destination: "acct_1", source_transaction: "ch_1" }],
    ["cost_unknown", "POST /v1/transfers/tr_1/reversals", {}],
    ["cost_unknown", "POST /v1/customers/cus_1", { balance: "-50000" }],
    ["cost_unknown", "POST /v1/customers/cus_1", { source: "tok_1" }],
    ["cost_unknown", "POST /v1/charges/ch_1", { amount: "5" }],
    ["cost_unknown", "POST /v1/payouts/po_1", { destination: "ba_1" }],
  ] as const)("answers %s to %s with %j", (code, line, form) => {
    const exposure = exposureOf(stripe, makeCall(line, { form: form as Record<string, string> }), EUR_AT_1_10);
    expect(exposure).toMatchObject({ ok: false, code, message: expect.stringMatching(/^Keybrake: .+\.$/) });
  });

  test("names the currency and the setting where a rate is missing", () => {
    const exposure = exposureOf(stripe, makeCall("POST /v1/payouts", { form: { amount: "5", currency: "cad" } }));
    expect(exposure).toMatchObject({ code: "currency_denied", message: expect.stringContaining("currency_rates.cad") });
  });
});

describe("what a Stripe call did cost", () => {
  const CREATE = makeCall("POST /v1/payment_intents", { form: { amount: "2999", currency: "usd" } });
  const intent = (status: string, more = {}) => ({
    id: "pi_1",
    object: "payment_intent",
    amount: 2999,
    currency: "usd",
    status,
    ...more,
  });

  test.each([
    ["succeeded", intent("succeeded", { amount_received: 2000 }), 20_000_000n],
    ["succeeded without amount_received", intent("succeeded"), 29_990_000n],
    ["authorised", intent("requires_capture", { amount_capturable: 2500 }), 25_000_000n],
    ["processing", intent("processing"), 29_990_000n],
    ["waiting for the payer", intent("requires_action"), 29_990_000n],
    ["without a method", intent("requires_payment_method"), 0n],
    ["unconfirmed", intent("requires_confirmation"), 0n],
    ["cancelled", intent("canceled"), 0n],
  ])("reads a PaymentIntent that is %s", (_what, json, micros) => {
    expect(costOf(stripe, CREATE, makeAnswer(json))).toEqual({
      micros,
      source: "vendor_response",
      vendorTxnId: "pi_1",
    });
  });

  test("reads the currency of the answer, above the estimate where that is dearer", () => {
    const refund = makeCall("POST /v1/refunds", { form: { amount: "100", charge: "ch_1" } });
    const answer = makeAnswer({ id: "re_1", amount: 100, currency: "jpy", status: "succeeded" });
    expect(costOf(stripe, refund, answer, EUR_AT_1_10).micros).toBe(670_000n);
  });

  test("counts an answer in a currency without a rate by the dearest there is, never below the hold", () => {
    const refund = makeCall("POST /v1/refunds", { form: { amount: "100", charge: "ch_1" } });
    const answer = makeAnswer({ id: "re_1", amount: 100, currency: "gbp", status: "succeeded" });
    expect(costOf(stripe, refund, answer)).toMatchObject({ micros: 2_000_000n, unreadable: true });
  });

  test.each([
    ["a charge", "POST /v1/charges", { amount: "100", currency: "usd" }, "succeeded", 1_000_000n],
    ["a pending charge", "POST /v1/charges", { amount: "100", currency: "usd" }, "pending", 1_000_000n],
    ["a failed charge", "POST /v1/charges", { amount: "100", currency: "usd" }, "failed", 0n],
    ["a refund", "POST /v1/refunds", { amount: "100" }, "pending", 1_000_000n],
    ["a failed refund", "POST /v1/refunds", { amount: "100" }, "failed", 0n],
    ["a cancelled refund", "POST /v1/refunds", { amount: "100" }, "canceled", 0n],
    ["a payout", "POST /v1/payouts", { amount: "100", currency: "usd" }, "in_transit", 1_000_000n],
    ["a failed payout", "POST /v1/payouts", { amount: "100", currency: "usd" }, "failed", 0n],
    ["a transfer", "POST /v1/transfers", { amount: "100", currency: "usd" }, null, 1_000_000n],
    ["a reversed top-up", "POST /v1/topups", { amount: "100", currency: "usd" }, "reversed", 0n],
  ])("reads %s", (_what, line, form, status, micros) => {
    const call = makeCall(line, { form: form as Record<string, string> });
    const cost = costOf(stripe, call, makeAnswer({ id: "x_1", amount: 100, currency: "usd", status }));
    expect(cost).toEqual({ micros, source: "vendor_response", vendorTxnId: "x_1" });
  });

  test("counts each partial capture once, not the sum that the answer has", () => {
    const capture = makeCall("POST /v1/payment_intents/pi_1/capture", {
      form: { amount_to_capture: "500", final_capture: "false" },
    });
    const answer = makeAnswer(intent("requires_capture", { amount_received: 1500, amount_capturable: 1499 }));
    expect(costOf(stripe, capture, answer).micros).toBe(5_000_000n);
  });

  test("does not count a succeeded PaymentIntent again when its metadata change", () => {
    const update = makeCall("POST /v1/payment_intents/pi_1", { form: { "metadata[a]": "b" } });
    expect(costOf(stripe, update, makeAnswer(intent("succeeded", { amount_received: 2999 }))).micros).toBe(0n);
  });

  test("does not count a replayed answer again", () => {
    const answer = makeAnswer(intent("succeeded", { amount_received: 2999 }), { "idempotent-replayed": "true" });
    expect(costOf(stripe, CREATE, answer)).toMatchObject({ micros: 0n, source: "vendor_response" });
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
  ])("counts the hold in full where the answer has %s", (_what, json) => {
    const cost = costOf(stripe, CREATE, makeAnswer(json as never));
    expect(cost.unreadable).toBe(true);
    expect(cost.micros).toBeGreaterThanOrEqual(29_990_000n);
  });

  test("counts what the policy reserved where an update might have moved money", () => {
    const call = makeCall("POST /v1/customers/cus_1", { form: { balance: "-100" } });
    const held = { ok: true, micros: 7_000_000n, sends: 0, currency: undefined, source: "request" } as const;
    expect(costOf(stripe, call, makeAnswer({ id: "cus_1" }), undefined, held)).toMatchObject({
      micros: 7_000_000n,
      unreadable: true,
    });
  });
});
