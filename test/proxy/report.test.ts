import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { CallReport } from "../../src/telemetry/call-report.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { type DoubleAnswer, startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;
let key: TestKey;
const reports: CallReport[] = [];
let answer: DoubleAnswer | undefined;

beforeAll(async () => {
  vendor = await startVendorDouble((request) => answer ?? succeededIntent(request));
});
beforeEach(async () => {
  answer = undefined;
  reports.length = 0;
  plane = await startPlane({
    origins: { stripe: vendor.origin },
    limits: { upstreamTimeoutMs: 200 },
    listeners: [(report) => reports.push(report)],
  });
  key = await plane.issue({ daily_usd_cap: 50, allowed_endpoints: ["POST /v1/payment_intents"] });
});
afterAll(() => vendor.stop());

interface Sent {
  readonly amount?: number;
  readonly path?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

async function pay({ amount = 2000, path = "/v1/payment_intents", token = key.token, headers = {} }: Sent = {}) {
  const response = await fetch(`${plane.url}/stripe${path}`, {
    method: "POST",
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
    body: `amount=${amount}&currency=usd&confirm=true&payment_method=pm_card_visa`,
  });
  await response.arrayBuffer();
  return response;
}

/** Ends the plane, so that everything has been written, and says what was counted. */
async function counted() {
  await plane.stop();
  const { tallies } = plane.plane;
  return {
    stripe: Object.fromEntries(tallies.of("stripe").calls),
    unknown: Object.fromEntries(tallies.of(undefined).calls),
    settledMicros: tallies.of("stripe").settledMicros,
    forwards: tallies.of("stripe").forwards.counts.reduce((sum, count) => sum + count, 0),
    holds: tallies.holds.counts.reduce((sum, count) => sum + count, 0),
  };
}

describe("each call is counted once, by how it ended", () => {
  test("settled, and refused for its cap", async () => {
    for (let call = 0; call < 4; call++) await pay();
    expect(await counted()).toEqual({
      stripe: { allowed: 2, cap_exceeded: 2 },
      unknown: { allowed: 0 },
      settledMicros: 40_000_000n,
      forwards: 2,
      holds: 4,
    });
  });

  test("of no known key, and of none at all", async () => {
    await pay({ token: "" });
    await pay({ token: "vault_key_nobody" });
    expect(await counted()).toMatchObject({ unknown: { key_missing: 1, key_unknown: 1 }, holds: 0, forwards: 0 });
  });

  test("refused by its policy, with the row of the refusal", async () => {
    await pay({ path: "/v1/payouts" });
    expect(await counted()).toMatchObject({ stripe: { endpoint_denied: 1, allowed: 0 }, holds: 1, forwards: 0 });
  });

  test("answered from the record of an earlier one, which costs nothing more", async () => {
    for (let call = 0; call < 3; call++) await pay({ headers: { "idempotency-key": "order-1" } });
    expect(await counted()).toMatchObject({
      stripe: { allowed: 1, replayed: 2 },
      settledMicros: 20_000_000n,
      forwards: 1,
    });
  });

  test("declined by the vendor, which settles nothing", async () => {
    answer = { status: 402, body: JSON.stringify({ error: { type: "card_error", message: "declined" } }) };
    await pay();
    expect(await counted()).toMatchObject({ stripe: { allowed: 1 }, settledMicros: 0n, forwards: 1 });
  });

  test("sent, and never answered", async () => {
    answer = "hang";
    expect((await pay()).status).toBe(504);
    expect(await counted()).toMatchObject({ stripe: { upstream_timeout: 1 }, settledMicros: 0n, forwards: 1 });
  });

  test("never sent, because the vendor's address takes no connection", async () => {
    const gone = await startVendorDouble(succeededIntent);
    await plane.stop();
    plane = await startPlane({ origins: { stripe: gone.origin } });
    key = await plane.issue({ daily_usd_cap: 50 });
    await gone.stop();
    expect((await pay()).status).toBe(502);
    expect(await counted()).toMatchObject({ stripe: { upstream_unreachable: 1 }, settledMicros: 0n, forwards: 0 });
  });

  test("refused because the store takes no row", async () => {
    await pay({ amount: 1 });
    Object.assign(plane.store, { apply: () => Promise.reject(new Error("disk full")) });
    await pay();
    const { tallies } = plane.plane;
    expect(Object.fromEntries(tallies.of("stripe").calls)).toEqual({ allowed: 1, store_unavailable: 1 });
  });
});

describe("what is told of a call", () => {
  test("is who, what, how it ended and how long each part took", async () => {
    const response = await pay({ headers: { traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" } });
    const [report] = reports;
    expect(report).toMatchObject({
      callId: response.headers.get("x-keybrake-request-id")!,
      vendor: "stripe",
      keyId: key.id,
      runLabel: "test/1",
      method: "POST",
      endpoint: "/v1/payment_intents",
      operation: "payment_intents.create",
      outcome: "allowed",
      costMicros: 20_000_000n,
      vendorStatus: 200,
      traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    });
    const { whole, hold, forward } = report!;
    const moments = [whole.fromMs, hold!.fromMs, hold!.toMs, forward!.fromMs, forward!.toMs, whole.toMs];
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    await plane.stop();
  });

  test("has neither key, query, body nor what an agent calls itself", async () => {
    const sent = {
      path: `/v1/payment_intents?note=${key.token}`,
      headers: { "x-agent-run-id": key.token, "x-agent-name": "me@example.com", "idempotency-key": "order-7" },
    };
    await pay(sent);
    await pay({ path: "/v1/jane-doe/of-acme" });
    await pay({ token: "", path: "/v1/jane-doe" });
    const told = JSON.stringify(reports, (_, value) => (typeof value === "bigint" ? String(value) : value));
    expect(reports).toHaveLength(3);
    for (const secret of [key.token, "me@example.com", "order-7", "note=", "pm_card_visa", "jane", "acme"]) {
      expect(told).not.toContain(secret);
    }
    await plane.stop();
  });
});
