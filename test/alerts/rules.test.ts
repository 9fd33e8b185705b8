import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { lookOnce, type WatchOptions } from "../../src/alerts/watch.ts";
import type { AlertNews, AlertType } from "../../src/core/alert-event.ts";
import { parseUsd } from "../../src/core/money.ts";
import { ADMIN, type Installed, install } from "../operate/installed.ts";
import { endCall, recordCall } from "../operate/record-call.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const GOING_ON = new AbortController().signal;

let installed: Installed;
let keyId: string;

beforeEach(async () => {
  installed = await install();
  keyId = await issue("run/1");
});
afterEach(() => installed.close());

async function issue(label: string): Promise<string> {
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"], daily_usd_cap: 100 };
  return (await installed.control.issueKey({ agent_run_label: label, expires_in: "80d", policy }, ADMIN)).id;
}

async function look(own: Partial<WatchOptions> = {}): Promise<void> {
  const { store, clock } = installed;
  const options: WatchOptions = {
    store,
    clock,
    targets: ["ops"],
    currencyRates: new Map(),
    sharedCaps: () => [],
    runCostMicros: undefined,
    pause: async () => {},
    ...own,
  };
  await lookOnce(options, GOING_ON);
}

async function told(type?: AlertType): Promise<AlertNews[]> {
  const events = (await installed.store.listDeliveries(1_000)).map(({ event }) => event);
  return type === undefined ? events : events.filter((event) => event.type === type);
}

async function spend(usd: string, to: "settled" | "released" = "settled"): Promise<void> {
  await recordCall(installed, { keyId, exposureUsd: usd, end: { to, costUsd: usd } });
}

describe("cap.warning", () => {
  const CASES = [
    ["79.999999", 0],
    ["80", 1],
    ["100", 1],
  ] as const;
  for (const [usd, events] of CASES) {
    test(`at $${usd} of $100 there are ${events}`, async () => {
      await spend(usd);
      await look();
      expect(await told("cap.warning")).toHaveLength(events);
    });
  }

  test("is told once per cap and window, and again in the next one", async () => {
    await spend("85");
    await look();
    await spend("5");
    await look();
    expect(await told("cap.warning")).toHaveLength(1);
    installed.clock.nowMs += DAY_MS;
    await spend("90");
    await look();
    const events = await told("cap.warning");
    expect(events.map(({ data }) => data["used_usd"])).toEqual(["85.00", "90.00"]);
    expect(events[0]!.data).toMatchObject({
      key_id: keyId,
      run_label: "run/1",
      budget: "daily_usd_cap",
      cap_usd: "100.00",
    });
  });

  test("is not told of what was released before anybody looked", async () => {
    await spend("85", "released");
    await look();
    expect(await told()).toEqual([]);
  });
});

describe("cap.hit and cap.hit_rate", () => {
  test("the first refusal per cap and window is told of, the rest is not", async () => {
    await spend("75");
    await look();
    expect(await told("cap.hit")).toHaveLength(0);
    for (let n = 0; n < 3; n++) await recordCall(installed, { keyId, exposureUsd: "30" });
    await look();
    await recordCall(installed, { keyId, exposureUsd: "30" });
    await look();
    expect((await told("cap.hit")).map(({ data }) => data["budget"])).toEqual(["daily_usd_cap"]);
    installed.clock.nowMs += DAY_MS;
    await recordCall(installed, { keyId, exposureUsd: "101" });
    await look();
    expect(await told("cap.hit")).toHaveLength(2);
  });

  const RATES = [
    [10, 0, 0],
    [11, 0, 1],
    [6, 50, 1],
    [6, 61, 0],
  ] as const;
  for (const [hits, thenMinutes, events] of RATES) {
    test(`${hits} refusals, and 6 more after ${thenMinutes} min where that is not 0, are ${events} events`, async () => {
      for (let n = 0; n < hits; n++) await recordCall(installed, { keyId, exposureUsd: "101" });
      await look();
      installed.clock.nowMs += thenMinutes * 60_000;
      for (let n = 0; n < (thenMinutes === 0 ? 0 : 6); n++) await recordCall(installed, { keyId, exposureUsd: "101" });
      await look();
      expect(await told("cap.hit_rate")).toHaveLength(events);
    });
  }

  test("a refusal for another reason, and another key's, are not counted", async () => {
    const other = await issue("run/2");
    for (let n = 0; n < 6; n++) await recordCall(installed, { keyId, exposureUsd: "101" });
    for (let n = 0; n < 6; n++) await recordCall(installed, { keyId: other, exposureUsd: "101" });
    for (let n = 0; n < 20; n++) await recordCall(installed, { keyId, refusal: "endpoint_denied" });
    await look();
    expect(await told("cap.hit_rate")).toHaveLength(0);
  });
});

describe("run.cost", () => {
  test("is told once where a run has cost more than the amount, over all its looks", async () => {
    const runCostMicros = parseUsd("50");
    await spend("50");
    await look({ runCostMicros });
    expect(await told("run.cost")).toHaveLength(0);
    await spend("0.01");
    await look({ runCostMicros });
    await spend("1");
    await look({ runCostMicros });
    expect((await told("run.cost")).map(({ data }) => data)).toEqual([
      { key_id: keyId, run_label: "run/1", cost_usd: "50.01", over_usd: "50.00" },
    ]);
  });

  test("counts an unresolved call in full until it is known, and then what it was", async () => {
    const runCostMicros = parseUsd("50");
    const call = await recordCall(installed, { keyId, exposureUsd: "40", end: { to: "unresolved" } });
    await look({ runCostMicros });
    await endCall(installed, call, "released");
    await spend("20");
    await look({ runCostMicros });
    expect(await told("run.cost")).toHaveLength(0);
    await spend("31");
    await look({ runCostMicros });
    expect((await told("run.cost")).map(({ data }) => data["cost_usd"])).toEqual(["51.00"]);
  });
});

describe("spend.velocity", () => {
  const CASES = [
    ["7 days at $1 an hour, then $3", 7 * 24, "3", 0],
    ["7 days at $1 an hour, then more than $3", 7 * 24, "3.01", 1],
    ["6 days at $1 an hour are no history", 6 * 24, "90", 0],
    ["no history at all", 0, "90", 0],
  ] as const;
  for (const [title, hours, usd, events] of CASES) {
    test(`${title}: ${events}`, async () => {
      for (let hour = 0; hour < hours; hour++) {
        await spend("1");
        installed.clock.nowMs += HOUR_MS;
      }
      await spend(usd);
      await look();
      expect(await told("spend.velocity")).toHaveLength(events);
    });
  }
});

describe("what operators and servers do", () => {
  test("a revoked key and a brake are told of once, with the reason", async () => {
    await installed.control.revokeKeys({ ids: [keyId], reason: "enough" }, ADMIN);
    await installed.control.engageBrake({ vendor: "stripe", reason: "2 a.m." });
    await installed.control.releaseBrake({ vendor: "stripe" });
    await look();
    await look();
    expect((await told()).map(({ type, text }) => [type, text])).toEqual([
      ["key.revoked", `the stripe key ${keyId} of run/1 was revoked: enough`],
      ["brake.engaged", "the brake is on for stripe: 2 a.m."],
    ]);
  });

  test("an unresolved call is told of, also one that became final after later calls had been looked at", async () => {
    const slow = await recordCall(installed, { keyId, exposureUsd: "2" });
    await spend("1");
    await look();
    await spend("1");
    await look();
    await endCall(installed, slow, "unresolved");
    await look();
    await look();
    expect((await told()).map(({ id }) => id)).toEqual([`call.unresolved:${slow}`]);
  });
});

test("every row counts once, in whatever slices and order it is read", async () => {
  const held: string[] = [];
  for (let n = 0; n < 200; n++) {
    if (n % 20 === 7) held.push(await recordCall(installed, { keyId, exposureUsd: "0.01" }));
    else await spend("0.01");
    if (n % 60 === 0) await look({ rowsPerSlice: 7 });
  }
  await look({ rowsPerSlice: 7 });
  for (const id of held) {
    await endCall(installed, id, "settled", "0.01");
    await look({ rowsPerSlice: 7 });
  }
  const [run] = await installed.store.alertTallies("run", "run/1", 0);
  expect(run?.amount).toBe(parseUsd("2"));
});

test("of two servers that have read the same rows one is heard", async () => {
  await spend("85");
  const { store } = installed;
  const slice = await store.readAlertSlice(500);
  const found = { news: [], tallies: [], targets: ["ops"], at: installed.clock.nowMs };
  expect(await store.finishAlertSlice(slice, found)).toBe(true);
  expect(await store.finishAlertSlice(slice, found)).toBe(false);
});

test("what happened more than three days ago is added up and not told of", async () => {
  await spend("85");
  installed.clock.nowMs += 4 * DAY_MS;
  await look();
  expect(await told()).toEqual([]);
  expect(await installed.store.alertTallies("run", "run/1", 0)).toHaveLength(1);
});
