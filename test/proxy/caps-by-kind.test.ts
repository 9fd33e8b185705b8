import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;

beforeAll(async () => {
  vendor = await startVendorDouble(stripeAnswer);
  // A rate of which no cap is a whole number of cents.
  const currencyRates = new Map([["eur", 1_100_001n]]);
  plane = await startPlane({ origins: { stripe: vendor.origin }, currencyRates });
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

const CHARGE = { id: "ch_1", object: "charge", amount: 100_000, amount_captured: 100_000, amount_refunded: 0 };

function stripeAnswer(request: RecordedRequest): DoubleAnswer {
  if (request.target.startsWith("/v1/payment_intents")) return succeededIntent(request);
  if (request.method === "GET") {
    return { status: 200, body: JSON.stringify({ ...CHARGE, currency: "usd", status: "succeeded" }) };
  }
  const amount = Number(new URLSearchParams(request.body).get("amount"));
  const object = { id: "re_1", object: "refund", amount, currency: "usd", charge: "ch_1", status: "succeeded" };
  return { status: 200, body: JSON.stringify(object) };
}

function post(key: TestKey, path: string, body: string): Promise<Response> {
  const headers = { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" };
  return fetch(`${plane.url}/stripe/v1/${path}`, { method: "POST", headers, body });
}

const charge = (key: TestKey, cents: number) =>
  post(key, "payment_intents", `amount=${cents}&currency=usd&confirm=true&payment_method=pm_card_visa`);
const refund = (key: TestKey, cents: number) => post(key, "refunds", `charge=ch_1&amount=${cents}`);
const payout = (key: TestKey, cents: number) => post(key, "payouts", `amount=${cents}&currency=usd`);

async function refusal(response: Response): Promise<Record<string, unknown>> {
  const { error, keybrake } = (await response.json()) as Record<"error" | "keybrake", Record<string, unknown>>;
  return { status: response.status, stripe: error["code"], ...keybrake };
}

const left = (response: Response) => [response.status, response.headers.get("x-keybrake-cap-remaining-usd")];

describe("a key with a cap on refunds and none on payouts", () => {
  test("refunds up to its cap and charges up to the other, and says which one is full", async () => {
    const key = await plane.issue({
      daily_usd_cap: 200,
      caps: { refund: { daily_usd: 50 }, payout: { daily_usd: 0 } },
    });
    expect(left(await charge(key, 60_00))).toEqual([200, "140.00"]);
    expect(left(await refund(key, 30_00))).toEqual([200, "20.00"]);
    expect(await refusal(await refund(key, 20_01))).toMatchObject({
      status: 429,
      stripe: "keybrake_cap_exceeded",
      code: "cap_exceeded",
      budget: "caps.refund.daily_usd",
      cap_usd: "50.00",
      used_usd: "30.00",
      requested_usd: "20.01",
      reset_at: "2026-01-16T00:00:00.000Z",
      message: expect.stringContaining("The cap caps.refund.daily_usd is reached: $30.00 of $50.00 is used"),
    });
    expect(left(await charge(key, 100_00))).toEqual([200, "10.00"]);
    expect(left(await refund(key, 10_00))).toEqual([200, "0.00"]);
    expect(await refusal(await refund(key, 1))).toMatchObject({ budget: "daily_usd_cap", used_usd: "200.00" });
    const { counters } = await plane.store.keySpend(key.id);
    expect(Object.fromEntries(counters.map(({ name, used }) => [name, used]))).toEqual({
      "caps.refund.daily_usd": 40_000_000n,
      daily_usd_cap: 200_000_000n,
      total_usd_cap: 200_000_000n,
    });
    await plane.plane.ledger.drain();
    expect(await plane.store.checkCounters()).toEqual([]);
  });

  test("makes no payout, whatever its size, and the vendor sees none", async () => {
    const key = await plane.issue({ daily_usd_cap: 200, caps: "payout.daily_usd=0" });
    const before = vendor.requests.length;
    const refused = await refusal(await payout(key, 1));
    expect(refused).toMatchObject({ status: 429, budget: "caps.payout.daily_usd", cap_usd: "0.00" });
    expect(vendor.requests.length).toBe(before);
    expect((await charge(key, 1_00)).status).toBe(200);
  });

  test("refunds again on the next UTC day, but not beyond its cap over the key's life", async () => {
    const expiresAt = plane.clock.now() + 5 * 86_400_000;
    const key = await plane.issue({ caps: { refund: { daily_usd: 50, total_usd: 80 } } }, { expiresAt });
    expect(left(await refund(key, 50_00))).toEqual([200, "0.00"]);
    expect((await refund(key, 1)).status).toBe(429);
    plane.clock.advance(86_400_000);
    expect(left(await refund(key, 30_00))).toEqual([200, "0.00"]);
    expect(await refusal(await refund(key, 1))).toMatchObject({ budget: "caps.refund.total_usd" });
  });
});

describe("a key with a cap in euros", () => {
  test("spends what that is in dollars, rounded down", async () => {
    const key = await plane.issue({ daily_cap: { amount: 10, currency: "eur" } });
    expect(left(await charge(key, 11_00))).toEqual([200, "0.00001"]);
    expect(await refusal(await charge(key, 1))).toMatchObject({ budget: "daily_cap", cap_usd: "11.00001" });
  });

  test("is held by its cap in dollars, too", async () => {
    const key = await plane.issue({ daily_usd_cap: 5, daily_cap: "10eur", total_cap: "2 eur", total_usd_cap: 9 });
    expect(await refusal(await charge(key, 6_00))).toMatchObject({ budget: "daily_usd_cap", cap_usd: "5.00" });
    expect(await refusal(await charge(key, 3_00))).toMatchObject({ budget: "total_cap", cap_usd: "2.200002" });
    expect((await charge(key, 2_20)).status).toBe(200);
  });

  test("spends nothing once the rate is gone, and is told what is missing", async () => {
    const key = await plane.issue({ daily_usd_cap: 5, daily_cap: { amount: 10, currency: "gbp" } });
    expect(await refusal(await charge(key, 1))).toMatchObject({
      status: 429,
      budget: "daily_cap",
      cap_usd: "0.00",
      message: expect.stringContaining("It is in gbp, and this server has no rate for that"),
    });
  });
});
