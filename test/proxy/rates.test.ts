import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { type RecordedRequest, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;
let seenBefore = 0;

beforeAll(async () => {
  vendor = await startVendorDouble((request: RecordedRequest) => {
    if (request.method === "GET") return { status: 200, body: JSON.stringify({ object: "list", data: [] }) };
    const isDeclined = request.body.includes("pm_card_chargeDeclined");
    return isDeclined
      ? { status: 402, body: JSON.stringify({ error: { type: "card_error" } }) }
      : succeededIntent(request);
  });
  plane = await startPlane({ origins: { stripe: vendor.origin } });
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

beforeEach(() => {
  seenBefore = vendor.requests.length;
});

const seen = () => vendor.requests.length - seenBefore;

function charge(key: TestKey, cents: number, card = "pm_card_visa"): Promise<Response> {
  const headers = { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" };
  const body = `amount=${cents}&currency=usd&confirm=true&payment_method=${card}`;
  return fetch(`${plane.url}/stripe/v1/payment_intents`, { method: "POST", headers, body });
}

function list(key: TestKey): Promise<Response> {
  return fetch(`${plane.url}/stripe/v1/customers`, { headers: { authorization: `Bearer ${key.token}` } });
}

async function refusal(response: Response): Promise<Record<string, unknown>> {
  const { keybrake } = (await response.json()) as { keybrake: Record<string, unknown> };
  return { status: response.status, retryAfter: response.headers.get("retry-after"), ...keybrake };
}

async function checkBooks(): Promise<void> {
  await plane.plane.ledger.drain();
  expect(await plane.store.checkCounters()).toEqual([]);
}

describe("a key with a rate", () => {
  test("makes so many calls in any minute, reads and declined ones too, and is told when the next one may come", async () => {
    const key = await plane.issue({ requests_per_minute: 3 });
    expect((await list(key)).status).toBe(200);
    plane.clock.advance(20_500);
    expect((await charge(key, 100, "pm_card_chargeDeclined")).status).toBe(402);
    expect((await charge(key, 100)).status).toBe(200);
    expect(await refusal(await list(key))).toMatchObject({
      status: 429,
      retryAfter: "40",
      code: "rate_exceeded",
      budget: "requests_per_minute",
      cap_requests: 3,
      used_requests: 3,
      message: "The rate requests_per_minute is reached: 3 of 3 requests are used. Retry after 40 s.",
    });
    expect(seen()).toBe(3);
    plane.clock.advance(39_499);
    expect(await refusal(await list(key))).toMatchObject({ status: 429, retryAfter: "1" });
    plane.clock.advance(1);
    expect((await list(key)).status).toBe(200);
    expect((await list(key)).status).toBe(429);
    expect(seen()).toBe(4);
    await checkBooks();
  });

  test("is held by the hour where the minute has room, and lets exactly its rate through at once", async () => {
    const key = await plane.issue({ requests_per_minute: 100, requests_per_hour: 7 });
    const answers = await Promise.all(Array.from({ length: 30 }, () => list(key)));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(7);
    expect(seen()).toBe(7);
    const refused = answers.find(({ status }) => status === 429)!;
    expect(await refusal(refused)).toMatchObject({ budget: "requests_per_hour", retryAfter: "3600" });
    await checkBooks();
  });
});

describe("a key with a cap on writes", () => {
  test("changes so many things in its life and reads on; what was declined is given back", async () => {
    const key = await plane.issue({ max_write_operations: 2 }, { expiresAt: plane.clock.now() + 9 * 86_400_000 });
    expect((await charge(key, 100, "pm_card_chargeDeclined")).status).toBe(402);
    expect((await charge(key, 100)).status).toBe(200);
    expect((await charge(key, 100)).status).toBe(200);
    plane.clock.advance(3 * 86_400_000);
    expect(await refusal(await charge(key, 100))).toMatchObject({
      status: 429,
      code: "cap_exceeded",
      budget: "max_write_operations",
      cap_writes: 2,
      used_writes: 2,
    });
    expect((await list(key)).status).toBe(200);
    expect(seen()).toBe(4);
    await checkBooks();
  });
});

describe("a key with cap_window: rolling_24h", () => {
  test("does not spend its cap twice across midnight, and is told when there is room for the call", async () => {
    const key = await plane.issue(
      { daily_usd_cap: 100, cap_window: "rolling_24h" },
      { expiresAt: plane.clock.now() + 9 * 86_400_000 },
    );
    const start = plane.clock.now();
    expect((await charge(key, 60_00)).status).toBe(200);
    plane.clock.advance(23 * 3_600_000);
    expect((await charge(key, 40_00)).status).toBe(200);
    expect(await refusal(await charge(key, 60_01))).toMatchObject({
      code: "cap_exceeded",
      budget: "daily_usd_cap",
      used_usd: "100.00",
      reset_at: new Date(start + 47 * 3_600_000).toISOString(),
    });
    expect(await refusal(await charge(key, 60_00))).toMatchObject({
      reset_at: new Date(start + 24 * 3_600_000).toISOString(),
    });
    plane.clock.advance(3_600_000);
    expect((await charge(key, 60_00)).status).toBe(200);
    expect((await charge(key, 1)).status).toBe(429);
    await checkBooks();
  });
});
