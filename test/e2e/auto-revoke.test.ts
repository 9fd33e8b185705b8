import { expect, test } from "bun:test";
import { eventually, makeBench } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble } from "../harness/vendor-double.ts";

test("a server with no alert target revokes a key whose calls caps refuse, and tells the agent why", async () => {
  const bench = await makeBench();
  const vendor = await startVendorDouble(succeededIntent);
  try {
    await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_auto_revoke_real_secret" });
    const server = await bench.serve();
    const key = await issueChargeKey(bench, "5", "run/stuck", ["--auto-revoke", "cap_hits=2/1h"]);
    const answers = [await charge(server, key), await charge(server, key), await charge(server, key)];
    expect(answers.map(({ status }) => status)).toEqual([200, 429, 429]);
    const refused = await eventually(async () => {
      const answer = await charge(server, key);
      return answer.status === 401 ? ((await answer.json()) as { error: { message: string } }) : undefined;
    });
    expect(refused.error.message).toContain("auto_revoke: 2 cap_hits within 1h, the limit is 2; the last was call_");
    expect(vendor.requests).toHaveLength(1);
    const shown = await bench.cli(["key", "show", key.id]);
    expect(shown.stdout).toContain("revoked (auto_revoke: 2 cap_hits");
    expect(shown.stdout).toContain('- {"cap_hits":2,"within":"1h"}');
  } finally {
    await bench.stop();
    await vendor.stop();
  }
});
