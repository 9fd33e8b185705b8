import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { DOUBLE_SECRETS } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import {
  DAY_MS,
  FULL,
  LIFE_MS,
  PAYMENT,
  type RepeatBench,
  said,
  startRepeatBench,
  succeededWith,
} from "./repeat-bench.ts";

let bench: RepeatBench;

beforeAll(async () => {
  bench = await startRepeatBench();
});

beforeEach(() => bench.reset());

afterAll(() => bench.stop());

describe("a repeat of an answered call", () => {
  test("gets status, body and headers of the first answer, says so, and is not forwarded", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 20 });
    const headers = { "request-id": "req_1", date: "Thu, 01 Jan 2026" };
    bench.vendor.answer = (request) => succeededWith(request, headers);
    const first = await bench.send(key, "k1", { headers: { "x-agent-run-id": "run-1" } });
    const repeat = await bench.send(key, "k1", { headers: { "x-agent-run-id": "run-2" } });
    expect(await repeat.text()).toBe(await first.text());
    expect(repeat.status).toBe(200);
    expect(repeat.headers.get("request-id")).toBe("req_1");
    expect(repeat.headers.get("content-type")).toBe("application/json");
    expect(repeat.headers.get("idempotent-replayed")).toBe("true");
    expect(repeat.headers.get("x-keybrake-replayed")).toBe("true");
    expect(repeat.headers.get("x-keybrake-cost-usd")).toBe("0.00");
    expect(repeat.headers.has("x-keybrake-cap-remaining-usd")).toBe(false);
    expect(first.headers.has("x-keybrake-replayed")).toBe(false);
    expect(first.headers.get("x-keybrake-cost-usd")).toBe("20.00");
    // The cap's notice was about that moment.
    expect(first.headers.get("stripe-notice")).toStartWith("Keybrake: ");
    expect(repeat.headers.has("stripe-notice")).toBe(false);
    expect(bench.vendor.requests).toHaveLength(1);
    const rows = await bench.rows(key);
    expect(await bench.states(key)).toEqual(["settled", "settled replays:first"]);
    expect(rows.map(({ agentRunId }) => agentRunId)).toEqual(["run-1", "run-2"]);
    expect(rows[1]!.id).toBe(repeat.headers.get("x-keybrake-request-id")!);
    expect(await bench.used(key)).toBe(FULL);
    expect(await bench.plane.store.checkCounters()).toEqual([]);
    expect(await bench.plane.store.auditTotals({ keyId: key.id })).toMatchObject({
      calls: 2,
      refused: 0,
      settledMicros: FULL,
    });
  });

  test("is answered at a full cap, and any number of times", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 20 });
    await bench.send(key, "k1");
    expect(await said(await bench.send(key, "k2"))).toBe("429 cap_exceeded");
    for (let time = 0; time < 5; time++) expect(await said(await bench.send(key, "k1"))).toBe("200 replayed");
    expect(bench.vendor.requests).toHaveLength(1);
  });

  test("lives ten minutes less than the 24 hours of the vendor's memory, and is a call of its own then", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 100 }, { expiresAt: bench.plane.clock.now() + 3 * DAY_MS });
    const start = bench.plane.clock.now();
    await bench.send(key, "k1");
    bench.plane.clock.set(start + LIFE_MS - 1);
    expect(await said(await bench.send(key, "k1"))).toBe("200 replayed");
    bench.plane.clock.set(start + LIFE_MS);
    expect(await said(await bench.send(key, "k1"))).toBe("200");
    expect(bench.vendor.requests).toHaveLength(2);
  });

  test("is not answered by a revoked or expired key, nor under a brake", async () => {
    const [revoked, expired] = [
      await bench.plane.issue({}),
      await bench.plane.issue({}, { expiresAt: bench.plane.clock.now() + 1000 }),
    ];
    const braked = await bench.plane.issue({}, { label: "braked/1" });
    for (const key of [revoked, expired, braked]) await bench.send(key, "k1");
    await bench.plane.store.revokeKeys({ ids: [revoked.id] }, null, bench.plane.clock.now());
    bench.plane.clock.advance(1000);
    const at = bench.plane.clock.now();
    const brake = { id: "brk_replay", vendor: null, labelPrefix: "braked/", reason: null, engagedAt: at };
    await bench.plane.store.engageBrake(brake);
    expect(await said(await bench.send(revoked, "k1"))).toBe("401 key_revoked");
    expect(await said(await bench.send(expired, "k1"))).toBe("401 key_expired");
    expect(await said(await bench.send(braked, "k1"))).toBe("403 brake_engaged");
    await bench.plane.store.releaseBrake(null, "braked/", at);
    expect(await said(await bench.send(braked, "k1"))).toBe("200 replayed");
  });

  test("is refused by a policy that has been narrowed since, and forwarded where it says so", async () => {
    const key = await bench.plane.issue({});
    await bench.send(key, "k1");
    const change = async (policy: Record<string, unknown>, fromVersion: number) => {
      const { policy: before, expiresAt } = (await bench.plane.store.getKey(key.id))!;
      await bench.plane.store.updateKey(key.id, { policy: { ...before, ...policy }, expiresAt, fromVersion });
    };
    await change({ denied_endpoints: ["POST /v1/payment_intents"] }, 1);
    expect(await said(await bench.send(key, "k1"))).toBe("403 endpoint_denied");
    await change({ denied_endpoints: [] }, 2);
    expect(await said(await bench.send(key, "k1"))).toBe("200 replayed");
    await change({ idempotency: "forward" }, 3);
    expect(await said(await bench.send(key, "k1"))).toBe("200");
    expect(bench.vendor.requests).toHaveLength(2);
    expect(bench.vendor.requests[1]!.headers["idempotency-key"]).toBe(
      bench.vendor.requests[0]!.headers["idempotency-key"]!,
    );
  });

  test("is one under its own vault key alone", async () => {
    const [one, two] = [await bench.plane.issue({}), await bench.plane.issue({})];
    await bench.send(one, "k1");
    expect(await said(await bench.send(two, "k1"))).toBe("200");
    expect(bench.vendor.requests).toHaveLength(2);
  });
});

describe("what has no record", () => {
  for (const method of ["GET", "HEAD"]) {
    test(`a ${method} with an Idempotency-Key is forwarded each time`, async () => {
      const key = await bench.plane.issue({});
      bench.vendor.answer = () => ({ status: 200, body: "{}" });
      for (let time = 0; time < 2; time++) {
        const response = await bench.send(key, "k1", { method, path: "/stripe/v1/customers" });
        expect(response.headers.has("x-keybrake-replayed")).toBe(false);
        await response.text();
      }
      expect(bench.vendor.requests).toHaveLength(2);
    });
  }

  test("a write without an Idempotency-Key is a call of its own each time", async () => {
    const key = await bench.plane.issue({});
    for (let time = 0; time < 2; time++) expect(await said(await bench.send(key, undefined))).toBe("200");
    expect(bench.vendor.requests).toHaveLength(2);
  });

  test("a refused call: the key is free for the cap's next day", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 30 }, { expiresAt: bench.plane.clock.now() + 3 * DAY_MS });
    await bench.send(key, "k1");
    expect(await said(await bench.send(key, "k2"))).toBe("429 cap_exceeded");
    bench.plane.clock.advance(DAY_MS);
    expect(await said(await bench.send(key, "k2"))).toBe("200");
  });
});

/** What the vendor answered first, and whether the next one with the same key goes out again. */
const FREED = [400, 401, 403, 404, 422, 429];
const KEPT = [200, 201, 204, 402];

describe("after the vendor has answered", () => {
  for (const status of FREED) {
    test(`${status}, the key is free for another try, which holds anew`, async () => {
      const key = await bench.plane.issue({ daily_usd_cap: 100 });
      bench.vendor.answer = () => ({ status, body: '{"error":{"type":"invalid_request_error"}}' });
      expect(await said(await bench.send(key, "k1"))).toBe(String(status));
      bench.vendor.answer = succeededIntent;
      expect(await said(await bench.send(key, "k1"))).toBe("200");
      expect(await bench.used(key)).toBe(FULL);
      expect(await bench.states(key)).toEqual(["released", "settled"]);
    });
  }

  for (const status of KEPT) {
    test(`${status}, a repeat gets that`, async () => {
      const key = await bench.plane.issue({ daily_usd_cap: 100 });
      const body = status === 204 ? "" : '{"id":"pi_1","error":{"type":"card_error"}}';
      bench.vendor.answer = () => ({ status, body });
      const first = await bench.send(key, "k1");
      const before = await bench.used(key);
      const repeat = await bench.send(key, "k1");
      expect([repeat.status, await repeat.text()]).toEqual([first.status, await first.text()]);
      expect(repeat.headers.get("x-keybrake-replayed")).toBe("true");
      expect(await bench.used(key)).toBe(before);
      expect(bench.vendor.requests).toHaveLength(1);
    });
  }

  test("with the secret in it, the record has it as little as the client", async () => {
    const key = await bench.plane.issue({});
    const secret = DOUBLE_SECRETS.stripe;
    bench.vendor.answer = () => ({ status: 200, headers: { "x-echo": secret }, body: `{"a":"${secret}"}` });
    const texts = [];
    for (let time = 0; time < 2; time++) {
      const response = await bench.send(key, "k1");
      texts.push(`${JSON.stringify([...response.headers])} ${await response.text()}`);
    }
    expect(texts[1]).toContain("x-keybrake-replayed");
    for (const text of texts) expect(text).not.toContain(secret);
  });

  test("compressed, a repeat gets the same bytes", async () => {
    const key = await bench.plane.issue({});
    const body = Buffer.from(Bun.gzipSync(Buffer.from('{"id":"pi_1"}')));
    bench.vendor.answer = () => ({ status: 200, headers: { "content-encoding": "gzip" }, body });
    await bench.send(key, "k1");
    const repeat = await bench.send(key, "k1");
    expect(repeat.headers.get("x-keybrake-replayed")).toBe("true");
    expect(await repeat.json()).toEqual({ id: "pi_1" });
  });

  test("and the client has hung up, its retry gets the answer", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 100 });
    const open = bench.gate();
    const client = new AbortController();
    const lost = bench.send(key, "k1", { signal: client.signal }).catch(() => undefined);
    while (bench.vendor.requests.length === 0) await Bun.sleep(1);
    expect(await said(await bench.send(key, "k1"))).toBe("409 idempotency_in_progress");
    client.abort();
    await lost;
    open();
    while (bench.plane.plane.inFlight.count > 0) await Bun.sleep(1);
    expect(await said(await bench.send(key, "k1"))).toBe("200 replayed");
    expect(bench.vendor.requests).toHaveLength(1);
    expect(await bench.used(key)).toBe(FULL);
  });
});

describe("a call that is refused for its key", () => {
  test("in progress may be tried again by Stripe's SDK, and one that mismatches may not", async () => {
    const key = await bench.plane.issue({});
    const open = bench.gate();
    const first = bench.send(key, "k1");
    while (bench.vendor.requests.length === 0) await Bun.sleep(1);
    const [waiting, other] = [
      await bench.send(key, "k1"),
      await bench.send(key, "k1", { body: `${PAYMENT}&off_session=true` }),
    ];
    open();
    await first;
    expect([waiting.status, waiting.headers.get("stripe-should-retry"), waiting.headers.get("retry-after")]).toEqual([
      409,
      "true",
      "1",
    ]);
    expect([other.status, other.headers.get("stripe-should-retry"), other.headers.get("retry-after")]).toEqual([
      409,
      "false",
      null,
    ]);
    expect(await other.json()).toMatchObject({ error: { type: "idempotency_error" }, keybrake: { key_id: key.id } });
  });
});
