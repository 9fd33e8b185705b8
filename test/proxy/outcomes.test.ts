import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AuditRow } from "../../src/audit/row.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { type DoubleAnswer, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;

beforeAll(async () => {
  vendor = await startVendorDouble(() => "hang");
  plane = await startPlane({ origins: { stripe: vendor.origin }, limits: { upstreamTimeoutMs: 300 } });
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

const PAYMENT = "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa";

function intent(status: string, more: Record<string, unknown> = {}): DoubleAnswer {
  const body = {
    id: "pi_1",
    object: "payment_intent",
    amount: 2000,
    amount_received: 0,
    currency: "usd",
    status,
    ...more,
  };
  return { status: 200, body: JSON.stringify(body) };
}

async function pay(key: TestKey, init: RequestInit = {}): Promise<Response> {
  return fetch(`${plane.url}/stripe/v1/payment_intents`, {
    method: "POST",
    redirect: "manual",
    ...init,
    headers: {
      authorization: `Bearer ${key.token}`,
      "content-type": "application/x-www-form-urlencoded",
      ...init.headers,
    },
    body: PAYMENT,
  });
}

async function rowOf(key: TestKey): Promise<AuditRow> {
  await plane.plane.ledger.drain();
  const { rows } = await plane.store.queryAudit({ keyId: key.id }, { limit: 10 });
  expect(rows).toHaveLength(1);
  return rows[0]!;
}

async function used(key: TestKey): Promise<bigint> {
  const spend = await plane.store.keySpend(key.id);
  return spend.counters.find(({ name }) => name === "daily_usd_cap")?.used ?? 0n;
}

interface Outcome {
  readonly title: string;
  readonly answer: DoubleAnswer;
  readonly client: number;
  readonly state: AuditRow["state"];
  /** Micro-dollars still counted against the cap. */
  readonly counted: bigint;
  readonly flag?: string;
}

const FULL = 20_000_000n;

const OUTCOMES: readonly Outcome[] = [
  {
    title: "settles a success at its real cost",
    answer: intent("succeeded", { amount_received: 2000 }),
    client: 200,
    state: "settled",
    counted: FULL,
  },
  {
    title: "settles a smaller amount below the hold",
    answer: intent("succeeded", { amount_received: 1500 }),
    client: 200,
    state: "settled",
    counted: 15_000_000n,
  },
  {
    title: "records a cost above the hold in full, flagged",
    answer: intent("succeeded", { amount: 3000, amount_received: 3000 }),
    client: 200,
    state: "settled",
    counted: 30_000_000n,
    flag: "overrun",
  },
  {
    title: "settles at nothing what still needs a payment method",
    answer: intent("requires_payment_method"),
    client: 200,
    state: "settled",
    counted: 0n,
  },
  {
    title: "counts an authorisation that waits for its capture",
    answer: intent("requires_capture", { amount_capturable: 2000 }),
    client: 200,
    state: "settled",
    counted: FULL,
  },
  {
    title: "counts the full hold where a success has no amount",
    answer: { status: 200, body: '{"id":"pi_1","status":"succeeded"}' },
    client: 200,
    state: "settled",
    counted: FULL,
    flag: "cost_unreadable",
  },
  {
    title: "counts the full hold where a success is no JSON",
    answer: { status: 200, body: "<html>" },
    client: 200,
    state: "settled",
    counted: FULL,
    flag: "cost_unreadable",
  },
  ...[400, 401, 402, 403, 404, 422, 429].map((status) => ({
    title: `gives the hold back on ${status}`,
    answer: { status, body: '{"error":{"type":"card_error","message":"no"}}' },
    client: status,
    state: "released" as const,
    counted: 0n,
  })),
  ...[302, 408, 409, 500, 502, 503].map((status) => ({
    title: `keeps the hold in full on ${status}`,
    answer: {
      status,
      headers: { location: "https://elsewhere.example/" },
      body: '{"error":{"type":"api_error","message":"?"}}',
    },
    client: status,
    state: "unresolved" as const,
    counted: FULL,
  })),
  {
    title: "keeps the hold when the vendor does not answer",
    answer: "hang",
    client: 504,
    state: "unresolved",
    counted: FULL,
    flag: "timeout",
  },
  {
    title: "keeps the hold when the vendor resets the connection",
    answer: "reset",
    client: 504,
    state: "unresolved",
    counted: FULL,
    flag: "broken",
  },
  {
    title: "keeps the hold when the answer is cut off",
    answer: { truncated: '{"id":"pi_1","amount":' },
    client: 504,
    state: "unresolved",
    counted: FULL,
    flag: "broken",
  },
];

describe("what the vendor's answer means for the hold", () => {
  for (const { title, answer, client, state, counted, flag } of OUTCOMES) {
    test(title, async () => {
      const key = await plane.issue({ daily_usd_cap: 100 });
      vendor.answer = () => answer;
      const before = vendor.requests.length;
      const response = await pay(key);
      await response.text();
      expect(response.status).toBe(client);
      expect(await rowOf(key)).toMatchObject({ state, flag: flag ?? null, exposureMicros: FULL });
      expect(await used(key)).toBe(counted);
      expect(vendor.requests.length - before).toBe(1);
    });
  }

  test("keeps the larger figure where an amount turns out to be in a currency that is dearer than the dollar", async () => {
    const key = await plane.issue({ daily_usd_cap: 100 });
    const refund = { id: "re_1", object: "refund", amount: 2000, currency: "gbp", status: "succeeded" };
    const charge = { id: "ch_1", object: "charge", amount: 2000, amount_refunded: 0, currency: "usd" };
    vendor.answer = ({ method }) => ({ status: 200, body: JSON.stringify(method === "GET" ? charge : refund) });
    const response = await fetch(`${plane.url}/stripe/v1/refunds`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" },
      body: "charge=ch_1&amount=2000",
    });
    expect(response.status).toBe(200);
    expect(await rowOf(key)).toMatchObject({ state: "settled", flag: "cost_unreadable", exposureMicros: FULL });
    expect(await used(key)).toBeGreaterThan(FULL);
  });

  test("is unknown where the vendor's status is none", async () => {
    const key = await plane.issue({ daily_usd_cap: 100 });
    vendor.answer = () => ({ status: 999, body: "{}" });
    expect((await pay(key)).status).toBe(504);
    expect(await rowOf(key)).toMatchObject({ state: "unresolved", flag: "broken" });
  });

  for (const [what, cut] of [
    ["a hard stop", (key: TestKey) => plane.plane.inFlight.abort((call) => call.keyId === key.id)],
    ["the upstream time-out", () => 0],
  ] as const) {
    test(`of a read does not change when ${what} cuts off its long answer halfway`, async () => {
      const key = await plane.issue({ daily_usd_cap: 100 });
      vendor.answer = () => ({ stalled: "x".repeat(1000) });
      const response = await fetch(`${plane.url}/stripe/v1/customers`, {
        headers: { authorization: `Bearer ${key.token}` },
      });
      expect(response.status).toBe(200);
      expect(plane.plane.inFlight.count).toBe(1);
      cut(key);
      await expect(response.text()).rejects.toThrow();
      expect(plane.plane.inFlight.count).toBe(0);
      expect(await rowOf(key)).toMatchObject({ state: "settled", exposureMicros: 0n });
    });
  }

  test("gives the hold back when the vendor cannot be reached, and says that nothing was sent", async () => {
    const gone = await startVendorDouble(() => "hang");
    await gone.stop();
    const lonely = await startPlane({ origins: { stripe: gone.origin } });
    const key = await lonely.issue({ daily_usd_cap: 100 });
    const response = await fetch(`${lonely.url}/stripe/v1/payment_intents`, {
      method: "POST",
      headers: { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" },
      body: PAYMENT,
    });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      error: { code: "keybrake_upstream_unreachable" },
      keybrake: { code: "upstream_unreachable" },
    });
    await lonely.plane.ledger.drain();
    const { rows } = await lonely.store.queryAudit({}, { limit: 10 });
    expect(rows).toMatchObject([{ state: "released", policyVerdict: "upstream_unreachable", costMicros: 0n }]);
    await lonely.stop();
  });

  test("is not changed by a client that hangs up", async () => {
    const key = await plane.issue({ daily_usd_cap: 100 });
    let release = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    vendor.answer = async () => {
      await gate;
      return intent("succeeded", { amount_received: 2000 });
    };
    const before = vendor.requests.length;
    const client = new AbortController();
    const call = pay(key, { signal: client.signal }).catch(() => undefined);
    while (vendor.requests.length === before) await Bun.sleep(1);
    client.abort();
    await call;
    release();
    while (plane.plane.inFlight.count > 0) await Bun.sleep(1);
    expect(await rowOf(key)).toMatchObject({ state: "settled", costMicros: FULL });
  });

  test("is unknown, and kept in full, for a call that a hard stop cuts off", async () => {
    const key = await plane.issue({ daily_usd_cap: 100 });
    vendor.answer = () => "hang";
    const call = pay(key);
    while (plane.plane.inFlight.count === 0) await Bun.sleep(1);
    plane.plane.inFlight.abort((flying) => flying.keyId === key.id);
    expect((await call).status).toBe(504);
    expect(await rowOf(key)).toMatchObject({ state: "unresolved", flag: "aborted" });
    expect(await used(key)).toBe(FULL);
  });

  test("of a read that failed is nothing to find out", async () => {
    const key = await plane.issue({ daily_usd_cap: 100 });
    vendor.answer = () => ({ status: 500, body: "{}" });
    const response = await fetch(`${plane.url}/stripe/v1/customers`, {
      headers: { authorization: `Bearer ${key.token}` },
    });
    expect(response.status).toBe(500);
    expect(await rowOf(key)).toMatchObject({ state: "released", exposureMicros: 0n });
  });
});
