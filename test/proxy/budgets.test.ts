import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { windowStart } from "../../src/core/window.ts";
import { SHARED_PREFIX } from "../../src/ledger/shared-budgets.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

const DAY_MS = 86_400_000;

let stripe: VendorDouble;
let resend: VendorDouble;
let plane: TestPlane;

beforeAll(async () => {
  stripe = await startVendorDouble(stripeAnswer);
  resend = await startVendorDouble(() => ({ status: 200, body: '{"id":"em_1"}' }));
});
afterAll(async () => {
  await stripe.stop();
  await resend.stop();
});
beforeEach(async () => {
  const currencyRates = new Map([["eur", 2_000_000n]]);
  plane = await startPlane({ origins: { stripe: stripe.origin, resend: resend.origin }, currencyRates });
});
afterEach(async () => {
  await plane.plane.ledger.drain();
  expect(await plane.store.checkCounters()).toEqual([]);
  await plane.stop();
});

function stripeAnswer(request: RecordedRequest): DoubleAnswer {
  if (!request.target.startsWith("/v1/refunds")) {
    const amount = new URLSearchParams(request.body).get("amount");
    return amount === "13"
      ? { status: 402, body: '{"error":{"type":"card_error","code":"card_declined"}}' }
      : succeededIntent(request);
  }
  const amount = Number(new URLSearchParams(request.body).get("amount"));
  return {
    status: 200,
    body: JSON.stringify({ id: "re_1", object: "refund", amount, currency: "usd", charge: "ch_1" }),
  };
}

/** As an editor or a deployment replaces a file. */
function budgets(text: string): void {
  const path = join(plane.policiesDir, "budgets.yaml");
  writeFileSync(`${path}.new`, text);
  renameSync(`${path}.new`, path);
}

function charge(key: TestKey, cents: number): Promise<Response> {
  const headers = { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" };
  const body = `amount=${cents}&currency=usd&confirm=true&payment_method=pm_card_visa`;
  return fetch(`${plane.url}/stripe/v1/payment_intents`, { method: "POST", headers, body });
}

function mail(key: TestKey, recipients: number): Promise<Response> {
  const to = Array.from({ length: recipients }, (_, index) => `a${index}@example.com`);
  const body = JSON.stringify({ from: "b@example.com", to, subject: "s", text: "t" });
  const headers = { authorization: `Bearer ${key.token}`, "content-type": "application/json" };
  return fetch(`${plane.url}/resend/emails`, { method: "POST", headers, body });
}

const left = (response: Response) => [response.status, response.headers.get("x-keybrake-cap-remaining-usd")];

async function refusal(response: Response): Promise<Record<string, unknown>> {
  const { keybrake } = (await response.json()) as { keybrake: Record<string, unknown> };
  return { status: response.status, hit: response.headers.get("x-keybrake-cap-hit"), ...keybrake };
}

/** What is used of every budget above keys, by the id of its counter. */
async function used(): Promise<Record<string, bigint>> {
  const now = plane.clock.now();
  await plane.plane.ledger.drain();
  const counters = await plane.store.countersUnder(SHARED_PREFIX, [0, windowStart("utc_day", now)]);
  return Object.fromEntries(counters.map(({ budgetId, used: amount }) => [budgetId, amount]));
}

describe("budgets above keys", () => {
  test("every one that matches is charged, together with the key's own caps", async () => {
    budgets(`budgets:
      - { name: platform, daily_usd_cap: 10000 }
      - { name: stripe-all, match: { vendor: stripe }, daily_usd_cap: 5000, total_usd_cap: 9000 }
      - { name: mail, match: { vendor: resend }, daily_usd_cap: 1 }
      - { name: tenant-acme, match: { label_prefix: "tenant:acme:" }, daily_usd_cap: 500 }
      - { name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 400 }
      - { name: refunds, match: { kind: refund }, daily_usd_cap: 40 }
    `);
    const key = await plane.issue({ daily_usd_cap: 600 }, { label: "tenant:acme:run/1" });
    expect(left(await charge(key, 100_00))).toEqual([200, "300.00"]);
    expect(await used()).toEqual({
      "budget:per-tenant:acme:daily_usd_cap": 100_000_000n,
      "budget:platform:daily_usd_cap": 100_000_000n,
      "budget:stripe-all:daily_usd_cap": 100_000_000n,
      "budget:stripe-all:total_usd_cap": 100_000_000n,
      "budget:tenant-acme:daily_usd_cap": 100_000_000n,
    });
  });

  test("a full one refuses the call, names itself, and nothing else is charged", async () => {
    budgets(`budgets:
      - { name: platform, daily_usd_cap: 50 }
      - { name: stripe-all, match: { vendor: stripe }, daily_usd_cap: 500 }
    `);
    const [one, other] = [await plane.issue({ daily_usd_cap: 600 }), await plane.issue({ daily_usd_cap: 600 })];
    expect((await charge(one, 30_00)).status).toBe(200);
    const before = stripe.requests.length;
    expect(await refusal(await charge(other, 20_01))).toMatchObject({
      status: 429,
      hit: "true",
      code: "cap_exceeded",
      budget: "platform",
      cap_usd: "50.00",
      used_usd: "30.00",
      requested_usd: "20.01",
      reset_at: "2026-01-16T00:00:00.000Z",
      message: expect.stringContaining("The budget platform is reached: $30.00 of $50.00 is used"),
    });
    expect(stripe.requests.length).toBe(before);
    expect(await used()).toEqual({
      "budget:platform:daily_usd_cap": 30_000_000n,
      "budget:stripe-all:daily_usd_cap": 30_000_000n,
    });
    const { rows } = await plane.store.queryAudit({ keyId: other.id }, { limit: 1 });
    expect(rows[0]).toMatchObject({ policyVerdict: "cap_exceeded", verdictRule: "budgets.platform.daily_usd_cap" });
    expect(left(await charge(other, 20_00))).toEqual([200, "0.00"]);
  });

  test("the key's own cap answers before a budget above it", async () => {
    budgets("budgets: [{ name: platform, daily_usd_cap: 5 }]");
    const key = await plane.issue({ daily_usd_cap: 5 });
    expect(await refusal(await charge(key, 6_00))).toMatchObject({ budget: "daily_usd_cap" });
  });

  test("a declined call frees every budget that it was charged to", async () => {
    budgets(
      "budgets: [{ name: platform, daily_usd_cap: 5 }, { name: all, match: { label_prefix: test }, daily_usd_cap: 5 }]",
    );
    const key = await plane.issue({});
    expect((await charge(key, 13)).status).toBe(402);
    expect(Object.values(await used())).toEqual([0n, 0n]);
    expect((await charge(key, 5_00)).status).toBe(200);
  });

  test("one starts anew with its UTC day, one over its whole life does not", async () => {
    budgets("budgets: [{ name: day, daily_usd_cap: 5 }, { name: life, total_usd_cap: 8 }]");
    const key = await plane.issue({}, { expiresAt: plane.clock.now() + 9 * DAY_MS });
    expect((await charge(key, 5_00)).status).toBe(200);
    expect(await refusal(await charge(key, 1_00))).toMatchObject({ budget: "day" });
    plane.clock.advance(DAY_MS);
    expect((await charge(key, 3_00)).status).toBe(200);
    const full = await refusal(await charge(key, 1_00));
    expect(full).toMatchObject({ budget: "life", cap_usd: "8.00", used_usd: "8.00" });
    expect(full).not.toHaveProperty("reset_at");
  });

  test("a cap on sends is one over all keys of the vendor, and a cap in euros is counted in dollars", async () => {
    budgets(`budgets:
      - { name: mails, match: { vendor: resend }, daily_send_cap: 3 }
      - { name: euros, match: { vendor: stripe }, daily_cap: { amount: 4, currency: eur } }
    `);
    const [one, other] = [await plane.issue({ vendor: "resend" }), await plane.issue({ vendor: "resend" })];
    expect((await mail(one, 2)).status).toBe(200);
    expect(await refusal(await mail(other, 2))).toMatchObject({ budget: "mails", cap_sends: 3, used_sends: 2 });
    expect((await mail(other, 1)).status).toBe(200);
    const payer = await plane.issue({});
    expect(await refusal(await charge(payer, 8_01))).toMatchObject({ budget: "euros", cap_usd: "8.00" });
    expect((await charge(payer, 8_00)).status).toBe(200);
  });
});

describe("a family", () => {
  const FAMILY = 'budgets: [{ name: per-tenant, match: { label_prefix: "tenant:*:" }, daily_usd_cap: 10 }]';

  test("has one budget per value, however many keys share it", async () => {
    budgets(FAMILY);
    const [a1, a2, b] = [
      await plane.issue({}, { label: "tenant:a:1" }),
      await plane.issue({}, { label: "tenant:a:2" }),
      await plane.issue({}, { label: "tenant:b:1" }),
    ];
    expect((await charge(a1, 7_00)).status).toBe(200);
    expect(await refusal(await charge(a2, 4_00))).toMatchObject({ budget: "per-tenant:a", used_usd: "7.00" });
    expect((await charge(b, 10_00)).status).toBe(200);
    expect((await charge(a2, 3_00)).status).toBe(200);
  });

  test("takes hostile values as they are: no two of them share a counter", async () => {
    budgets(`budgets:
      - { name: by-team, match: { label_prefix: "team/*/" }, daily_usd_cap: 10 }
    `);
    const labels = ["team/a:b/", "team/a%3Ab/", "team//", "team/größe 🦜/", "team/daily_usd_cap/", "team/__proto__/"];
    for (const label of labels) {
      const key = await plane.issue({}, { label });
      // The first dollars may say so in a header of the answer, which takes Latin-1 alone.
      expect((await charge(key, 9_00)).status).toBe(200);
      expect((await charge(key, 1_00)).status).toBe(200);
      expect((await charge(key, 1_00)).status).toBe(429);
    }
    expect(Object.keys(await used())).toHaveLength(labels.length);
  });

  test.each([
    ["a label without the end of the value", "tenant:a"],
    ["another label", "tenants:a:1"],
  ])("does not count %s", async (_, label) => {
    budgets(FAMILY);
    const key = await plane.issue({}, { label });
    expect((await charge(key, 11_00)).status).toBe(200);
    expect(await used()).toEqual({});
  });
});

describe("a file that changes while the server runs", () => {
  test("holds from the next call on: added, raised, lowered, removed", async () => {
    const key = await plane.issue({});
    expect((await charge(key, 6_00)).status).toBe(200);
    budgets("budgets: [{ name: platform, daily_usd_cap: 5 }]");
    // What was spent before the budget was there is not counted.
    expect((await charge(key, 5_00)).status).toBe(200);
    expect(await refusal(await charge(key, 1))).toMatchObject({ budget: "platform", used_usd: "5.00" });
    budgets("budgets: [{ name: platform, daily_usd_cap: 9 }]");
    expect(left(await charge(key, 2_00))).toEqual([200, "2.00"]);
    budgets("budgets: [{ name: platform, daily_usd_cap: 4 }]");
    expect(await refusal(await charge(key, 1))).toMatchObject({ cap_usd: "4.00", used_usd: "7.00" });
    budgets("budgets: []");
    expect((await charge(key, 99_00)).status).toBe(200);
    expect(plane.logged.filter((line) => line.includes("budgets_loaded"))).toHaveLength(4);
  });

  test("a renamed budget begins anew", async () => {
    const key = await plane.issue({});
    budgets("budgets: [{ name: old, daily_usd_cap: 5 }]");
    expect((await charge(key, 5_00)).status).toBe(200);
    budgets("budgets: [{ name: new, daily_usd_cap: 5 }]");
    expect((await charge(key, 5_00)).status).toBe(200);
    expect((await charge(key, 1)).status).toBe(429);
  });

  test("a broken one leaves the last good one in force, and the log says so with the line", async () => {
    const key = await plane.issue({});
    budgets("budgets:\n  - { name: platform, daily_usd_cap: 5 }\n");
    expect((await charge(key, 5_00)).status).toBe(200);
    for (const broken of ["", "budgets:\n", "budgets:\n  - { name: platform, daily_usd: 50 }\n"]) {
      budgets(broken);
      expect(await refusal(await charge(key, 1_00))).toMatchObject({ budget: "platform", cap_usd: "5.00" });
    }
    expect(plane.logged.filter((line) => line.includes("budgets_broken"))).toHaveLength(3);
    expect(plane.logged.join("")).toContain("budgets.yaml:2:23: budgets[0] has");
    budgets("budgets:\n  - { name: platform, daily_usd_cap: 50 }\n");
    expect((await charge(key, 1_00)).status).toBe(200);
  });
});
