/** A run as a function: its vault key is what its first step returns, so that every later request goes on with it. */
import { Inngest, NonRetriableError } from "inngest";
import { asCapHit, type IssuedVaultKey, Keybrake, VaultKey } from "keybrake";
import Stripe from "stripe";

interface Order {
  readonly run: string;
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

export const inngest = new Inngest({ id: "shop" });
const keybrake = new Keybrake();
const labelOf = ({ run }: Order) => `inngest-billing/${run}`;

async function charge(key: VaultKey, customer: string, cents: number): Promise<string> {
  // Inngest repeats what fails for the moment, under the same idempotency key.
  const stripe = key.stripe(Stripe, { maxNetworkRetries: 0 });
  try {
    const intent = await stripe.paymentIntents.create(
      { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
      { idempotencyKey: `${key.label}-${customer}` },
    );
    return intent.id;
  } catch (error) {
    const hit = asCapHit(error);
    throw hit ? new NonRetriableError(`stopped by ${hit.details.budget}`) : error;
  }
}

const bill = inngest.createFunction(
  { id: "bill", retries: 4, triggers: { event: "billing/run.asked" } },
  async ({ event, step }) => {
    const order = event.data as Order;
    const label = labelOf(order);
    const policy = { template: "billing", label, daily_usd_cap: order.budgetUsd };
    try {
      const issued = await step.run("issue", async () => (await keybrake.issue(policy)).toJSON());
      const key = new VaultKey(issued as IssuedVaultKey);
      const charges = order.customers.map((customer) =>
        step.run(`charge-${customer}`, () => charge(key, customer, order.cents)),
      );
      const done = await Promise.allSettled(charges);
      const failed = done.flatMap((one) => (one.status === "rejected" ? [String(one.reason.message)] : []));
      return { label, charged: done.length - failed.length, failed: [...new Set(failed)] };
    } finally {
      await step.run("revoke", () => keybrake.revokeRun(label, "the run ended"));
    }
  },
);

/** A run that is cancelled is not asked for its `finally` any more. */
const endCancelled = inngest.createFunction(
  {
    id: "end-cancelled",
    triggers: { event: "inngest/function.cancelled", if: "event.data.function_id == 'shop-bill'" },
  },
  async ({ event, step }) => {
    const label = labelOf(event.data.event.data as Order);
    await step.run("revoke", () => keybrake.revokeRun(label, "the run was cancelled"));
  },
);

export const functions = [bill, endCancelled];
