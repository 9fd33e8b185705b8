/** POST /billing-runs/:run charges every customer of a run, with a vault key that lives as long as the request. */
import type { AddressInfo } from "node:net";
import express, { type NextFunction, type Request, type Response } from "express";
import { asCapHit, Keybrake } from "keybrake";
import Stripe from "stripe";

interface Order {
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

const keybrake = new Keybrake();
const app = express();
app.use(express.json());

app.post("/billing-runs/:run", async (request: Request<{ run: string }>, response: Response) => {
  const { customers, cents, budgetUsd } = request.body as Order;
  const label = `express-billing/${request.params.run}`;
  const charged: string[] = [];
  response.locals["charged"] = charged;
  const policy = { template: "billing", label, daily_usd_cap: budgetUsd, unique_label: true };
  await keybrake.withVaultKey(policy, async (key) => {
    const stripe = key.stripe(Stripe);
    for (const customer of customers) {
      if (response.destroyed) throw new Error(`${label}: its caller is gone after ${charged.length} charges`);
      await stripe.paymentIntents.create(
        { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" },
        { idempotencyKey: `${label}-${customer}` },
      );
      charged.push(customer);
    }
  });
  response.json({ label, charged });
});

// 402 and not 429: callers, proxies and gateways repeat a 429.
app.use((error: unknown, _request: Request, response: Response, next: NextFunction) => {
  const hit = asCapHit(error);
  if (!hit || response.destroyed) return next(error);
  response.status(402).json({ charged: response.locals["charged"], stoppedBy: hit.details.budget });
});

const server = app.listen(Number(process.env["PORT"] ?? 3000), "127.0.0.1", () => {
  console.log(`listening on ${(server.address() as AddressInfo).port}`);
});
process.on("SIGTERM", () => server.close());
