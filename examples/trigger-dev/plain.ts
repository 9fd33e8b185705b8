/** The requests of a run, without Trigger.dev: each charge is tried up to five times, but for what says that it is final. */
import { AbortTaskRunError } from "@trigger.dev/sdk";
import { Keybrake, type VaultKey } from "keybrake";
import { charge } from "./charge.ts";

const keybrake = new Keybrake();
const [run = "1", customers = "4", budgetUsd = "50"] = process.argv.slice(2);
const policy = { template: "billing", label: `trigger-billing/${run}`, daily_usd_cap: budgetUsd };
const charged: string[] = [];
const failed: string[] = [];

async function attempt(key: VaultKey, customer: string, triesLeft: number): Promise<void> {
  try {
    await charge({ key: key.toJSON(), customer, cents: 2000 });
    charged.push(customer);
  } catch (error) {
    if (!(error instanceof AbortTaskRunError) && triesLeft > 1) return attempt(key, customer, triesLeft - 1);
    failed.push(error instanceof Error ? error.message : String(error));
  }
}

await keybrake.withVaultKey(policy, async (key) => {
  for (let index = 0; index < Number(customers); index++) await attempt(key, `cus_${index}`, 5);
});
console.log(JSON.stringify({ charged: charged.length, failed }));
