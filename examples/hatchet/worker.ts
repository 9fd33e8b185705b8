/** The worker: one run with its vault key, and its charges. */
import { HatchetClient } from "@hatchet-dev/typescript-sdk";
import { Keybrake } from "keybrake";
import { type Charge, charge } from "./charge.ts";

type Order = { run: string; customers: string[]; cents: number; budgetUsd: number };

const hatchet = HatchetClient.init();
const keybrake = new Keybrake();

const chargeTask = hatchet.task({
  name: "charge",
  retries: 5,
  backoff: { factor: 2, maxSeconds: 60 },
  fn: ({ payload }: { payload: string }) => charge(JSON.parse(payload) as Charge),
});

const bill = hatchet.task({
  name: "bill",
  // A try of its own would be a key, and a budget, of its own.
  retries: 0,
  executionTimeout: "1h",
  fn: async ({ run, customers, cents, budgetUsd }: Order) => {
    const policy = { template: "billing", label: `hatchet-billing/${run}`, daily_usd_cap: budgetUsd };
    return keybrake.withVaultKey(policy, async (key) => {
      const payloads = customers.map((customer) => JSON.stringify({ key, customer, cents }));
      const done = await Promise.allSettled(payloads.map((payload) => chargeTask.run({ payload })));
      return { charged: done.filter(({ status }) => status === "fulfilled").length, asked: customers.length };
    });
  },
});

const worker = await hatchet.worker("billing", { workflows: [chargeTask, bill], slots: 10 });
await worker.start();
