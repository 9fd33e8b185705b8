import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let bench: Bench;
let vendor: VendorDouble;

beforeEach(async () => {
  bench = await makeBench();
  vendor = await startVendorDouble(succeededIntent);
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_cap_real_secret" });
});

afterEach(async () => {
  await bench.stop();
  await vendor.stop();
});

const issueKey = (cap: string) => issueChargeKey(bench, cap, "fan-out/1");

async function statusOfCharge(server: RunningKeybrake, key: IssuedKey): Promise<number> {
  const response = await charge(server, key);
  await response.text();
  return response.status;
}

function counts(statuses: readonly number[]): Record<number, number> {
  const result: Record<number, number> = {};
  for (const status of statuses) result[status] = (result[status] ?? 0) + 1;
  return result;
}

interface Row {
  readonly state: string;
  readonly policy_verdict: string;
  readonly cost_usd: string | null;
  readonly exposure_usd: string;
}

/** The rows of the key once none is held any more. */
function settledRows(key: IssuedKey): Promise<Row[]> {
  return eventually(async () => {
    const rows = await bench.json<Row[]>(["audit", "--key", key.id, "--limit", "1000"]);
    return rows.some((row) => row.state === "held") ? undefined : rows;
  });
}

async function expectExactlyTwenty(key: IssuedKey, statuses: readonly number[]): Promise<void> {
  expect(counts(statuses)).toEqual({ 200: 20, 429: 44 });
  expect(vendor.requests).toHaveLength(20);
  const rows = await settledRows(key);
  expect(rows).toHaveLength(64);
  expect(
    counts(rows.map((row) => (row.state === "settled" ? 200 : row.policy_verdict === "cap_exceeded" ? 429 : 0))),
  ).toEqual({ 200: 20, 429: 44 });
  const shown = await bench.json<{ spend: { settled_usd: string; held_usd: string } }>(["key", "show", key.id]);
  expect(shown.spend).toMatchObject({ settled_usd: "100.00", held_usd: "0.00", calls: 64 });
  const doctor = await bench.json<{ check: string; level: string }[]>(["doctor"]);
  expect(doctor.filter(({ check }) => check.includes("counter")).map(({ level }) => level)).toEqual(["ok"]);
}

describe("64 calls of $5 at once on a cap of $100", () => {
  test("let exactly 20 through one server", async () => {
    const key = await issueKey("100");
    const server = await bench.serve();
    const statuses = await Promise.all(Array.from({ length: 64 }, () => statusOfCharge(server, key)));
    await expectExactlyTwenty(key, statuses);
  });

  test("let exactly 20 through two servers on one data directory", async () => {
    const key = await issueKey("100");
    const servers = [await bench.serve(), await bench.serve([], bench.port + 1)];
    const statuses = await Promise.all(
      Array.from({ length: 64 }, (_, index) => statusOfCharge(servers[index % 2]!, key)),
    );
    await expectExactlyTwenty(key, statuses);
  });
});

describe("a change on the data directory", () => {
  test("holds for the very next call of a running server: revoke, update, brake, release", async () => {
    const key = await issueKey("5");
    const server = await bench.serve();
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(await statusOfCharge(server, key)).toBe(429);
    expect(await bench.cli(["key", "update", key.id, "--daily-usd-cap", "15"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(await bench.cli(["brake", "--vendor", "stripe", "--reason", "drill"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(403);
    expect(await bench.cli(["release", "--vendor", "stripe"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(await bench.cli(["key", "revoke", "--run", "fan-out/1"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(401);
    expect(vendor.requests).toHaveLength(3);
  });

  test("counts what was spent before a cap was added", async () => {
    const policy = ["--vendor", "stripe", "--allowed-endpoints", "POST /v1/payment_intents"];
    const key = await bench.json<IssuedKey>(["key", "issue", ...policy, "--expires-in", "1h"]);
    const server = await bench.serve();
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(await bench.cli(["key", "update", key.id, "--daily-usd-cap", "9"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(429);
    expect(await bench.cli(["key", "update", key.id, "--daily-usd-cap", "10"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(vendor.requests).toHaveLength(2);
  });

  test("gives every call the new secret after a rotation, and none after a removal", async () => {
    const key = await issueKey("100");
    const server = await bench.serve();
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(await bench.cli(["vendor", "rotate", "stripe"], { stdin: "sk_test_cap_rotated_secret" })).toMatchObject({
      code: 0,
    });
    expect(await statusOfCharge(server, key)).toBe(200);
    expect(await bench.cli(["vendor", "remove", "stripe"])).toMatchObject({ code: 0 });
    expect(await statusOfCharge(server, key)).toBe(503);
    expect(vendor.requests.map((request) => request.headers["authorization"])).toEqual([
      "Bearer sk_test_cap_real_secret",
      "Bearer sk_test_cap_rotated_secret",
    ]);
  });
});

test("keeps every hold and row of every call that the vendor saw over kill -9 under load", async () => {
  const key = await issueKey("100000");
  const server = await bench.serve();
  vendor.answer = async (request, index) => {
    if (index % 3 === 0) await Bun.sleep(20);
    return succeededIntent(request);
  };
  let stopped = false;
  const load = Array.from({ length: 16 }, async () => {
    while (!stopped) await statusOfCharge(server, key).catch(() => 0);
  });
  await eventually(() => (vendor.requests.length > 300 ? true : undefined));
  await server.kill("SIGKILL");
  stopped = true;
  await Promise.all(load);
  const seen = vendor.requests.map((request) => request.headers["idempotency-key"]!.replace(/^kb_/, ""));
  await bench.serve();
  const rows = await bench.json<(Row & { id: string })[]>(["audit", "--key", key.id, "--limit", "10000"]);
  const byId = new Map(rows.map((row) => [row.id, row]));
  for (const id of seen) {
    const row = byId.get(id);
    expect(row, `the vendor saw ${id}, the audit did not`).toBeDefined();
    expect(["held", "settled", "unresolved"]).toContain(row!.state);
    expect(row!.exposure_usd).toBe("5.00");
  }
  const shown = await bench.json<{ spend: { budgets: { budget: string; used: string }[] } }>(["key", "show", key.id]);
  const daily = shown.spend.budgets.find(({ budget }) => budget === "daily_usd_cap");
  const held = rows.filter((row) => row.state !== "released" && row.state !== "refused").length;
  expect(held).toBeGreaterThanOrEqual(seen.length);
  expect(Number(daily!.used)).toBe(held * 5);
});
