import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Reconciler } from "../../src/proxy/reconciler.ts";
import { ACCOUNT_SID, DOUBLE_SECRETS, startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

const SID = `SM${"0".repeat(32)}`;
const MESSAGES = `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages`;
const PRICE = `GET ${MESSAGES}/${SID}.json`;
const MINUTE_MS = 60_000;

/** What the vendor says of its price; null until it has one. */
let price: string | null;
let vendor: VendorDouble;
let plane: TestPlane;
let key: TestKey;

beforeAll(async () => {
  vendor = await startVendorDouble(answer);
});

beforeEach(async () => {
  price = null;
  vendor.answer = answer;
  vendor.requests.length = 0;
  plane = await startPlane({ origins: { twilio: vendor.origin }, limits: { upstreamTimeoutMs: 300 } });
  key = await plane.issue({ vendor: "twilio", daily_usd_cap: 1 }, { expiresAt: plane.clock.now() + 30 * 86_400_000 });
});

afterEach(() => plane.stop());

afterAll(() => vendor.stop());

function answer({ method }: RecordedRequest): DoubleAnswer {
  const status = price === null ? "queued" : "delivered";
  const message = { sid: SID, num_segments: "1", price, price_unit: price === null ? null : "USD", status };
  return { status: method === "POST" ? 201 : 200, body: JSON.stringify(message) };
}

async function sendMessage(): Promise<void> {
  const response = await fetch(`${plane.url}/twilio${MESSAGES}.json`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${ACCOUNT_SID}:${key.token}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body: "To=%2B14155550100&From=%2B14155550101&Body=hello",
  });
  expect(response.status).toBe(201);
  await plane.plane.ledger.drain();
}

async function used(): Promise<bigint> {
  const { counters } = await plane.store.keySpend(key.id);
  return counters.find(({ name }) => name === "daily_usd_cap")!.used;
}

function asked(): number {
  return vendor.requests.filter(({ method, target }) => `${method} ${target}` === PRICE).length;
}

async function lookAfter(durationMs: number): Promise<number> {
  plane.clock.advance(durationMs);
  return new Reconciler(plane.plane).look();
}

describe("the price that a vendor tells later", () => {
  test("is asked for with the real secret until it is there, and the difference has its own row", async () => {
    await sendMessage();
    const counted = await used();
    expect(counted).toBeGreaterThan(0n);
    expect(await lookAfter(0)).toBe(0);
    expect(asked()).toBe(0);
    expect(await lookAfter(15_000)).toBe(0);
    expect(asked()).toBe(1);
    price = "-0.00750";
    expect(await lookAfter(MINUTE_MS - 1)).toBe(0);
    expect(await lookAfter(1)).toBe(1);
    expect(asked()).toBe(2);
    const basic = Buffer.from(`${ACCOUNT_SID}:${DOUBLE_SECRETS.twilio}`).toString("base64");
    expect(vendor.requests.at(-1)!.headers["authorization"]).toBe(`Basic ${basic}`);
    const { rows } = await plane.store.queryAudit({ keyId: key.id }, { limit: 10 });
    expect(rows).toMatchObject([
      { costMicros: counted, costSource: "rate_table" },
      { refersTo: rows[0]!.id, costMicros: 7_500n - counted, costSource: "reconciled", vendorTxnId: SID },
    ]);
    expect(await used()).toBe(7_500n);
    expect(await lookAfter(30 * 86_400_000)).toBe(0);
    expect(asked()).toBe(2);
  });

  test("is asked for by the next process after a restart", async () => {
    await sendMessage();
    price = "-0.00750";
    // Another reconciler over the same store, as a restarted server has it.
    expect(await new Reconciler({ ...plane.plane, owner: "restarted" }).look()).toBe(0);
    plane.clock.advance(15_000);
    expect(await new Reconciler({ ...plane.plane, owner: "restarted" }).look()).toBe(1);
    expect(await used()).toBe(7_500n);
  });

  test("is asked for once by several processes, and counted once", async () => {
    await sendMessage();
    price = "-0.00750";
    plane.clock.advance(15_000);
    const looks = await Promise.all(Array.from({ length: 4 }, () => new Reconciler(plane.plane).look()));
    expect(looks.reduce((sum, found) => sum + found, 0)).toBe(1);
    expect(asked()).toBe(1);
    expect(await used()).toBe(7_500n);
  });

  for (const [what, failure] of [
    ["fails", { status: 500, body: "{}" }],
    ["hangs", "hang"],
    ["has no message by that id", { status: 404, body: "{}" }],
  ] as const) {
    test(`is asked for again, less and less often, where the vendor ${what}; in the end what was counted stands`, async () => {
      await sendMessage();
      const counted = await used();
      vendor.answer = () => failure;
      let pauses = 0;
      for (let looks = 0; looks < 40; looks++) {
        const before = asked();
        await lookAfter(6 * 60 * MINUTE_MS);
        if (asked() === before) pauses += 1;
      }
      expect(asked()).toBe(11);
      expect(pauses).toBeGreaterThan(20);
      expect(await used()).toBe(counted);
      expect(await plane.store.dueReconciliations(plane.clock.now() + 1e12, 10)).toEqual([]);
      expect(plane.logged.filter((line) => line.includes("price_never_told"))).toHaveLength(1);
    });
  }

  test("is not asked for while the server stops", async () => {
    await sendMessage();
    plane.plane.draining = true;
    await lookAfter(15_000);
    expect(asked()).toBe(0);
  });
});
