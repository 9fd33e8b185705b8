import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type Stripe from "stripe";
import { rejectionOf, startTrial, stripeOf, type Trial } from "../trial.ts";

let trial: Trial;
let stripe: Stripe;

beforeAll(async () => {
  trial = await startTrial();
  stripe = stripeOf(trial);
});
afterAll(() => trial.sandbox.stop());

const usd = (amount: number) => ({ amount, currency: "usd" });
const visa = { payment_method: "pm_card_visa" };
type StripeError = Stripe.errors.StripeError;

describe("a PaymentIntent", () => {
  test("goes from no method over confirmation to succeeded, and has a charge only then", async () => {
    const created = await stripe.paymentIntents.create({ ...usd(500), metadata: { order: "1" } });
    expect(created).toMatchObject({ status: "requires_payment_method", amount: 500, amount_received: 0 });
    expect(created).toMatchObject({ latest_charge: null, metadata: { order: "1" }, livemode: false });
    expect(created.id).toMatch(/^pi_[A-Za-z0-9]{24}$/);
    expect(created.lastResponse.requestId).toMatch(/^req_/);

    const updated = await stripe.paymentIntents.update(created.id, { ...visa, amount: 700, metadata: { extra: "x" } });
    expect(updated).toMatchObject({
      status: "requires_confirmation",
      amount: 700,
      metadata: { order: "1", extra: "x" },
    });

    const confirmed = await stripe.paymentIntents.confirm(created.id);
    expect(confirmed).toMatchObject({ status: "succeeded", amount_received: 700 });
    const charge = await stripe.charges.retrieve(String(confirmed.latest_charge));
    expect(charge).toMatchObject({ amount: 700, amount_captured: 700, captured: true, paid: true });
    expect(charge.payment_intent).toBe(created.id);
  });

  test("is paid at once with confirm=true", async () => {
    const intent = await stripe.paymentIntents.create({ ...usd(2999), ...visa, confirm: true, customer: "cus_42" });
    expect(intent).toMatchObject({ status: "succeeded", amount_received: 2999, customer: "cus_42" });
  });

  test("with manual capture is only authorised, and what is not captured goes back", async () => {
    const intent = await stripe.paymentIntents.create({
      ...usd(3000),
      ...visa,
      confirm: true,
      capture_method: "manual",
    });
    expect(intent).toMatchObject({ status: "requires_capture", amount_capturable: 3000, amount_received: 0 });
    const tooMuch = await rejectionOf<StripeError>(
      stripe.paymentIntents.capture(intent.id, { amount_to_capture: 3001 }),
    );
    expect(tooMuch).toMatchObject({ statusCode: 400, code: "amount_too_large", param: "amount_to_capture" });

    const captured = await stripe.paymentIntents.capture(intent.id, { amount_to_capture: 700 });
    expect(captured).toMatchObject({ status: "succeeded", amount_received: 700, amount_capturable: 0 });
    const charge = await stripe.charges.retrieve(String(captured.latest_charge));
    expect(charge).toMatchObject({ amount_captured: 700, amount_refunded: 2300, captured: true });
    expect(await stripe.refunds.create({ payment_intent: intent.id })).toMatchObject({ amount: 700 });
  });

  test("takes no more than amount_to_confirm, and refuses more than its amount", async () => {
    const intent = await stripe.paymentIntents.create({ ...usd(3000), ...visa });
    const tooMuch = await rejectionOf<StripeError>(
      stripe.paymentIntents.confirm(intent.id, { amount_to_confirm: 3001 }),
    );
    expect(tooMuch).toMatchObject({ statusCode: 400, code: "amount_too_large", param: "amount_to_confirm" });
    const confirmed = await stripe.paymentIntents.confirm(intent.id, { amount_to_confirm: 1200 });
    expect(confirmed).toMatchObject({ status: "succeeded", amount_received: 1200 });
    expect((await stripe.charges.list({ payment_intent: intent.id })).data).toMatchObject([{ amount: 1200 }]);
  });

  test("that is authorised can be raised to a new total, and to nothing less", async () => {
    const intent = await stripe.paymentIntents.create({
      ...usd(3000),
      ...visa,
      confirm: true,
      capture_method: "manual",
    });
    const lower = stripe.paymentIntents.incrementAuthorization(intent.id, { amount: 3000 });
    expect(await rejectionOf<StripeError>(lower)).toMatchObject({ statusCode: 400, param: "amount" });
    const raised = await stripe.paymentIntents.incrementAuthorization(intent.id, { amount: 4500 });
    expect(raised).toMatchObject({ status: "requires_capture", amount: 4500, amount_capturable: 4500 });
    expect(await stripe.paymentIntents.capture(intent.id)).toMatchObject({ amount_received: 4500 });
    const late = stripe.paymentIntents.incrementAuthorization(intent.id, { amount: 9000 });
    expect(await rejectionOf<StripeError>(late)).toMatchObject({ code: "payment_intent_unexpected_state" });
  });

  test("that was cancelled releases its authorisation and can be neither captured nor confirmed", async () => {
    const intent = await stripe.paymentIntents.create({
      ...usd(900),
      ...visa,
      confirm: true,
      capture_method: "manual",
    });
    const canceled = await stripe.paymentIntents.cancel(intent.id, { cancellation_reason: "duplicate" });
    expect(canceled).toMatchObject({
      status: "canceled",
      amount_capturable: 0,
      amount_received: 0,
      cancellation_reason: "duplicate",
    });
    expect(await stripe.charges.retrieve(String(intent.latest_charge))).toMatchObject({
      amount_captured: 0,
      refunded: true,
    });
    for (const again of [stripe.paymentIntents.capture(intent.id), stripe.paymentIntents.confirm(intent.id, visa)]) {
      expect(await rejectionOf<StripeError>(again)).toMatchObject({ code: "payment_intent_unexpected_state" });
    }
  });

  test("that succeeded cannot be confirmed, raised or cancelled again", async () => {
    const intent = await stripe.paymentIntents.create({ ...usd(100), ...visa, confirm: true });
    const again = [
      stripe.paymentIntents.confirm(intent.id),
      stripe.paymentIntents.update(intent.id, { amount: 99_000 }),
      stripe.paymentIntents.cancel(intent.id),
    ];
    for (const call of again) {
      expect(await rejectionOf<StripeError>(call)).toMatchObject({ code: "payment_intent_unexpected_state" });
    }
    expect(await stripe.paymentIntents.retrieve(intent.id)).toMatchObject({ amount: 100, status: "succeeded" });
  });

  test("without a payment method cannot be confirmed, and none is left behind by such a create", async () => {
    const before = await stripe.paymentIntents.list({ limit: 100 });
    const refused = await rejectionOf<StripeError>(stripe.paymentIntents.create({ ...usd(100), confirm: true }));
    expect(refused).toMatchObject({ statusCode: 400, param: "payment_method" });
    expect((await stripe.paymentIntents.list({ limit: 100 })).data).toHaveLength(before.data.length);
  });

  test.each([
    ["pm_card_chargeDeclined", "card_declined", "generic_decline"],
    ["pm_card_visa_chargeDeclinedInsufficientFunds", "card_declined", "insufficient_funds"],
    ["pm_card_chargeDeclinedExpiredCard", "expired_card", "expired_card"],
  ])("with %s is declined: 402, nothing received, and another card can pay", async (card, code, declineCode) => {
    const intent = await stripe.paymentIntents.create(usd(500));
    const declined = await rejectionOf<StripeError>(stripe.paymentIntents.confirm(intent.id, { payment_method: card }));
    expect(declined).toMatchObject({ statusCode: 402, type: "StripeCardError", code, decline_code: declineCode });
    expect(declined.payment_intent?.id).toBe(intent.id);
    const left = await stripe.paymentIntents.retrieve(intent.id);
    expect(left).toMatchObject({ status: "requires_payment_method", amount_received: 0, last_payment_error: { code } });
    expect(await stripe.charges.retrieve(String(left.latest_charge))).toMatchObject({ status: "failed", paid: false });
    expect(await stripe.paymentIntents.confirm(intent.id, visa)).toMatchObject({ amount_received: 500 });
  });
});
