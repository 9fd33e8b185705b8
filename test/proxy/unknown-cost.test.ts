import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { AuditRow } from "../../src/audit/row.ts";
import { ACCOUNT_SID, startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { type DoubleAnswer, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;

beforeAll(async () => {
  vendor = await startVendorDouble(() => "reset");
  plane = await startPlane({ origins: { stripe: vendor.origin, twilio: vendor.origin } });
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

const RESERVE = { on_unknown_cost: { reserve_usd: 5 } };
const ALLOW = { on_unknown_cost: "allow" };
const UNLISTED = "/v1/nonsense";
const INTENTS = "/v1/payment_intents";
const NUMBER_SID = `PN${"0".repeat(32)}`;
const CONFIRMED = "currency=usd&confirm=true&payment_method=pm_card_visa";

function answered(body: object, status = 200): DoubleAnswer {
  return { status, body: JSON.stringify(body) };
}

const paid = (cents: number) =>
  answered({
    id: "pi_1",
    object: "payment_intent",
    amount: cents,
    amount_received: cents,
    currency: "usd",
    status: "succeeded",
  });

interface Scenario {
  readonly title: string;
  readonly policy: Record<string, unknown>;
  readonly path: string;
  readonly body?: string;
  readonly answer: DoubleAnswer;
  /** What the client gets, and whether the vendor was called. */
  readonly client: readonly [status: number, calls: number];
  readonly row: Partial<AuditRow>;
  /** Micro-dollars counted against the daily cap at the end. */
  readonly counted: bigint;
}

const SCENARIOS: readonly Scenario[] = [
  {
    title: "by default it is refused and never sent",
    policy: {},
    path: UNLISTED,
    answer: answered({}),
    client: [403, 0],
    row: { state: "refused", policyVerdict: "cost_unknown", exposureMicros: 0n },
    counted: 0n,
  },
  {
    title: "under a reserve it counts in full where nobody can read its cost, and says so",
    policy: RESERVE,
    path: UNLISTED,
    answer: answered({ id: "x_1" }),
    client: [200, 1],
    row: {
      state: "settled",
      exposureMicros: 5_000_000n,
      costMicros: 5_000_000n,
      costSource: "none",
      flag: "cost_unreadable",
    },
    counted: 5_000_000n,
  },
  {
    title: "under a reserve an operation that is free without the unknown parameter counts in full",
    policy: RESERVE,
    path: "/v1/prices/price_1",
    body: "strange_parameter=1",
    answer: answered({ id: "price_1", object: "price" }),
    client: [200, 1],
    row: { state: "settled", costMicros: 5_000_000n, flag: "cost_unreadable" },
    counted: 5_000_000n,
  },
  {
    title: "under a reserve it settles at what the answer tells, where that is less",
    policy: RESERVE,
    path: INTENTS,
    body: CONFIRMED,
    answer: paid(200),
    client: [200, 1],
    row: {
      state: "settled",
      exposureMicros: 5_000_000n,
      costMicros: 2_000_000n,
      costSource: "vendor_response",
      flag: null,
    },
    counted: 2_000_000n,
  },
  {
    title: "under a reserve it settles at what the answer tells, where that is more, flagged",
    policy: RESERVE,
    path: INTENTS,
    body: CONFIRMED,
    answer: paid(2000),
    client: [200, 1],
    row: { state: "settled", costMicros: 20_000_000n, costSource: "vendor_response", flag: "overrun" },
    counted: 20_000_000n,
  },
  {
    title: "under a reserve it is given back where the vendor says no",
    policy: RESERVE,
    path: UNLISTED,
    answer: answered({ error: {} }, 404),
    client: [404, 1],
    row: { state: "released", exposureMicros: 5_000_000n, flag: null },
    counted: 0n,
  },
  {
    title: "under a reserve it stays held where the answer never comes",
    policy: RESERVE,
    path: UNLISTED,
    answer: "reset",
    client: [504, 1],
    row: { state: "unresolved", exposureMicros: 5_000_000n, flag: "broken" },
    counted: 5_000_000n,
  },
  {
    title: "a reserve over the daily cap is refused and never sent",
    policy: { ...RESERVE, daily_usd_cap: 4.99 },
    path: UNLISTED,
    answer: answered({}),
    client: [429, 0],
    row: { state: "refused", policyVerdict: "cap_exceeded", exposureMicros: 5_000_000n },
    counted: 0n,
  },
  {
    title: "a reserve over the limit of one call is refused and never sent",
    policy: { ...RESERVE, max_amount_per_call_usd: 4.99 },
    path: UNLISTED,
    answer: answered({}),
    client: [403, 0],
    row: { state: "refused", policyVerdict: "amount_denied", exposureMicros: 5_000_000n },
    counted: 0n,
  },
  {
    title: "under allow it counts nothing, whatever the answer tells, and its row says so",
    policy: ALLOW,
    path: INTENTS,
    body: CONFIRMED,
    answer: paid(2000),
    client: [200, 1],
    row: {
      state: "settled",
      exposureMicros: 0n,
      costMicros: 0n,
      costSource: "none",
      flag: "unpriced",
      vendorTxnId: "pi_1",
    },
    counted: 0n,
  },
  {
    title: "allow does not let in what the vendor's file rejects for another reason",
    policy: ALLOW,
    path: INTENTS,
    body: `AMOUNT=2000&${CONFIRMED}`,
    answer: paid(2000),
    client: [400, 0],
    row: { state: "refused", policyVerdict: "request_rejected" },
    counted: 0n,
  },
  {
    title: "allow does not let in a currency without a rate",
    policy: { ...ALLOW, allowed_currencies: ["usd", "eur"] },
    path: INTENTS,
    body: `amount=2000&${CONFIRMED.replace("usd", "eur")}`,
    answer: paid(2000),
    client: [403, 0],
    row: { state: "refused", policyVerdict: "currency_denied" },
    counted: 0n,
  },
  {
    title: "under allow an operation that is not listed counts nothing, and its row says so",
    policy: ALLOW,
    path: UNLISTED,
    answer: answered({ id: "x_1" }),
    client: [200, 1],
    row: { state: "settled", costMicros: 0n, flag: "unpriced" },
    counted: 0n,
  },
];

describe("a call of unknown cost", () => {
  for (const { title, policy, path, body = "", answer, client, row, counted } of SCENARIOS) {
    test(title, async () => {
      const key = await plane.issue({ daily_usd_cap: 100, ...policy });
      vendor.answer = () => answer;
      const before = vendor.requests.length;
      const response = await fetch(`${plane.url}/stripe${path}`, {
        method: "POST",
        headers: { authorization: `Bearer ${key.token}`, "content-type": "application/x-www-form-urlencoded" },
        body,
      });
      await response.text();
      expect([response.status, vendor.requests.length - before]).toEqual([...client]);
      expect(await rowOf(key)).toMatchObject(row);
      expect(await used(key)).toBe(counted);
    });
  }
});

test("a step whose price the look-up does not tell is counted at what its answer tells, above the reserve too", async () => {
  const key = await plane.issue({ daily_usd_cap: 100, ...RESERVE });
  const unsaid = answered({ id: "pi_1", object: "payment_intent", currency: "usd", status: "requires_confirmation" });
  vendor.answer = ({ method }) => (method === "GET" ? unsaid : paid(2000));
  const response = await fetch(`${plane.url}/stripe${INTENTS}/pi_1/confirm`, {
    method: "POST",
    headers: { authorization: `Bearer ${key.token}` },
  });
  expect(response.status).toBe(200);
  expect(await rowOf(key)).toMatchObject({ state: "settled", exposureMicros: 5_000_000n, flag: "overrun" });
  expect(await used(key)).toBe(20_000_000n);
});

function twilioPost(key: TestKey, product: string, body: string): Promise<Response> {
  return fetch(`${plane.url}/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/${product}.json`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${ACCOUNT_SID}:${key.token}`)}`,
      "content-type": "application/x-www-form-urlencoded",
    },
    body,
  });
}

test("a reserve that a vendor's file takes for the price is flagged as what nobody has read", async () => {
  const key = await plane.issue({ vendor: "twilio", daily_usd_cap: 100, ...RESERVE });
  vendor.answer = () => answered({ sid: NUMBER_SID }, 201);
  expect((await twilioPost(key, "IncomingPhoneNumbers", "AreaCode=510&Strange=1")).status).toBe(201);
  const row = { state: "settled", costMicros: 5_000_000n, flag: "cost_unreadable", vendorTxnId: NUMBER_SID } as const;
  expect(await rowOf(key)).toMatchObject(row);
  expect(await used(key)).toBe(5_000_000n);
});

test("a message without a rate counts under daily_send_cap all the same", async () => {
  const key = await plane.issue({ vendor: "twilio", daily_send_cap: 1, ...ALLOW });
  vendor.answer = () => answered({ sid: "SM1", num_segments: "1", price: null }, 201);
  const body = "To=whatsapp%3A%2B15005550006&From=whatsapp%3A%2B15005550001&Body=hello";
  const before = vendor.requests.length;
  const statuses = [(await twilioPost(key, "Messages", body)).status, (await twilioPost(key, "Messages", body)).status];
  expect([...statuses, vendor.requests.length - before]).toEqual([201, 429, 1]);
});

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
