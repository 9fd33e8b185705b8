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

const PAID = { amount: 3000, currency: "usd", payment_method: "pm_card_visa", confirm: true };
type StripeError = Stripe.errors.StripeError;

describe("expand", () => {
  test("puts objects in the place of their ids, in a read and in the answer to a write", async () => {
    const customer = await stripe.customers.create({ email: "a@example.com" });
    const expand = ["latest_charge.balance_transaction", "customer", "payment_method"];
    const intent = await stripe.paymentIntents.create({ ...PAID, customer: customer.id, expand });
    expect(intent).toMatchObject({
      latest_charge: {
        object: "charge",
        amount: 3000,
        balance_transaction: { amount: 3000, net: 3000, type: "charge" },
      },
      customer: { id: customer.id, email: "a@example.com" },
      payment_method: { id: "pm_card_visa", type: "card" },
    });
    const read = await stripe.paymentIntents.retrieve(intent.id, { expand: ["latest_charge"] });
    expect(read).toMatchObject({ latest_charge: { object: "charge" }, customer: customer.id });
    expect((await stripe.paymentIntents.retrieve(intent.id)).latest_charge).toMatch(/^ch_/);
  });

  test("reaches into lists, and adds what is left out otherwise", async () => {
    const charge = await stripe.charges.create({ amount: 900, currency: "usd", source: "tok_visa" });
    const refund = await stripe.refunds.create({ charge: charge.id, amount: 200 });
    const listed = await stripe.refunds.list({
      charge: charge.id,
      expand: ["data.charge", "data.balance_transaction"],
    });
    expect(listed.data).toMatchObject([{ charge: { id: charge.id }, balance_transaction: { amount: -200 } }]);
    const whole = await stripe.charges.retrieve(charge.id, { expand: ["refunds.data.charge"] });
    expect(whole.refunds).toMatchObject({ object: "list", data: [{ id: refund.id, charge: { id: charge.id } }] });
  });

  test("shows a price by its currencies", async () => {
    const price = { currency: "eur", unit_amount: 1500, product_data: { name: "Seat" } };
    const { id } = await stripe.prices.create(price);
    const read = await stripe.prices.retrieve(id, { expand: ["currency_options", "product"] });
    expect(read).toMatchObject({ currency_options: { eur: { unit_amount: 1500 } }, product: { name: "Seat" } });
  });

  test("leaves the id of a customer that was never made, and what is null", async () => {
    const intent = await stripe.paymentIntents.create({ amount: 500, currency: "usd", customer: "cus_policyOnly" });
    const expand = ["customer", "latest_charge", "payment_method"];
    const read = await stripe.paymentIntents.retrieve(intent.id, { expand });
    expect(read).toMatchObject({ customer: "cus_policyOnly", latest_charge: null, payment_method: null });
  });

  test.each([
    ["what it does not know", "amount"],
    ["an object's own property", "constructor"],
    ["five levels", "data.charge.customer.payment_intent.latest_charge"],
  ])("refuses %s with 400 before any money has moved", async (_what, path) => {
    const before = (await stripe.charges.list({ limit: 100 })).data.length;
    const refused = await rejectionOf<StripeError>(stripe.paymentIntents.create({ ...PAID, expand: [path] }));
    expect(refused).toMatchObject({ statusCode: 400, param: "expand" });
    expect((await stripe.charges.list({ limit: 100 })).data).toHaveLength(before);
  });
});
