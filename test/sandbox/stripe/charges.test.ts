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

describe("charges and refunds", () => {
  test("refunds in parts, then the rest, and never more than was charged", async () => {
    const charge = await stripe.charges.create({ ...usd(1000), source: "tok_visa" });
    const first = await stripe.refunds.create({ charge: charge.id, amount: 400 });
    expect(first).toMatchObject({ amount: 400, status: "succeeded", charge: charge.id });
    const tooMuch = await rejectionOf<StripeError>(stripe.refunds.create({ charge: charge.id, amount: 601 }));
    expect(tooMuch).toMatchObject({ statusCode: 400, param: "amount" });
    expect(tooMuch.message).toContain("(601) is greater than unrefunded amount on charge (600)");
    expect(await stripe.refunds.create({ charge: charge.id })).toMatchObject({ amount: 600 });
    const none = await rejectionOf<StripeError>(stripe.refunds.create({ charge: charge.id }));
    expect(none.code).toBe("charge_already_refunded");
    expect(await stripe.charges.retrieve(charge.id)).toMatchObject({ amount_refunded: 1000, refunded: true });
    expect((await stripe.refunds.list({ charge: charge.id })).data.map((refund) => refund.amount)).toEqual([600, 400]);
  });

  test("a charge is refunded by its own path, too, as older SDKs do", async () => {
    const { id } = await stripe.charges.create({ ...usd(1000), source: "tok_visa" });
    const answer = await stripe.rawRequest("POST", `/v1/charges/${id}/refunds`, { amount: 300 });
    expect(answer).toMatchObject({ object: "refund", amount: 300, charge: id });
    expect(await stripe.charges.retrieve(id)).toMatchObject({ amount_refunded: 300 });
  });

  test("an uncaptured charge is captured once, in part", async () => {
    const charge = await stripe.charges.create({ ...usd(1000), source: "tok_visa", capture: false });
    expect(charge).toMatchObject({ captured: false, amount_captured: 0 });
    expect(await stripe.charges.capture(charge.id, { amount: 300 })).toMatchObject({ amount_captured: 300 });
    const again = await rejectionOf<StripeError>(stripe.charges.capture(charge.id));
    expect(again.code).toBe("charge_already_captured");
  });

  test("a declined token is a 402 with the failed charge's id", async () => {
    const declined = await rejectionOf<StripeError>(
      stripe.charges.create({ ...usd(1000), source: "tok_chargeDeclined" }),
    );
    expect(declined).toMatchObject({ statusCode: 402, code: "card_declined" });
    expect(declined.charge).toMatch(/^ch_/);
  });

  test("an authorised PaymentIntent is not refunded, and a failed charge neither", async () => {
    const held = await stripe.paymentIntents.create({ ...usd(900), ...visa, confirm: true, capture_method: "manual" });
    const refused = await rejectionOf<StripeError>(stripe.refunds.create({ payment_intent: held.id }));
    expect(refused.message).toContain("cancel it instead");
    const declined = await rejectionOf<StripeError>(
      stripe.charges.create({ ...usd(1000), source: "tok_chargeDeclined" }),
    );
    const nothing = await rejectionOf<StripeError>(stripe.refunds.create({ charge: String(declined.charge) }));
    expect(nothing.message).toContain("nothing to refund");
  });
});
