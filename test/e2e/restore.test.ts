import { afterEach, beforeEach, expect, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Bench, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let bench: Bench;
let vendor: VendorDouble;
let server: RunningKeybrake;
let file: string;

beforeEach(async () => {
  bench = await makeBench();
  file = join(dirname(bench.dataDir), "backup.db");
  vendor = await startVendorDouble((request) => succeededIntent(request));
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_restore_real_secret" });
  server = await bench.serve();
});

afterEach(async () => {
  await bench.stop();
  await vendor.stop();
});

const issueKey = (label: string) => issueChargeKey(bench, "100", label);
const statusOf = async (key: IssuedKey) => (await charge(server, key)).status;

interface Gap {
  readonly frozen: { readonly lost: Readonly<Record<string, unknown>> | null };
}

test("a backup under load, its restore, the frozen keys, and the confirmation that thaws them", async () => {
  const [key, stopped] = [await issueKey("ray/1"), await issueKey("ray/2")];
  let answered = 0;
  let busy = true;
  const load = Array.from({ length: 4 }, async () => {
    while (busy && answered < 19) {
      answered += 1;
      expect(await statusOf(key)).toBe(200);
    }
  });
  const { calls, counter_mismatches } = await bench.json<Record<string, number>>(["backup", file]);
  busy = false;
  await Promise.all(load);
  expect(counter_mismatches).toBe(0);
  expect(calls).toBeLessThanOrEqual(answered);
  expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  expect(await statusOf(stopped)).toBe(200);
  expect(await bench.cli(["key", "revoke", stopped.id])).toMatchObject({ code: 0 });

  const refused = await bench.cli(["restore", file, "--yes"]);
  expect(refused).toMatchObject({ code: 1 });
  expect(refused.stderr).toContain("a keybrake server has it open (process ");
  expect(await server.kill()).toBe(0);

  const restored = await bench.json<Gap>(["restore", file, "--yes"]);
  const lost = {
    calls: answered + 1 - calls!,
    revoked_keys: [stopped.id],
    spent_usd: `${(answered + 1 - calls!) * 5}.00`,
  };
  expect(restored.frozen.lost).toMatchObject(lost);
  expect(readdirSync(bench.dataDir).filter((name) => name.includes(".replaced-"))).toHaveLength(1);

  server = await bench.serve();
  const before = vendor.requests.length;
  for (const each of [key, stopped, await issueKey("ray/3")]) {
    const answer = await charge(server, each);
    expect(answer.status).toBe(503);
    const { keybrake } = (await answer.json()) as { keybrake: { code: string; message: string } };
    expect(keybrake.code).toBe("store_unavailable");
    expect(keybrake.message).toContain("keybrake restore confirm");
  }
  expect(vendor.requests).toHaveLength(before);

  const shown = await bench.cli(["restore", "confirm"]);
  expect(shown).toMatchObject({ code: 2 });
  expect(shown.stderr).toContain(`keybrake key revoke ${stopped.id}`);
  expect(await statusOf(key)).toBe(503);
  expect((await bench.json<Gap>(["restore", "confirm", "--yes"])).frozen.lost).toMatchObject(lost);
  expect(await statusOf(key)).toBe(200);
  const { stdout } = await bench.cli(["doctor"]);
  expect(stdout).toContain("every budget's counter equals the sum of its calls");
});
