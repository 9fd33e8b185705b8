/** The tasks: one run with its vault key, and its charges. Keep them in the folder that `trigger.config.ts` names. */
import { task } from "@trigger.dev/sdk";
import { Keybrake } from "keybrake";
import { type Charge, charge } from "./charge.ts";

interface Order {
  readonly run: string;
  readonly customers: readonly string[];
  readonly cents: number;
  readonly budgetUsd: number;
}

export const chargeTask = task({
  id: "charge",
  queue: { concurrencyLimit: 5 },
  retry: { maxAttempts: 5, minTimeoutInMs: 1000, factor: 2 },
  run: (payload: Charge) => charge(payload),
});

export const bill = task({
  id: "bill",
  // An attempt of its own would be a key, and a budget, of its own.
  retry: { maxAttempts: 1 },
  run: async ({ run, customers, cents, budgetUsd }: Order) => {
    const policy = { template: "billing", label: `trigger-billing/${run}`, daily_usd_cap: budgetUsd };
    return new Keybrake().withVaultKey(policy, async (key) => {
      const items = customers.map((customer) => ({ payload: { key: key.toJSON(), customer, cents } }));
      const { runs } = await chargeTask.batchTriggerAndWait(items);
      return { charged: runs.filter(({ ok }) => ok).length, asked: customers.length };
    });
  },
});
