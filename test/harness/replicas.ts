import { join } from "node:path";
import { type Bench, makeBench } from "./keybrake.ts";
import { setVendor, type VendorAccount } from "./vendor-account.ts";

export const REPLICAS = 3;

/** Replicas of one installation: a data directory each, one database, one master key, which the first of them has made. */
export async function makeReplicas(
  store: string,
  vendors: Readonly<Record<string, VendorAccount>>,
): Promise<readonly Bench[]> {
  const benches = await Promise.all(Array.from({ length: REPLICAS }, () => makeBench()));
  const [first] = benches as [Bench];
  for (const { environment } of benches) environment["KEYBRAKE_STORE"] = store;
  for (const [vendor, account] of Object.entries(vendors)) await setVendor(first, vendor, account);
  for (const { environment } of benches.slice(1)) {
    environment["KEYBRAKE_MASTER_KEY_FILE"] = join(first.dataDir, "master.key");
  }
  return benches;
}
