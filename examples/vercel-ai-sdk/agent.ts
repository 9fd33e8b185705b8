/** An agent that can charge customers, with a vault key for each of its runs. */
import { generateText, type LanguageModel, type StepResult, stepCountIs, type ToolSet, tool } from "ai";
import { asCapHit, Keybrake, type VaultKey } from "keybrake";
import Stripe from "stripe";
import { z } from "zod";

export interface Outcome {
  readonly label: string;
  readonly charged: readonly string[];
  readonly steps: number;
  readonly stoppedBy?: string;
}

const keybrake = new Keybrake();

/** @param signal cancels the run: the model, the charge under way, and with them the key. */
export async function bill(
  model: LanguageModel,
  run: string,
  budgetUsd: number,
  signal?: AbortSignal,
): Promise<Outcome> {
  const label = `ai-sdk-billing/${run}`;
  const charged: string[] = [];
  return keybrake.withVaultKey({ template: "billing", label, daily_usd_cap: budgetUsd }, async (key) => {
    const { steps } = await generateText({
      model,
      prompt: "Charge every customer with an open order.",
      tools: { charge: chargeTool(key, charged) },
      stopWhen: [stepCountIs(50), ({ steps }) => capHitIn(steps) !== undefined],
      ...(signal ? { abortSignal: signal } : {}),
    });
    const hit = capHitIn(steps);
    return { label, charged, steps: steps.length, ...(hit ? { stoppedBy: hit.details.budget ?? "a cap" } : {}) };
  });
}

function chargeTool(key: VaultKey, charged: string[]) {
  const stripe = key.stripe(Stripe);
  return tool({
    description: "Charges a customer for an order",
    inputSchema: z.object({ customer: z.string(), order: z.string(), cents: z.number().int().positive() }),
    execute: async ({ customer, order, cents }, { abortSignal }) => {
      abortSignal?.throwIfAborted();
      const intent = await stripe.paymentIntents.create(
        { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
        { idempotencyKey: `${key.label}-${order}` },
      );
      charged.push(order);
      return { id: intent.id, status: intent.status };
    },
  });
}

/** What a tool throws becomes a message to the model, which would try again: the loop has to look for it. */
function capHitIn(steps: readonly StepResult<ToolSet>[]) {
  const parts = steps.flatMap((step) => step.content);
  for (const part of parts) {
    const hit = part.type === "tool-error" ? asCapHit(part.error) : undefined;
    if (hit) return hit;
  }
  return undefined;
}
