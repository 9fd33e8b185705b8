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

type StripeError = Stripe.errors.StripeError;

describe("the catalogue", () => {
  test("a customer is created, changed, found by email and deleted", async () => {
    const customer = await stripe.customers.create({ email: "a@example.com", metadata: { tier: "1" } });
    const updated = await stripe.customers.update(customer.id, { name: "Ann", metadata: { tier: "", plan: "x" } });
    expect(updated).toMatchObject({ name: "Ann", email: "a@example.com", metadata: { plan: "x" } });
    expect(updated.metadata).not.toHaveProperty("tier");
    expect((await stripe.customers.list({ email: "a@example.com" })).data.map(({ id }) => id)).toEqual([customer.id]);
    expect(await stripe.customers.del(customer.id)).toMatchObject({ deleted: true });
    const gone = await rejectionOf<StripeError>(stripe.customers.retrieve(customer.id));
    expect(gone).toMatchObject({ statusCode: 404, code: "resource_missing" });
  });

  test("a price belongs to a product that exists", async () => {
    const product = await stripe.products.create({ name: "Seat" });
    const price = await stripe.prices.create({
      currency: "usd",
      unit_amount: 1500,
      product: product.id,
      recurring: { interval: "month" },
    });
    expect(await stripe.prices.retrieve(price.id)).toMatchObject({ unit_amount: 1500, product: product.id });
    const orphan = await rejectionOf<StripeError>(
      stripe.prices.create({ currency: "usd", unit_amount: 1500, product: "prod_none" }),
    );
    expect(orphan).toMatchObject({ statusCode: 404, param: "product" });
  });
});
