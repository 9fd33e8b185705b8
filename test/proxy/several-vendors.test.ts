import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { keyBudgets } from "../../src/ledger/budget.ts";
import { compilePolicies } from "../../src/policy/compile.ts";
import { ACCOUNT_SID, startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";
import { charge, type Made, mail, RESEND, SCENARIOS, STRIPE } from "./several-scenarios.ts";

const doubles: Record<string, VendorDouble> = {};
let plane: TestPlane;

beforeAll(async () => {
  doubles["stripe"] = await startVendorDouble(succeededIntent);
  doubles["twilio"] = await startVendorDouble(() => ({
    status: 201,
    body: JSON.stringify({ sid: `SM${"0".repeat(32)}`, status: "queued", num_segments: "1", price: null }),
  }));
  doubles["resend"] = await startVendorDouble(() => ({ status: 200, body: '{"id":"em_1"}' }));
  doubles["segment"] = await startVendorDouble(() => ({ status: 200, body: '{"success":true}' }));
  doubles["shopify"] = await startVendorDouble(() => ({ status: 200, body: "{}" }));
});
afterAll(async () => {
  for (const double of Object.values(doubles)) await double.stop();
});
beforeEach(async () => {
  for (const double of Object.values(doubles)) double.requests.length = 0;
  const origins = Object.fromEntries(Object.entries(doubles).map(([name, { origin }]) => [name, origin]));
  plane = await startPlane({ origins });
});
afterEach(async () => {
  await plane.plane.ledger.drain();
  expect(await plane.store.checkCounters()).toEqual([]);
  await plane.stop();
});

function send(key: TestKey, { path, form, json, headers = {} }: Made): Promise<Response> {
  const body = form ? new URLSearchParams(form).toString() : json === undefined ? undefined : JSON.stringify(json);
  const type = form ? "application/x-www-form-urlencoded" : "application/json";
  return fetch(`${plane.url}${path}`, {
    method: body === undefined ? "GET" : "POST",
    headers: {
      authorization: `Bearer ${key.token}`,
      ...(body === undefined ? {} : { "content-type": type }),
      ...headers,
    },
    ...(body === undefined ? {} : { body }),
  });
}

/** How many calls each vendor has got. */
function calls(): Record<string, number> {
  const counts = Object.entries(doubles).map(([name, { requests }]) => [name, requests.length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** What is used of the key's budgets, by name, without what nothing is used of. */
async function ledger({ id }: TestKey): Promise<Record<string, string>> {
  await plane.plane.ledger.drain();
  const { counters } = await plane.store.keySpend(id);
  return Object.fromEntries(counters.filter(({ used }) => used > 0n).map(({ name, used }) => [name, String(used)]));
}

async function said(response: Response): Promise<Record<string, unknown>> {
  const { keybrake = {} } = (await response.json()) as { keybrake?: Record<string, unknown> };
  return { status: response.status, ...keybrake };
}

describe("a key for several vendors", () => {
  test.each(SCENARIOS)("$title", async (scenario) => {
    const key = await plane.issue(scenario.policy);
    for (const made of scenario.passes) expect((await send(key, made)).status).toBeLessThan(300);
    expect(await said(await send(key, scenario.refused))).toMatchObject(scenario.says);
    for (const made of scenario.after ?? []) expect((await send(key, made)).status).toBeLessThan(300);
    expect(calls()).toEqual(scenario.calls);
    expect(await ledger(key)).toEqual(scenario.ledger);
  });

  test("says the least that is left, whichever cap that is of", async () => {
    const policy = {
      vendors: { stripe: { ...STRIPE, daily_usd_cap: 30 }, resend: RESEND },
      daily_usd_cap_total: 40,
      per_vendor_daily_caps: { resend: 35 },
    };
    const key = await plane.issue(policy);
    const left = async (made: Made) => (await send(key, made)).headers.get("x-keybrake-cap-remaining-usd");
    expect(await left(charge(1000))).toBe("20.00");
    expect(await left(mail(["b@example.com"]))).toBe("29.9991");
  });

  test("writes the vendor of the call into its row", async () => {
    const key = await plane.issue({ vendors: { stripe: STRIPE, resend: RESEND } });
    await send(key, charge(100));
    await send(key, mail(["b@example.com"]));
    await plane.plane.ledger.drain();
    const { rows } = await plane.store.queryAudit({ keyId: key.id }, { limit: 9 });
    expect(rows.map(({ vendor, endpoint }) => `${vendor} ${endpoint}`)).toEqual([
      "stripe /v1/payment_intents",
      "resend /emails",
    ]);
  });

  test("is stopped at one vendor by that vendor's brake", async () => {
    const key = await plane.issue({ vendors: { stripe: STRIPE, resend: RESEND } });
    const brake = { id: "brake_1", vendor: "stripe", labelPrefix: null, reason: null, engagedAt: plane.clock.now() };
    await plane.store.engageBrake(brake);
    expect(await said(await send(key, charge(100)))).toMatchObject({ status: 403, code: "brake_engaged" });
    expect((await send(key, mail(["b@example.com"]))).status).toBe(200);
    expect(calls()).toEqual({ resend: 1 });
  });

  test("is charged to the budgets above keys of each vendor", async () => {
    await Bun.write(
      `${plane.policiesDir}/budgets.yaml`,
      "budgets:\n  - { name: cards, match: { vendor: stripe }, daily_usd_cap: 5 }\n  - { name: all, daily_usd_cap: 9 }\n",
    );
    const key = await plane.issue({ vendors: { stripe: STRIPE, resend: RESEND } });
    expect((await send(key, charge(500))).status).toBe(200);
    expect(await said(await send(key, charge(1)))).toMatchObject({ budget: "cards" });
    expect((await send(key, mail(["b@example.com"]))).status).toBe(200);
  });

  test("keeps the records of repeats apart by vendor", async () => {
    const key = await plane.issue({ vendors: { stripe: STRIPE, resend: RESEND } });
    const headers = { "idempotency-key": "one-and-the-same" };
    expect((await send(key, charge(100, { headers }))).status).toBe(200);
    expect((await send(key, { ...mail(["b@example.com"]), headers })).status).toBe(200);
    const repeat = await send(key, charge(100, { headers }));
    expect(repeat.headers.get("x-keybrake-replayed")).toBe("true");
    expect(calls()).toEqual({ stripe: 1, resend: 1 });
  });

  test("keeps dedup_window of the top apart by vendor, where path and body are the same", async () => {
    const open = { allowed_endpoints: ["* /**"], on_unknown_cost: "allow" };
    const key = await plane.issue({ vendors: { stripe: open, twilio: open }, dedup_window: "10m" });
    const same = (vendor: string): Made => ({ path: `/${vendor}/v1/customers`, form: { name: "x" } });
    for (const vendor of ["stripe", "twilio", "stripe"]) await send(key, same(vendor));
    expect(calls()).toEqual({ stripe: 1, twilio: 1 });
  });
});

describe("64 calls at once over two vendors", () => {
  test.each([
    ["daily_usd_cap_total", { daily_usd_cap_total: 20 }],
    ["total_usd_cap", { total_usd_cap: 20 }],
    ["daily_usd_cap_total over any 24 hours", { daily_usd_cap_total: 20, cap_window: "rolling_24h" }],
  ])("spend %s to the last dollar and no further", async (_title, caps) => {
    const key = await plane.issue({ vendors: { stripe: STRIPE, resend: RESEND }, ...caps });
    const recipients = Array.from({ length: 40 }, (_, index) => `b${index}@example.com`);
    const made = Array.from({ length: 64 }, (_, index) => (index % 2 === 0 ? charge(100) : mail(recipients)));
    const statuses = await Promise.all(made.map(async (one) => (await send(key, one)).status));
    const spent = calls();
    expect(statuses.filter((status) => status === 200)).toHaveLength((spent["stripe"] ?? 0) + (spent["resend"] ?? 0));
    // A mail to 40 costs $0.036, so that both fit in some number; what is left is less than the cheapest refused call.
    const used = BigInt((spent["stripe"] ?? 0) * 1_000_000 + (spent["resend"] ?? 0) * 36_000);
    expect(used).toBeLessThanOrEqual(20_000_000n);
    const counters = await ledger(key);
    expect(counters["total_usd_cap"]).toBe(String(used));
    expect(statuses.every((status) => status === 200 || status === 429)).toBe(true);
    if (statuses.includes(429)) expect(used + 1_000_000n).toBeGreaterThan(20_000_000n);
  });
});

describe("which vendor a call is for", () => {
  const ALL = { allowed_endpoints: ["* /**"] };
  const status = async (key: TestKey, made: Made) => (await send(key, made)).status;

  test("is what the path begins with, and without that whose path it is", async () => {
    const key = await plane.issue({ vendors: { stripe: ALL, twilio: ALL, resend: ALL } });
    for (const path of ["/stripe/v1/customers/cus_1", "/v1/customers/cus_1"])
      expect(await status(key, { path })).toBe(200);
    expect(await status(key, { path: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json` })).toBe(201);
    expect(await status(key, { ...mail(["b@example.com"]), path: "/emails" })).toBe(200);
    expect(calls()).toEqual({ stripe: 2, twilio: 1, resend: 1 });
  });

  test("is none where it is not the key's", async () => {
    const key = await plane.issue({ vendors: { stripe: ALL, twilio: ALL } });
    expect(await said(await send(key, { path: "/resend/emails" }))).toMatchObject({
      status: 403,
      code: "endpoint_denied",
      message: "This vault key is for stripe and twilio, not for resend; use a key issued for resend.",
    });
    expect(await said(await send(key, { path: "/emails" }))).toMatchObject({
      status: 404,
      code: "vendor_unknown",
      message: expect.stringContaining("the base URL ends in /stripe or /twilio"),
    });
    expect(calls()).toEqual({});
  });

  test("is none where it could be two, and the refusal says which prefixes there are", async () => {
    const key = await plane.issue({ vendors: { stripe: ALL, segment: ALL, resend: ALL } });
    expect(await said(await send(key, { path: "/v1/customers/cus_1" }))).toMatchObject({
      status: 404,
      code: "vendor_unknown",
      message:
        "/v1/customers/cus_1 may be meant for stripe or segment, for which this vault key is; begin the path with /stripe or /segment (the base URL ends in it).",
    });
    expect(calls()).toEqual({});
    const { rows } = await plane.store.queryAudit({ keyId: key.id }, { limit: 9 });
    expect(rows).toMatchObject([{ state: "refused", policyVerdict: "vendor_unknown", vendor: "stripe" }]);
  });

  test("is, of two with such paths, the one whose SDK has a header of its own for the key", async () => {
    const vendors = [...plane.plane.vendors.all.map(({ vendor }) => vendor)];
    const twin = vendors.map((vendor) => (vendor.name === "shopify" ? { ...vendor, unprefixed: /^\/v1\// } : vendor));
    const origins = { stripe: doubles["stripe"]!.origin, shopify: doubles["shopify"]!.origin };
    const other = await startPlane({ origins, vendors: twin });
    const key = await other.issue({ vendors: { stripe: ALL, shopify: ALL } });
    const get = (headers: Record<string, string>) => fetch(`${other.url}/v1/customers/cus_1`, { headers });
    expect((await get({ authorization: `Bearer ${key.token}` })).status).toBe(200);
    expect(calls()).toEqual({ stripe: 1 });
    await get({ "x-shopify-access-token": key.token });
    expect(doubles["stripe"]!.requests).toHaveLength(1);
    const { rows } = await other.store.queryAudit({ keyId: key.id }, { limit: 9 });
    expect(rows.at(-1)!.vendor).toBe("shopify");
    await other.stop();
  });
});

test("a key for one vendor is counted as ever: no counter is added to its calls", async () => {
  const policy = compilePolicies({ vendor: "stripe", daily_usd_cap: "5.00" }).get("stripe")!;
  expect(keyBudgets("vk_1", policy, new Map()).map(({ id }) => id)).toEqual(["key:vk_1:daily_usd_cap"]);
  const key = await plane.issue({ daily_usd_cap: 5 });
  await send(key, charge(100));
  expect(await ledger(key)).toEqual({ daily_usd_cap: "1000000", total_usd_cap: "1000000" });
});
