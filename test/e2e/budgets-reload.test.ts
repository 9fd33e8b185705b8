import { expect, test } from "bun:test";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually, makeBench } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble } from "../harness/vendor-double.ts";

/** 2,000 budgets that match nothing here, and one over everything. */
function budgets(platformCap: string): string {
  const others = Array.from(
    { length: 2_000 },
    (_, n) => `  - { name: t-${n}, match: { label_prefix: "t:${n}:" }, daily_usd_cap: 1 }`,
  );
  return ["budgets:", `  - { name: platform, daily_usd_cap: ${platformCap} }`, ...others, ""].join("\n");
}

test("a server goes over to a long changed budgets.yaml by itself, and stays with it where the next one is broken", async () => {
  const bench = await makeBench();
  const vendor = await startVendorDouble(succeededIntent);
  const file = join(bench.dataDir, "policies", "budgets.yaml");
  const put = (text: string) => {
    writeFileSync(`${file}.draft`, text);
    renameSync(`${file}.draft`, file);
  };
  try {
    await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_reload_real_secret" });
    mkdirSync(join(bench.dataDir, "policies"), { recursive: true });
    put(budgets("1000000"));
    const server = await bench.serve();
    const key = await issueChargeKey(bench, "1000000", "run/1");
    expect((await charge(server, key)).status).toBe(200);
    put(budgets("0"));
    const refused = await eventually(async () => {
      const answer = await charge(server, key);
      return answer.status === 429 ? ((await answer.json()) as { keybrake: { budget: string } }) : undefined;
    });
    expect(refused.keybrake.budget).toBe("platform");
    const sent = vendor.requests.length;
    put(budgets("oops"));
    await eventually(async () => {
      expect((await charge(server, key)).status).toBe(429);
      return server.output().includes("budgets_broken") || undefined;
    });
    expect(vendor.requests).toHaveLength(sent);
  } finally {
    await bench.stop();
    await vendor.stop();
  }
});
