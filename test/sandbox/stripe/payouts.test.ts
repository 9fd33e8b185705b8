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

const DAY_MS = 86_400_000;
const usd = (amount: number) => ({ amount, currency: "usd" });
type StripeError = Stripe.errors.StripeError;

describe("a payout", () => {
  test("is pending until it is cancelled, once", async () => {
    const payout = await stripe.payouts.create({ ...usd(5000), method: "instant" });
    expect(payout).toMatchObject({ amount: 5000, status: "pending", method: "instant" });
    expect(await stripe.payouts.cancel(payout.id)).toMatchObject({ status: "canceled" });
    await rejectionOf(stripe.payouts.cancel(payout.id));
    trial.clock.advance(3 * DAY_MS);
    expect(await stripe.payouts.retrieve(payout.id)).toMatchObject({ status: "canceled" });
  });

  test.each([
    ["standard", 2 * DAY_MS],
    ["instant", 2_000],
  ] as const)("by the %s method is paid once its time has come, and then not cancelled", async (method, arrivesMs) => {
    const { id } = await stripe.payouts.create({ ...usd(700), method });
    trial.clock.advance(arrivesMs - 1_000);
    expect(await stripe.payouts.retrieve(id)).toMatchObject({ status: "pending" });
    trial.clock.advance(1_000);
    expect(await stripe.payouts.retrieve(id)).toMatchObject({ status: "paid" });
    const described = await stripe.payouts.update(id, { metadata: { run: "1" } });
    expect(described).toMatchObject({ status: "paid", metadata: { run: "1" } });
    expect((await stripe.payouts.list({ status: "paid", limit: 1 })).data).toMatchObject([{ id }]);
    const late = await rejectionOf<StripeError>(stripe.payouts.cancel(id));
    expect(late.message).toContain("its status is paid");
  });

  test("is reversed once it is paid, once, by a payout of its own with a negative amount", async () => {
    const payout = await stripe.payouts.create({ ...usd(900), method: "instant" });
    const early = await rejectionOf<StripeError>(stripe.payouts.reverse(payout.id));
    expect(early.message).toContain("pending: cancel it instead");
    trial.clock.advance(2_000);
    const reversal = await stripe.payouts.reverse(payout.id);
    expect(reversal).toMatchObject({ amount: -900, original_payout: payout.id, object: "payout" });
    const read = await stripe.payouts.retrieve(payout.id, { expand: ["reversed_by"] });
    expect(read).toMatchObject({ status: "paid", reversed_by: { id: reversal.id } });
    trial.clock.advance(3 * DAY_MS);
    for (const id of [payout.id, reversal.id]) {
      expect((await rejectionOf<StripeError>(stripe.payouts.reverse(id))).message).toContain("reversed again");
    }
  });
});
