/** Makes the charges of the queue. It holds no control token: the key of a run comes with each job. */
import { UnrecoverableError, Worker } from "bullmq";
import { Redis } from "ioredis";
import { asCapHit, type IssuedVaultKey, VaultKey } from "keybrake";
import Stripe from "stripe";

export interface Charge {
  readonly key: IssuedVaultKey;
  readonly customer: string;
  readonly cents: number;
}

const connection = new Redis(process.env["REDIS_URL"] ?? "redis://127.0.0.1:6379", { maxRetriesPerRequest: null });

const worker = new Worker<Charge, string>(
  "billing",
  async ({ data: { key: issued, customer, cents } }) => {
    const key = new VaultKey(issued);
    // BullMQ repeats what fails for the moment, under the same idempotency key.
    const stripe = key.stripe(Stripe, { maxNetworkRetries: 0 });
    try {
      const intent = await stripe.paymentIntents.create(
        { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
        { idempotencyKey: `${key.label}-${customer}` },
      );
      return intent.id;
    } catch (error) {
      const hit = asCapHit(error);
      throw hit ? new UnrecoverableError(`stopped by ${hit.details.budget}`) : error;
    }
  },
  { connection, concurrency: 5 },
);

worker.on("error", (error) => console.error(error.message));
process.once("SIGTERM", async () => {
  await worker.close();
  await connection.quit();
});
