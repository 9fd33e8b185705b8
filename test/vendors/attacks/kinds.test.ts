import { afterAll, beforeAll, expect, test } from "bun:test";
import { startPlane, type TestKey, type TestPlane } from "../../harness/plane.ts";
import { startVendorDouble, type VendorDouble } from "../../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;

beforeAll(async () => {
  vendor = await startVendorDouble(({ body }) => {
    const amount = Number(new URLSearchParams(body).get("amount"));
    return { status: 200, body: JSON.stringify({ id: "ii_1", object: "invoiceitem", amount, currency: "usd" }) };
  });
  plane = await startPlane({ origins: { stripe: vendor.origin } });
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

async function item(key: TestKey, cents: number) {
  const headers = { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" };
  const body = `customer=cus_1&currency=usd&amount=${cents}`;
  const answer = await fetch(`${plane.url}/stripe/v1/invoiceitems`, { method: "POST", headers, body });
  const { keybrake } = (await answer.json()) as { keybrake?: { budget?: string } };
  return [answer.status, keybrake?.budget];
}

test("a cap on credits stops an invoice item below zero, and one on charges lets it be", async () => {
  const noCredit = await plane.issue({ daily_usd_cap: 200, caps: { credit: { daily_usd: 0 } } });
  const before = vendor.requests.length;
  expect(await item(noCredit, -50_00)).toEqual([429, "caps.credit.daily_usd"]);
  expect(vendor.requests.length).toBe(before);
  expect(await item(noCredit, 50_00)).toEqual([200, undefined]);

  const noCharge = await plane.issue({ daily_usd_cap: 200, caps: { charge: { daily_usd: 0 } } });
  expect(await item(noCharge, 50_00)).toEqual([429, "caps.charge.daily_usd"]);
  expect(await item(noCharge, -50_00)).toEqual([200, undefined]);
  const { counters } = await plane.store.keySpend(noCharge.id);
  expect(counters.find(({ name }) => name === "daily_usd_cap")?.used).toBe(50_000_000n);
  await plane.plane.ledger.drain();
  expect(await plane.store.checkCounters()).toEqual([]);
});
