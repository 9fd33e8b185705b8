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
type StripeError = Stripe.errors.StripeError;

describe("payouts and transfers", () => {
  test("a transfer without an amount takes its source's, and is reversed no further than that", async () => {
    const source = await stripe.charges.create({ ...usd(1200), source: "tok_visa" });
    const transfer = await stripe.transfers.create({
      currency: "usd",
      destination: "acct_1",
      source_transaction: source.id,
    });
    expect(transfer).toMatchObject({ amount: 1200, reversed: false });
    expect(await stripe.transfers.createReversal(transfer.id, { amount: 200 })).toMatchObject({ amount: 200 });
    await rejectionOf(stripe.transfers.createReversal(transfer.id, { amount: 1001 }));
    expect(await stripe.transfers.createReversal(transfer.id)).toMatchObject({ amount: 1000 });
    expect(await stripe.transfers.retrieve(transfer.id)).toMatchObject({ amount_reversed: 1200, reversed: true });
    const reversals = await stripe.transfers.listReversals(transfer.id);
    expect(reversals.data.map(({ amount }) => amount)).toEqual([1000, 200]);
    const [last] = reversals.data;
    expect(await stripe.transfers.retrieveReversal(transfer.id, last!.id)).toMatchObject({ amount: 1000 });
    const other = await stripe.transfers.create({ ...usd(100), destination: "acct_1" });
    expect((await stripe.transfers.listReversals(other.id)).data).toEqual([]);
    const strange = await rejectionOf<StripeError>(stripe.transfers.retrieveReversal(other.id, last!.id));
    expect(strange).toMatchObject({ statusCode: 404, code: "resource_missing" });
    const amountless = await rejectionOf<StripeError>(
      stripe.transfers.create({ currency: "usd", destination: "acct_1" }),
    );
    expect(amountless).toMatchObject({ code: "parameter_missing", param: "amount" });
  });

  test("lists are newest first and page on without gaps or repeats", async () => {
    const made: string[] = [];
    for (let i = 0; i < 5; i++) made.unshift((await stripe.payouts.create(usd(100 + i))).id);
    const page = await stripe.payouts.list({ limit: 2 });
    expect(page).toMatchObject({ object: "list", has_more: true, url: "/v1/payouts" });
    const all = await stripe.payouts.list({ limit: 2 }).autoPagingToArray({ limit: 5 });
    expect(all.map(({ id }) => id)).toEqual(made);
    const back = await stripe.payouts.list({ limit: 2, ending_before: made[3]! });
    expect(back.data.map(({ id }) => id)).toEqual([made[1]!, made[2]!]);
    expect(await rejectionOf<StripeError>(stripe.payouts.list({ starting_after: "po_none" }))).toMatchObject({
      param: "starting_after",
    });
  });
});
