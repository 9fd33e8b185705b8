/** POST /billing-runs/:run charges every customer of a run, with a vault key that lives as long as the request. */
import { asCapHit, Keybrake } from "keybrake";
import Stripe from "stripe";

interface Order {
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

const keybrake = new Keybrake();
const PATH = new URLPattern({ pathname: "/billing-runs/:run" });

async function bill(run: string, { customers, cents, budgetUsd }: Order, signal: AbortSignal): Promise<Response> {
  const label = `deno-billing/${run}`;
  const policy = { template: "billing", label, daily_usd_cap: budgetUsd, unique_label: true };
  const charged: string[] = [];
  try {
    await keybrake.withVaultKey(policy, async (key) => {
      const stripe = key.stripe(Stripe, { httpClient: Stripe.createFetchHttpClient() });
      for (const customer of customers) {
        signal.throwIfAborted();
        await stripe.paymentIntents.create(
          { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
          { idempotencyKey: `${label}-${customer}` },
        );
        charged.push(customer);
      }
    });
    return Response.json({ label, charged });
  } catch (error) {
    const hit = asCapHit(error);
    if (!hit) throw error;
    // 402 and not 429: callers, proxies and gateways repeat a 429.
    return Response.json({ charged, stoppedBy: hit.details.budget }, { status: 402 });
  }
}

Deno.serve({ hostname: "127.0.0.1", port: Number(Deno.env.get("PORT") ?? 3000) }, async (request) => {
  const run = PATH.exec(request.url)?.pathname.groups["run"];
  if (request.method !== "POST" || run === undefined) return new Response("not found", { status: 404 });
  return bill(run, (await request.json()) as Order, request.signal);
});
