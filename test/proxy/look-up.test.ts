import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { ACCOUNT_SID, type TestKey } from "../harness/plane.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import type { DoubleAnswer } from "../harness/vendor-double.ts";
import {
  DAY_MS,
  FULL,
  LIFE_MS,
  PAYMENT,
  type RepeatBench,
  type Sent,
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

/** Ways in which nobody learns what a write did. */
const LOST: readonly (readonly [string, DoubleAnswer, string, string])[] = [
  ["time-out", "hang", "504 upstream_timeout", "unresolved timeout"],
  ["reset", "reset", "504 upstream_timeout", "unresolved broken"],
  ["cut-off answer", { truncated: '{"id":' }, "504 upstream_timeout", "unresolved broken"],
  ...[302, 408, 409, 500, 502, 503].map(
    (status) => [String(status), { status, body: '{"error":{}}' }, String(status), "unresolved"] as const,
  ),
];

function lose(answer: DoubleAnswer): void {
  bench.vendor.answer = (request, index) => (index === 0 ? answer : succeededIntent(request));
}

/** The idempotency keys under which the vendor was asked. */
function vendorKeys(): (string | undefined)[] {
  return bench.vendor.requests.map(({ headers }) => headers["idempotency-key"]);
}

describe("a repeat after a", () => {
  for (const [what, answer, first, row] of LOST) {
    test(`${what} asks Stripe under the first call's key and hold, and resolves it`, async () => {
      const key = await bench.plane.issue({ daily_usd_cap: 20 });
      lose(answer);
      expect(await said(await bench.send(key, "k1"))).toBe(first);
      expect(await bench.used(key)).toBe(FULL);
      expect(await said(await bench.send(key, "k1"))).toBe("200");
      expect(await bench.used(key)).toBe(FULL);
      expect(await said(await bench.send(key, "k1"))).toBe("200 replayed");
      expect(await bench.states(key)).toEqual([
        row,
        "settled looks_up:first",
        "settled looked_up",
        "settled replays:first",
      ]);
      const rows = await bench.rows(key);
      expect(rows[1]).toMatchObject({ exposureMicros: 0n, costMicros: 0n, costSource: "none", httpStatus: 200 });
      expect(rows[2]).toMatchObject({ refersTo: rows[0]!.id, costMicros: FULL, costSource: "lookup" });
      expect(rows[2]!.vendorTxnId).toStartWith("pi_double_");
      expect(new Set(vendorKeys()).size).toBe(1);
      expect(bench.vendor.requests[1]!.body).toBe(PAYMENT);
      expect(await bench.plane.store.checkCounters()).toEqual([]);
      const totals = { settledMicros: FULL, unresolvedMicros: 0n, heldMicros: 0n };
      expect(await bench.plane.store.auditTotals({ keyId: key.id })).toMatchObject(totals);
      expect(await bench.plane.store.keySpend(key.id)).toMatchObject(totals);
    });
  }
});

describe("a look-up", () => {
  const NOTHING_LEARNT: readonly (readonly [string, DoubleAnswer, string])[] = [
    ["times out, too", "hang", "released looks_up:first"],
    ["is cut off, too", "reset", "released looks_up:first"],
    ...[400, 401, 404, 409, 429, 500].map(
      (status) => [`is answered ${status}`, { status, body: '{"error":{}}' }, "settled looks_up:first"] as const,
    ),
  ];
  for (const [what, answer, row] of NOTHING_LEARNT) {
    test(`that ${what} leaves the first call unresolved and held, once, for the next one`, async () => {
      const key = await bench.plane.issue({ daily_usd_cap: 20 });
      bench.vendor.answer = (request, index) => (index === 0 ? "reset" : index < 3 ? answer : succeededIntent(request));
      for (let time = 0; time < 3; time++) await (await bench.send(key, "k1")).text();
      expect(await bench.used(key)).toBe(FULL);
      expect(await bench.states(key)).toEqual(["unresolved broken", row, row]);
      expect(await said(await bench.send(key, "k1"))).toBe("200");
      expect(await bench.used(key)).toBe(FULL);
      expect((await bench.states(key)).slice(3)).toEqual(["settled looks_up:first", "settled looked_up"]);
      expect(new Set(vendorKeys()).size).toBe(1);
      expect(await bench.plane.store.checkCounters()).toEqual([]);
    });
  }

  test("that cannot be sent is released, and leaves the first call unresolved", async () => {
    const lonely = await startRepeatBench();
    const key = await lonely.plane.issue({ daily_usd_cap: 20 });
    lonely.vendor.answer = () => "reset";
    await lonely.send(key, "k1");
    await lonely.vendor.stop();
    for (let time = 0; time < 2; time++) {
      expect(await said(await lonely.send(key, "k1"))).toBe("502 upstream_unreachable");
    }
    expect(await lonely.used(key)).toBe(FULL);
    expect(await lonely.states(key)).toEqual([
      "unresolved broken",
      "released looks_up:first",
      "released looks_up:first",
    ]);
    await lonely.plane.stop();
  });

  test("that finds a decline gives the hold back, and repeats get the decline", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 20 });
    const declined = { status: 402, body: '{"error":{"type":"card_error"}}' };
    bench.vendor.answer = (_request, index) => (index === 0 ? "reset" : declined);
    await bench.send(key, "k1");
    expect(await said(await bench.send(key, "k1"))).toBe("402");
    expect(await bench.used(key)).toBe(0n);
    expect(await said(await bench.send(key, "k1"))).toBe("402 replayed");
    expect(await bench.states(key)).toEqual([
      "unresolved broken",
      "settled looks_up:first",
      "released looked_up",
      "settled replays:first",
    ]);
  });

  test("that finds a cost that cannot be read settles the full hold, and says so", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 20 });
    bench.vendor.answer = (_request, index) => (index === 0 ? "reset" : { status: 200, body: "<html>" });
    for (let time = 0; time < 2; time++) await bench.send(key, "k1");
    expect(await bench.used(key)).toBe(FULL);
    expect((await bench.rows(key)).at(-1)).toMatchObject({
      state: "settled",
      flag: "cost_unreadable",
      costSource: "lookup",
      costMicros: FULL,
    });
  });

  test("is one at a time; its own repeats wait", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 20 });
    lose("reset");
    await bench.send(key, "k1");
    const open = bench.gate();
    const lookUp = bench.send(key, "k1");
    while (bench.vendor.requests.length < 2) await Bun.sleep(1);
    expect(await said(await bench.send(key, "k1"))).toBe("409 idempotency_in_progress");
    open();
    expect(await said(await lookUp)).toBe("200");
    expect(bench.vendor.requests).toHaveLength(2);
  });

  test("says that the vendor had replayed it, and the next repeat says so once", async () => {
    const key = await bench.plane.issue({});
    const headers = { "idempotent-replayed": "true" };
    bench.vendor.answer = (request, index) => (index === 0 ? "reset" : succeededWith(request, headers));
    await bench.send(key, "k1");
    for (let time = 0; time < 2; time++) {
      expect((await bench.send(key, "k1")).headers.get("idempotent-replayed")).toBe("true");
    }
  });

  test("is sent while the vendor is sure to know the key when it comes; after that a repeat is a call of its own", async () => {
    const day = { expiresAt: bench.plane.clock.now() + 3 * DAY_MS };
    const key = await bench.plane.issue({ total_usd_cap: 100 }, day);
    const start = bench.plane.clock.now();
    bench.vendor.answer = () => "reset";
    await bench.send(key, "k1");
    bench.plane.clock.set(start + LIFE_MS - 1);
    await bench.send(key, "k1");
    expect(await bench.states(key)).toEqual(["unresolved broken", "released looks_up:first"]);
    bench.plane.clock.set(start + LIFE_MS);
    await bench.send(key, "k1");
    expect((await bench.states(key)).at(-1)).toBe("unresolved broken");
    expect(await bench.plane.store.keySpend(key.id)).toMatchObject({ unresolvedMicros: 2n * FULL });
  });

  test("asks again where an answer of a call that costs nothing was too large to keep", async () => {
    const key = await bench.plane.issue({});
    const body = JSON.stringify({ id: "cus_1", description: "x".repeat(300_000) });
    bench.vendor.answer = () => ({ status: 200, body });
    const sent = { path: "/stripe/v1/customers", body: "name=a" };
    for (let time = 0; time < 3; time++) {
      const response = await bench.send(key, "k1", sent);
      expect(response.headers.has("x-keybrake-replayed")).toBe(false);
      expect((await response.text()).length).toBe(body.length);
    }
    expect(bench.vendor.requests).toHaveLength(3);
    expect(new Set(vendorKeys()).size).toBe(1);
    expect(await bench.states(key)).toEqual(["settled", "settled looks_up:first", "settled looks_up:first"]);
  });

  test("is none once an operator has released the call: a repeat holds anew", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 20 });
    lose("reset");
    await bench.send(key, "k1");
    const [row] = await bench.rows(key);
    const end = {
      finishedAt: bench.plane.clock.now(),
      verdict: "allowed",
      costMicros: 0n,
      costSource: "manual",
    } as const;
    const unseen = { vendorRequestId: null, vendorTxnId: null, httpStatus: null, latencyMs: null } as const;
    const at = { ...end, ...unseen, upstreamLatencyMs: null, flag: null };
    await bench.plane.store.apply([{ type: "resolve", callId: row!.id, to: "released", end: at }], end.finishedAt);
    expect(await bench.used(key)).toBe(0n);
    expect(await said(await bench.send(key, "k1"))).toBe("200");
    expect(await bench.used(key)).toBe(FULL);
    expect((await bench.states(key)).at(-1)).toBe("settled");
  });
});

describe("Twilio, which knows no idempotency key, is not asked twice:", () => {
  const message: Sent = {
    path: `/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
    body: "To=%2B15005550006&From=%2B15005550001&Body=hello",
  };
  const send = (key: TestKey) => bench.send(key, "k1", message);

  test("a repeat of a message whose outcome is unknown gets 409, and says what to do", async () => {
    const key = await bench.plane.issue({ vendor: "twilio", daily_send_cap: 5 });
    bench.vendor.answer = () => "reset";
    expect((await send(key)).status).toBe(504);
    for (let time = 0; time < 2; time++) {
      const repeat = await send(key);
      expect(repeat.status).toBe(409);
      expect(await repeat.text()).toContain("keybrake resolve");
    }
    expect(bench.vendor.requests).toHaveLength(1);
    const rows = await bench.rows(key);
    expect(rows.map(({ verdictRule }) => verdictRule).slice(1)).toEqual(["outcome_unknown", "outcome_unknown"]);
  });
});

describe("Resend, which is asked only under a key of the client's:", () => {
  const mail: Sent = {
    path: "/resend/emails",
    body: JSON.stringify({ from: "a@example.com", to: ["b@example.com"], subject: "s", text: "t" }),
    headers: { "content-type": "application/json" },
  };

  test("a repeat asks again under the first call's key and hold", async () => {
    const key = await bench.plane.issue({ vendor: "resend", daily_send_cap: 1 });
    bench.vendor.answer = (_request, index) => (index === 0 ? "hang" : { status: 200, body: '{"id":"em_1"}' });
    expect((await bench.send(key, "k1", mail)).status).toBe(504);
    expect(await said(await bench.send(key, "k1", mail))).toBe("200");
    expect(await said(await bench.send(key, "k1", mail))).toBe("200 replayed");
    expect(new Set(vendorKeys()).size).toBe(1);
    expect(bench.vendor.requests).toHaveLength(2);
  });

  test("under a dedup_window and without a key it is not asked again", async () => {
    const key = await bench.plane.issue({ vendor: "resend", daily_send_cap: 5, dedup_window: "1h" });
    bench.vendor.answer = () => "hang";
    expect((await bench.send(key, undefined, mail)).status).toBe(504);
    expect((await bench.send(key, undefined, mail)).status).toBe(409);
    expect(bench.vendor.requests).toHaveLength(1);
  });
});
