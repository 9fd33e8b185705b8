import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AlertReceiver, startAlertReceiver } from "../harness/alert-receiver.ts";
import { freePort } from "../harness/free-port.ts";
import { type Bench, eventually, makeBench } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const SIGNING_SECRET = "whsec_e2e_signing_secret";

let bench: Bench;
let vendor: VendorDouble;
let receiver: AlertReceiver;

beforeEach(async () => {
  bench = await makeBench();
  vendor = await startVendorDouble(succeededIntent);
  receiver = startAlertReceiver();
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_alerts_real_secret" });
  bench.environment["SIGNING_SECRET"] = SIGNING_SECRET;
  const target = `{ url: "${receiver.url}", secret_env: SIGNING_SECRET, private: true }`;
  writeFileSync(join(bench.dataDir, "keybrake.yaml"), `alerts:\n  run_cost_over: 4\n  webhook:\n    ops: ${target}\n`);
});

afterEach(async () => {
  await bench.stop();
  await vendor.stop();
  await receiver.stop();
});

interface Queued {
  readonly event_id: string;
  readonly state: string;
}

/** What stands in the queue once every key has told of all that it did. */
async function queuedIds(wanted: number): Promise<string[]> {
  return eventually(async () => {
    const queue = await bench.json<Queued[]>(["alert", "list"]);
    return queue.length >= wanted ? queue.map(({ event_id }) => event_id) : undefined;
  });
}

test("a receiver that fails, hangs and comes back has every event, over kill -9 of the server", async () => {
  const answers = [
    () => new Response(null, { status: 500 }),
    () => new Promise<Response>(() => {}),
    () => new Response("taken"),
  ];
  for (const [round, answer] of answers.entries()) {
    receiver.answer = answer;
    const server = await bench.serve();
    const key = await issueChargeKey(bench, "5", `run/${round}`);
    const statuses = [(await charge(server, key)).status, (await charge(server, key)).status];
    expect(statuses).toEqual([200, 429]);
    await bench.cli(["key", "revoke", key.id]);
    // With what has happened in the last second neither looked at nor sent, and an event in its hands.
    await server.kill("SIGKILL");
  }
  const server = await bench.serve();
  const ids = await queuedIds(4 * answers.length);
  const missing = () => ids.filter((id) => !receiver.takenIds().includes(id));
  // What a killed server had in its hands is taken up after 15 s, and what failed by its schedule.
  for (let tries = 0; tries < 4 && missing().length > 0; tries++) {
    await eventually(() => (missing().length === 0 ? true : undefined)).catch(() => undefined);
  }
  expect(missing()).toEqual([]);
  const types = ids.map((id) => id.split(":")[0]!).toSorted();
  expect(types).toEqual(["cap.hit", "cap.warning", "key.revoked", "run.cost"].flatMap((type) => [type, type, type]));
  expect(server.output()).not.toContain(SIGNING_SECRET);
}, 90_000);

test("two servers on one store tell of an event once, and `alert test` says what came back", async () => {
  const server = await bench.serve();
  const second = await bench.serve([], await freePort());
  await bench.cli(["brake", "--reason", "looking"]);
  await eventually(async () => {
    const queue = await bench.json<Queued[]>(["alert", "list"]);
    return queue.some(({ state }) => state === "delivered") ? true : undefined;
  });
  expect(receiver.takenIds()).toHaveLength(1);
  const tried = await bench.cli(["alert", "test"]);
  expect(tried).toMatchObject({ code: 0, stdout: "ops has taken it and answered 200\n" });
  receiver.answer = () => new Response(null, { status: 401 });
  const refused = await bench.cli(["alert", "test", "--target", "ops"]);
  expect(refused).toMatchObject({ code: 1, stdout: "ops did not take it: answered 401\n" });
  await Promise.all([server.kill(), second.kill()]);
});
