/** POST /billing-runs/:run charges every customer of a run, with a vault key that lives as long as the request. */
import { asCapHit, Keybrake } from "keybrake";
import Stripe from "stripe";

interface Settings {
  readonly KEYBRAKE_URL: string;
  readonly KEYBRAKE_API_KEY: string;
}

interface Order {
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

interface Lifetime {
  waitUntil(work: Promise<unknown>): void;
}

export default {
  async fetch(request: Request, env: Settings, context: Lifetime): Promise<Response> {
    const run = /^\/billing-runs\/([^/]+)$/.exec(new URL(request.url).pathname)?.[1];
    if (request.method !== "POST" || run === undefined) return new Response("not found", { status: 404 });
    const answer = bill(run, (await request.json()) as Order, env, request.signal);
    // A request whose caller goes away ends at once, in the midst of a charge and before the revoke, but for this.
    context.waitUntil(answer.catch(() => {}));
    return answer;
  },
};

async function bill(run: string, order: Order, env: Settings, signal: AbortSignal): Promise<Response> {
  const { customers, cents, budgetUsd } = order;
  const label = `workers-billing/${run}`;
  const policy = { template: "billing", label, daily_usd_cap: budgetUsd, unique_label: true };
  const keybrake = new Keybrake({ url: env.KEYBRAKE_URL, apiKey: env.KEYBRAKE_API_KEY });
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
