/** One charge of a run, and how Hatchet is told that repeating it cannot help. */
import { NonRetryableError } from "@hatchet-dev/typescript-sdk/v1/task.js";
import { asCapHit, type IssuedVaultKey, VaultKey } from "keybrake";
import Stripe from "stripe";

export interface Charge {
  readonly key: IssuedVaultKey;
  readonly customer: string;
  readonly cents: number;
}

export async function charge({ key: issued, customer, cents }: Charge): Promise<{ intent: string }> {
  const key = new VaultKey(issued);
  // Hatchet repeats what fails for the moment, under the same idempotency key.
  const stripe = key.stripe(Stripe, { maxNetworkRetries: 0 });
  try {
    const intent = await stripe.paymentIntents.create(
      { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
      { idempotencyKey: `${key.label}-${customer}` },
    );
    return { intent: intent.id };
  } catch (error) {
    const hit = asCapHit(error);
    throw hit ? new NonRetryableError(`stopped by ${hit.details.budget}`) : error;
  }
}
