/** POST /billing-runs/:run charges every customer of a run, with a vault key that lives as long as the request. */
import { asCapHit, Keybrake } from "keybrake";
import Stripe from "stripe";

interface Order {
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

/** Sockets and a signal that tells of a caller that goes away: Node.js, not the edge. */
export const runtime = "nodejs";

export async function POST(request: Request, { params }: { params: Promise<{ run: string }> }): Promise<Response> {
  const { customers, cents, budgetUsd } = (await request.json()) as Order;
  const label = `nextjs-billing/${(await params).run}`;
  const policy = { template: "billing", label, daily_usd_cap: budgetUsd, unique_label: true };
  const charged: string[] = [];
  try {
    // Not at the top of the file: `next build` loads it, where no KEYBRAKE_URL is set.
    await new Keybrake().withVaultKey(policy, async (key) => {
      const stripe = key.stripe(Stripe);
      for (const customer of customers) {
        request.signal.throwIfAborted();
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
