/** An agent that can charge customers, with a vault key for each of its runs. */
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { CapHit, isCapHit, Keybrake, type VaultKey } from "keybrake";
import { createAgent, tool, toolRetryMiddleware } from "langchain";
import Stripe from "stripe";
import { z } from "zod";

export interface Outcome {
  readonly label: string;
  readonly charged: readonly string[];
  readonly stoppedBy?: string;
}

const keybrake = new Keybrake();

/** @param signal cancels the run: no further charge, and the key is revoked. */
export async function bill(
  model: BaseChatModel,
  run: string,
  budgetUsd: number,
  signal?: AbortSignal,
): Promise<Outcome> {
  const label = `langchain-billing/${run}`;
  const charged: string[] = [];
  const input = { messages: [{ role: "user", content: "Charge every customer with an open order." }] };
  try {
    await keybrake.withVaultKey({ template: "billing", label, daily_usd_cap: budgetUsd }, async (key) => {
      const agent = createAgent({
        model,
        tools: [chargeTool(key, charged, signal)],
        // A cap hit is neither repeated nor told to the model, which would only ask again: it ends the run.
        middleware: [toolRetryMiddleware({ maxRetries: 3, retryOn: (error) => !isCapHit(error), onFailure: "error" })],
      });
      await agent.invoke(input, { recursionLimit: 200, ...(signal ? { signal } : {}) });
    });
    return { label, charged };
  } catch (error) {
    if (!(error instanceof CapHit)) throw error;
    return { label, charged, stoppedBy: error.details.budget ?? "a cap" };
  }
}

function chargeTool(key: VaultKey, charged: string[], signal?: AbortSignal) {
  // The middleware repeats what fails for the moment, under the same idempotency key.
  const stripe = key.stripe(Stripe, { maxNetworkRetries: 0 });
  return tool(
    async ({ customer, order, cents }) => {
      signal?.throwIfAborted();
      const intent = await stripe.paymentIntents.create(
        { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
        { idempotencyKey: `${key.label}-${order}` },
      );
      charged.push(order);
      return `${intent.id} ${intent.status}`;
    },
    {
      name: "charge",
      description: "Charges a customer for an order",
      schema: z.object({ customer: z.string(), order: z.string(), cents: z.number().int().positive() }),
    },
  );
}
