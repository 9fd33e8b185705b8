import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { BINARY, makeBench } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble } from "../harness/vendor-double.ts";

const KILLS = 12;

test(`a rekey that is killed at ${KILLS} moments leaves a store that opens every time, and one that is not gives another key`, async () => {
  const bench = await makeBench();
  const vendor = await startVendorDouble(succeededIntent);
  const master = () => readFileSync(join(bench.dataDir, "master.key"), "utf8");
  try {
    const secret = "sk_test_rekey_real_secret";
    await setVendor(bench, "stripe", { origin: vendor.origin, secret });
    const started = performance.now();
    const first = await bench.json<{ old_key: string; new_key: string }>(["rekey"]);
    const tookMs = performance.now() - started;
    for (let kill = 0; kill < KILLS; kill++) {
      const child = Bun.spawn([BINARY, "rekey"], { env: bench.environment, stdout: "ignore", stderr: "ignore" });
      // From the first instruction to after the last, over the kills.
      await Bun.sleep((tookMs * kill) / KILLS);
      child.kill("SIGKILL");
      await child.exited;
      const doctor = await bench.cli(["doctor"]);
      expect(doctor.stdout).toMatch(/ok +master key +master key [0-9a-f]{8} opens all 1 stored secrets/);
    }
    const before = master();
    const last = await bench.json<{ old_key: string; new_key: string }>(["rekey"]);
    expect(last.new_key).not.toBe(first.new_key);
    expect(master()).not.toBe(before);
    const server = await bench.serve();
    const key = await issueChargeKey(bench, "50", "run/1");
    expect((await charge(server, key)).status).toBe(200);
    expect(vendor.requests[0]!.headers["authorization"]).toContain(secret);
    const running = await bench.cli(["rekey"]);
    expect([running.code, running.stderr.includes("stop every server first")]).toEqual([1, true]);
    expect((await charge(server, key)).status).toBe(200);
  } finally {
    await bench.stop();
    await vendor.stop();
  }
}, 60_000);
