/** A durable run: its vault key is issued once, however often it starts anew, and its charges are handlers of their own. */
import { createServer } from "node:http2";
import * as restate from "@restatedev/restate-sdk";
import { asCapHit, type IssuedVaultKey, Keybrake, VaultKey } from "keybrake";
import Stripe from "stripe";

interface Charge {
  readonly issued: IssuedVaultKey;
  readonly customer: string;
  readonly cents: number;
}

interface Order {
  readonly run: string;
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

const keybrake = new Keybrake();
const retries = { initialRetryInterval: 500, maxRetryInterval: 10_000, maxRetryAttempts: 8 };

const charges = restate.service({
  name: "charges",
  handlers: {
    charge: async (ctx: restate.Context, { issued, customer, cents }: Charge): Promise<string> => {
      const key = new VaultKey(issued);
      // Restate repeats what fails for the moment, under the same idempotency key.
      const stripe = key.stripe(Stripe, { maxNetworkRetries: 0 });
      const intent = { amount: cents, currency: "usd", customer, confirm: true, payment_method: "pm_card_visa" };
      const idempotencyKey = `${key.label}-${customer}`;
      const pay = async () => (await stripe.paymentIntents.create(intent, { idempotencyKey })).id;
      return ctx.run("charge", pay, retries);
    },
  },
  options: {
    // Any other error is tried again, in the step and then in the handler.
    asTerminalError: (error) => {
      const hit = asCapHit(error);
      return hit && new restate.TerminalError(`stopped by ${hit.details.budget}`, { errorCode: 402 });
    },
  },
});

const billing = restate.service({
  name: "billing",
  handlers: {
    bill: async (ctx: restate.Context, { run, customers, cents, budgetUsd }: Order) => {
      const label = `restate-billing/${run}`;
      const policy = { template: "billing", label, daily_usd_cap: budgetUsd };
      try {
        const issued = await ctx.run("issue", async () => (await keybrake.issue(policy)).toJSON(), retries);
        const each = customers.map((customer) => ctx.serviceClient(charges).charge({ issued, customer, cents }));
        const done = await restate.RestatePromise.allSettled(each);
        const failed = done.flatMap((one) => (one.status === "rejected" ? [String(one.reason.message)] : []));
        return { label, charged: done.length - failed.length, failed: [...new Set(failed)] };
      } finally {
        // By the run and not by the key: a try that ended within "issue" may have left one more.
        await ctx.run("revoke", () => keybrake.revokeRun(label, "the run ended"), retries);
      }
    },
  },
});

const port = Number(process.env["PORT"] ?? 9080);
const endpoint = restate.createEndpointHandler({ services: [billing, charges] });
// Not `restate.serve`: it listens on every address, for whoever asks.
createServer(endpoint).listen(port, "127.0.0.1", () => console.log(`listening on ${port}`));
