import { afterEach, beforeEach, expect, test } from "bun:test";
import { AlertUpkeep } from "../../src/alerts/upkeep.ts";
import type { AlertTarget } from "../../src/core/alert-target.ts";
import { Problem } from "../../src/core/problem.ts";
import type { Store } from "../../src/store/store.ts";
import { type AlertReceiver, startAlertReceiver } from "../harness/alert-receiver.ts";
import { ADMIN, type Installed, install } from "../operate/installed.ts";
import { recordCall } from "../operate/record-call.ts";

let installed: Installed;
let receiver: AlertReceiver;
let logged: string[];

beforeEach(async () => {
  installed = await install();
  receiver = startAlertReceiver();
  logged = [];
});
afterEach(async () => {
  await receiver.stop();
  await installed.close();
});

function upkeepOn(store: Store): AlertUpkeep {
  const { clock } = installed;
  const secret = { environment: "S" };
  const target: AlertTarget = { type: "webhook", name: "ops", url: receiver.url, secret, isPrivate: true };
  const log = { info: () => {}, error: (event: string) => void logged.push(event) };
  const config = { alerts: { targets: [target], runCostMicros: undefined }, currencyRates: new Map() };
  return new AlertUpkeep({
    store,
    clock,
    log,
    config,
    environment: { S: "s" },
    isPublic: async () => true,
    sharedCaps: () => [],
    server: "s1",
  });
}

test("a call that is refused for its cap reaches the receiver within two rounds, and not again", async () => {
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"], daily_usd_cap: 1 };
  const { id: keyId } = await installed.control.issueKey({ expires_in: "1h", policy }, ADMIN);
  await recordCall(installed, { keyId, exposureUsd: "2" });
  const upkeep = upkeepOn(installed.store);
  for (let round = 0; round < 4; round++) await upkeep.round();
  await upkeep.stop();
  expect(receiver.takenIds()).toEqual([`cap.hit:key:${keyId}:daily_usd_cap:${installed.clock.nowMs}`]);
  expect(logged).toEqual([]);
});

const FAILURES = [
  ["a store that cannot be used is told of after three looks", new Problem("unavailable", "disk I/O error"), 1],
  ["a defect of ours is logged and is no trouble of the store", new TypeError("defect"), 0],
] as const;
for (const [title, cause, events] of FAILURES) {
  test(title, async () => {
    const store: Store = { ...installed.store, untoldActs: () => Promise.reject(cause) };
    const upkeep = upkeepOn(store);
    for (let round = 0; round < 2; round++) await upkeep.round();
    expect(receiver.received).toEqual([]);
    for (let round = 0; round < 4; round++) await upkeep.round();
    await upkeep.stop();
    expect(receiver.takenIds()).toHaveLength(events);
    expect(logged).toContain("alerts_failed");
  });
}
