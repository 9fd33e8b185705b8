import { describe, expect, test } from "bun:test";
import { DOUBLE_SECRETS } from "../harness/plane.ts";
import type { DoubleAnswer } from "../harness/vendor-double.ts";
import {
  answer,
  CONFIRM,
  call,
  intent,
  issue,
  LOOK_UP,
  plane,
  rows,
  sent,
  useOneIntent,
  vendor,
} from "./one-intent.ts";

useOneIntent();

describe("a call whose request does not say what it costs", () => {
  test("is held at what the vendor says, asked with the real secret, before it is sent", async () => {
    const key = await issue();
    const response = await call(key, CONFIRM);
    expect(response.status).toBe(200);
    expect(response.headers.get("x-keybrake-cost-usd")).toBe("20.00");
    expect(sent()).toEqual([LOOK_UP, CONFIRM]);
    expect(vendor.requests[0]!.headers["authorization"]).toBe(`Bearer ${DOUBLE_SECRETS.stripe}`);
    expect(vendor.requests[0]!.raw.toString()).not.toContain(key.token);
    expect(await rows(key)).toMatchObject([
      { state: "settled", exposureMicros: 20_000_000n, costMicros: 20_000_000n, customerScopeId: "cus_1" },
    ]);
  });

  test("is refused where what the vendor says is over the cap, and only the look-up was sent", async () => {
    const key = await issue({ daily_usd_cap: 19.99 });
    const response = await call(key, CONFIRM);
    expect(response.status).toBe(429);
    expect(await response.json()).toMatchObject({ keybrake: { code: "cap_exceeded", requested_usd: "20.00" } });
    expect(sent()).toEqual([LOOK_UP]);
    expect(await rows(key)).toMatchObject([{ state: "refused", exposureMicros: 20_000_000n }]);
  });

  const BY_WHAT_WAS_FOUND: readonly (readonly [string, Record<string, unknown>, Record<string, unknown>, string])[] = [
    ["an amount over the limit of one call", { max_amount_per_call_usd: 10 }, {}, "amount_denied"],
    ["a currency that is not allowed", {}, { currency: "eur" }, "currency_denied"],
    ["another customer's object", { customers: ["cus_2"] }, {}, "scope_denied"],
    ["an object without a customer", { customers: ["cus_1"] }, { customer: null }, "scope_denied"],
  ];
  for (const [what, policy, found, code] of BY_WHAT_WAS_FOUND) {
    test(`is refused for ${what}, and only the look-up was sent`, async () => {
      Object.assign(intent, found);
      const response = await call(await issue(policy), CONFIRM);
      expect(await response.json()).toMatchObject({ keybrake: { code } });
      expect(sent()).toEqual([LOOK_UP]);
    });
  }

  test("passes with the customer that the look-up told", async () => {
    expect((await call(await issue({ customers: ["cus_1"] }), CONFIRM)).status).toBe(200);
  });
});

describe("nothing is looked up on behalf of a call", () => {
  test("that the policy refuses", async () => {
    const key = await issue({ denied_endpoints: [CONFIRM] });
    expect((await call(key, CONFIRM)).status).toBe(403);
    expect(sent()).toEqual([]);
  });

  test("of a revoked key", async () => {
    const key = await issue();
    expect((await call(key, LOOK_UP)).status).toBe(200);
    await plane.store.revokeKeys({ ids: [key.id] }, "stuck in a loop", plane.clock.now());
    vendor.requests.length = 0;
    const response = await call(key, CONFIRM);
    expect(response.status).toBe(401);
    expect(await response.text()).toContain("stuck in a loop");
    expect(sent()).toEqual([]);
    expect((await rows(key)).at(-1)).toMatchObject({ policyVerdict: "key_revoked", state: "refused" });
  });

  test("under a brake", async () => {
    const key = await issue();
    const brake = { id: "br_1", vendor: "stripe", labelPrefix: null, reason: null, engagedAt: plane.clock.now() };
    await plane.store.engageBrake(brake);
    try {
      expect((await call(key, CONFIRM)).status).toBe(403);
      expect(sent()).toEqual([]);
    } finally {
      await plane.store.releaseBrake("stripe", null, plane.clock.now());
    }
  });
});

describe("a repeat of a call that was looked up", () => {
  const KEYED = { "idempotency-key": "k1" };

  test("gets the recorded answer without another look-up, also when the vendor is down", async () => {
    const key = await issue();
    expect((await call(key, CONFIRM, "", KEYED)).status).toBe(200);
    vendor.answer = () => "reset";
    const again = await call(key, CONFIRM, "", KEYED);
    expect(again.status).toBe(200);
    expect(again.headers.get("x-keybrake-replayed")).toBe("true");
    expect(sent()).toEqual([LOOK_UP, CONFIRM]);
    expect((await rows(key)).map(({ costMicros }) => costMicros)).toEqual([20_000_000n, 0n]);
  });

  test("finds out what is unknown under the first hold, without another look-up", async () => {
    const key = await issue({ daily_usd_cap: 20 });
    vendor.answer = (request) => (request.target.endsWith("/confirm") ? "reset" : answer(request));
    expect((await call(key, CONFIRM, "", KEYED)).status).toBe(504);
    vendor.answer = answer;
    expect((await call(key, CONFIRM, "", KEYED)).status).toBe(200);
    expect(sent()).toEqual([LOOK_UP, CONFIRM, CONFIRM]);
    expect(await rows(key)).toHaveLength(3);
    expect(await plane.store.keySpend(key.id)).toMatchObject({ settledMicros: 20_000_000n, unresolvedMicros: 0n });
  });

  test("is looked up like any call once the record has run out", async () => {
    const key = await plane.issue({ daily_usd_cap: 100 }, { expiresAt: plane.clock.now() + 9 * 86_400_000 });
    expect((await call(key, CONFIRM, "", KEYED)).status).toBe(200);
    plane.clock.advance(2 * 86_400_000);
    expect((await call(key, CONFIRM, "", KEYED)).status).toBe(200);
    expect(sent()).toEqual([LOOK_UP, CONFIRM, LOOK_UP, CONFIRM]);
  });
});

describe("a look-up that fails refuses the call, which is not sent", () => {
  const FAILURES: readonly (readonly [string, DoubleAnswer, number, string])[] = [
    ["no such object", { status: 404, body: '{"error":{}}' }, 400, "request_rejected"],
    ["no right to read it", { status: 403, body: '{"error":{}}' }, 403, "cost_unknown"],
    ["a fault of the vendor's", { status: 500, body: "{}" }, 502, "upstream_unreachable"],
    ["a rate limit of the vendor's", { status: 429, body: "{}" }, 502, "upstream_unreachable"],
    ["no JSON", { status: 200, body: "<html>" }, 502, "upstream_unreachable"],
    ["no answer in time", "hang", 502, "upstream_unreachable"],
    ["a reset", "reset", 502, "upstream_unreachable"],
    ["a cut-off answer", { truncated: '{"id":"pi_1","amount":1' }, 502, "upstream_unreachable"],
  ];
  for (const [what, failure, status, code] of FAILURES) {
    test(`with ${what}: ${status} ${code}`, async () => {
      vendor.answer = () => failure;
      const key = await issue();
      const response = await call(key, CONFIRM);
      expect(response.status).toBe(status);
      expect(await response.json()).toMatchObject({ keybrake: { code } });
      expect(sent().filter((one) => one !== LOOK_UP)).toEqual([]);
      expect(await rows(key)).toMatchObject([{ state: "refused", policyVerdict: code, verdictRule: "look_up" }]);
    });
  }
});

describe("an object that was made through the proxy", () => {
  const CREATE = "POST /v1/payment_intents";
  const PAYMENT = "amount=2000&currency=usd";

  test("needs no look-up", async () => {
    const key = await issue();
    await call(key, CREATE, PAYMENT);
    await call(key, CONFIRM);
    expect(sent()).toEqual([CREATE, CONFIRM]);
    expect((await rows(key)).map(({ exposureMicros, costMicros }) => [exposureMicros, costMicros])).toEqual([
      [20_000_000n, 0n],
      [20_000_000n, 20_000_000n],
    ]);
  });

  test("is confirmed at the amount of its last update", async () => {
    const key = await issue();
    await call(key, CREATE, PAYMENT);
    await call(key, "POST /v1/payment_intents/pi_1", "amount=9000");
    await call(key, CONFIRM);
    expect(sent()).toEqual([CREATE, "POST /v1/payment_intents/pi_1", CONFIRM]);
    expect((await rows(key)).at(-1)).toMatchObject({ exposureMicros: 90_000_000n, costMicros: 90_000_000n });
  });
});

describe("one call at a time on an object", () => {
  test("no update raises the amount between a look-up and its call", async () => {
    const key = await issue();
    let release = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    vendor.answer = async (request) => {
      if (request.target.endsWith("/confirm")) await gate;
      return answer(request);
    };
    const confirming = call(key, CONFIRM);
    while (!sent().includes(CONFIRM)) await Bun.sleep(1);
    const update = await call(key, "POST /v1/payment_intents/pi_1", "amount=9000");
    expect(update.status).toBe(409);
    expect(update.headers.get("stripe-should-retry")).toBe("true");
    release();
    const confirmed = await confirming;
    expect(confirmed.status).toBe(200);
    const holder = confirmed.headers.get("x-keybrake-request-id")!;
    expect(await update.json()).toMatchObject({
      error: {
        message: expect.stringContaining(`The call ${holder} on /v1/payment_intents/pi_1 is under way`),
      },
      keybrake: { object: "/v1/payment_intents/pi_1", held_by: holder },
    });
    expect((await call(key, "POST /v1/payment_intents/pi_1", "description=paid")).status).toBe(200);
    expect(intent).toMatchObject({ amount: 2000, amount_received: 2000 });
  });

  test("a subscription and its items are one object: a quantity is not raised beside a price", async () => {
    const key = await issue();
    const price = { id: "price_1", currency: "usd", unit_amount: 1000, billing_scheme: "per_unit", recurring: {} };
    const item = { id: "si_1", subscription: "sub_1", price, quantity: 1 };
    const subscription = { id: "sub_1", currency: "usd", customer: "cus_1", status: "active", items: { data: [item] } };
    const PATHS: Record<string, unknown> = {
      "/v1/prices/price_1": price,
      "/v1/subscription_items/si_1": item,
      "/v1/subscriptions/sub_1": subscription,
    };
    let release = () => {};
    const gate = new Promise<void>((done) => {
      release = done;
    });
    vendor.answer = async ({ method, target }) => {
      if (method === "POST") await gate;
      return { status: 200, body: JSON.stringify(PATHS[target.split("?")[0]!]) };
    };
    const raising = call(key, "POST /v1/subscription_items/si_1", "quantity=2");
    while (!sent().includes("POST /v1/subscription_items/si_1")) await Bun.sleep(1);
    const beside = await call(key, "POST /v1/subscriptions/sub_1", "items[0][id]=si_1&items[0][quantity]=3");
    expect(beside.status).toBe(409);
    release();
    expect((await raising).status).toBe(200);
  });

  test("an update between the look-up and the hold is seen: the amount is looked up again", async () => {
    const key = await issue();
    vendor.answer = async (request) => {
      const given = answer(request);
      const first = request.method === "GET" && sent().filter((one) => one === LOOK_UP).length === 1;
      if (first) await call(key, "POST /v1/payment_intents/pi_1", "amount=9000");
      return given;
    };
    expect((await call(key, CONFIRM)).status).toBe(200);
    expect((await rows(key)).at(-1)).toMatchObject({ exposureMicros: 90_000_000n, costMicros: 90_000_000n });
  });
});
