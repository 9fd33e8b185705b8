import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { eventually } from "../harness/keybrake.ts";
import { ACCOUNT_SID, type TestKey } from "../harness/plane.ts";
import { FULL, PAYMENT, type RepeatBench, type Sent, said, startRepeatBench } from "./repeat-bench.ts";

const WINDOW_MS = 60_000;
const WINDOW = { daily_usd_cap: 100, dedup_window: "1m" };

let bench: RepeatBench;

beforeAll(async () => {
  bench = await startRepeatBench();
});

beforeEach(() => bench.reset());

afterAll(() => bench.stop());

function vendorKeys(): Set<string | undefined> {
  return new Set(bench.vendor.requests.map(({ headers }) => headers["idempotency-key"]));
}

describe("under a dedup_window", () => {
  test("the same call gets the first one's answer until the window is over, to the millisecond", async () => {
    const key = await bench.plane.issue(WINDOW);
    expect(await said(await bench.send(key, undefined))).toBe("200");
    bench.plane.clock.advance(WINDOW_MS - 1);
    expect(await said(await bench.send(key, undefined))).toBe("200 replayed");
    bench.plane.clock.advance(1);
    expect(await said(await bench.send(key, undefined))).toBe("200");
    expect(bench.vendor.requests).toHaveLength(2);
    expect(await bench.used(key)).toBe(2n * FULL);
  });

  test("a repeat does not begin the window anew", async () => {
    const key = await bench.plane.issue(WINDOW);
    const got: string[] = [];
    for (let time = 0; time < 4; time++) {
      got.push(await said(await bench.send(key, undefined)));
      bench.plane.clock.advance(WINDOW_MS / 2);
    }
    expect(got).toEqual(["200", "200 replayed", "200", "200 replayed"]);
  });

  const DIFFERENT: readonly (readonly [string, Sent])[] = [
    ["body", { body: `${PAYMENT}&metadata[a]=b` }],
    ["query", { path: "/stripe/v1/payment_intents?expand[0]=customer" }],
    ["path", { path: "/stripe/v1/setup_intents", body: "usage=off_session" }],
    ["Stripe-Account", { headers: { "stripe-account": "acct_1" } }],
  ];
  test.each(DIFFERENT)("a call with another %s is another call", async (_what, sent) => {
    const key = await bench.plane.issue({ ...WINDOW, merchants: ["acct_1"] });
    await bench.send(key, undefined);
    expect(await said(await bench.send(key, undefined, sent))).not.toContain("replayed");
    expect(bench.vendor.requests).toHaveLength(2);
  });

  test("the same call of another vault key is another call", async () => {
    const [one, two] = [await bench.plane.issue(WINDOW), await bench.plane.issue(WINDOW)];
    await bench.send(one, undefined);
    expect(await said(await bench.send(two, undefined))).toBe("200");
  });

  test("calls without a body are the same, too", async () => {
    const key = await bench.plane.issue(WINDOW);
    const sent = { path: "/stripe/v1/payment_intents/pi_1/cancel", body: "" };
    expect(await said(await bench.send(key, undefined, sent))).toBe("200");
    expect(await said(await bench.send(key, undefined, sent))).toBe("200 replayed");
  });

  test("a DELETE is not sent twice, and reads always are", async () => {
    const key = await bench.plane.issue({ vendor: "resend", dedup_window: "1m" });
    bench.vendor.answer = () => ({ status: 200, body: '{"deleted":true}' });
    const headers = { "content-type": "application/json" };
    const gone = { method: "DELETE", path: "/resend/contacts/c_1", body: "{}", headers };
    expect(await said(await bench.send(key, undefined, gone))).toBe("200");
    expect(await said(await bench.send(key, undefined, gone))).toBe("200 replayed");
    const read = { method: "GET", path: "/resend/contacts" };
    for (let time = 0; time < 2; time++) expect(await said(await bench.send(key, undefined, read))).toBe("200");
    expect(bench.vendor.requests).toHaveLength(3);
  });

  test("two at once are one: the second waits", async () => {
    const key = await bench.plane.issue(WINDOW);
    const open = bench.gate();
    const answers: Response[] = [];
    const calls = Array.from({ length: 8 }, async () => answers.push(await bench.send(key, undefined)));
    // The first one is at the vendor, behind the gate; all others have been told so.
    await eventually(() => (answers.length === calls.length - 1 ? true : undefined));
    const told = await Promise.all(answers.map((answer) => said(answer)));
    expect(new Set(told)).toEqual(new Set(["409 idempotency_in_progress"]));
    open();
    await Promise.all(calls);
    expect(await said(answers.at(-1)!)).toBe("200");
    expect(bench.vendor.requests).toHaveLength(1);
    expect(await bench.used(key)).toBe(FULL);
  });

  test("a refused call may be tried again at once", async () => {
    const key = await bench.plane.issue(WINDOW);
    bench.vendor.answer = (_request, index) => ({ status: index === 0 ? 400 : 200, body: "{}" });
    expect(await said(await bench.send(key, undefined))).toBe("400");
    expect(await said(await bench.send(key, undefined))).toBe("200");
  });

  test("Stripe is asked about a lost call under the id that the first one got", async () => {
    const key = await bench.plane.issue({ ...WINDOW, daily_usd_cap: 20 });
    bench.vendor.answer = (_request, index) =>
      index === 0
        ? "reset"
        : { status: 200, body: '{"id":"pi_1","status":"requires_payment_method","currency":"usd"}' };
    await bench.send(key, undefined);
    expect(await said(await bench.send(key, "k-new"))).toBe("200");
    expect(await said(await bench.send(key, undefined))).toBe("200 replayed");
    const [first] = await bench.rows(key);
    expect([...vendorKeys()]).toEqual([`kb_${first!.id}`]);
  });

  test("Twilio gets a message once, whether its answer came or not", async () => {
    const key = await bench.plane.issue({ vendor: "twilio", daily_send_cap: 10, dedup_window: "1m" });
    const text = (body: string): Sent => ({
      path: `/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
      body: `To=%2B15005550006&From=%2B15005550001&Body=${body}`,
    });
    bench.vendor.answer = ({ body }) =>
      body.includes("lost") ? "reset" : { status: 201, body: '{"sid":"SM1","num_segments":"1","price":null}' };
    expect(await said(await bench.send(key, undefined, text("hello")))).toBe("201");
    expect(await said(await bench.send(key, undefined, text("hello")))).toBe("201 replayed");
    expect((await bench.send(key, undefined, text("lost"))).status).toBe(504);
    expect((await bench.send(key, undefined, text("lost"))).status).toBe(409);
    expect(bench.vendor.requests).toHaveLength(2);
  });

  test("that outlasts the vendor's memory of a key, a lost call is not asked about: it would be done twice", async () => {
    const key = await bench.plane.issue({ daily_usd_cap: 100, dedup_window: "7d" });
    bench.vendor.answer = () => "reset";
    await bench.send(key, "k1");
    expect(await said(await bench.send(key, "k1"))).toBe("409 idempotency_in_progress");
    expect(bench.vendor.requests).toHaveLength(1);
    expect((await bench.rows(key)).at(-1)).toMatchObject({ verdictRule: "outcome_unknown" });
  });
});

describe("under a dedup_window, an Idempotency-Key", () => {
  const other: Sent = { body: `${PAYMENT}&metadata[a]=b` };
  const HISTORIES: readonly (readonly [string, readonly (readonly [string | undefined, Sent | number])[], string[]])[] =
    [
      [
        "that is new gets the answer of the same request",
        [
          ["k1", {}],
          ["k2", {}],
        ],
        ["200", "200 replayed"],
      ],
      [
        "whose request was answered so is a mismatch with another request",
        [
          ["k1", {}],
          ["k2", {}],
          ["k2", other],
        ],
        ["200", "200 replayed", "409 idempotency_mismatch"],
      ],
      [
        "whose request was answered so is answered so when the window is over, too",
        [
          ["k1", {}],
          ["k2", {}],
          [undefined, WINDOW_MS],
          ["k2", {}],
          ["k3", {}],
        ],
        ["200", "200 replayed", "200 replayed", "200"],
      ],
      [
        "outlives the window",
        [
          ["k1", {}],
          [undefined, WINDOW_MS],
          ["k1", {}],
          [undefined, {}],
        ],
        ["200", "200 replayed", "200"],
      ],
      [
        "answers before the window does",
        [
          ["k1", {}],
          [undefined, WINDOW_MS],
          ["k2", {}],
          ["k1", {}],
          ["k2", {}],
        ],
        ["200", "200", "200 replayed", "200 replayed"],
      ],
      [
        "may be left out of a repeat",
        [
          ["k1", {}],
          [undefined, {}],
        ],
        ["200", "200 replayed"],
      ],
    ];
  test.each(HISTORIES)("%s", async (_title, steps, expected) => {
    const key: TestKey = await bench.plane.issue(WINDOW);
    const got: string[] = [];
    for (const [name, sent] of steps) {
      if (typeof sent === "number") bench.plane.clock.advance(sent);
      else got.push(await said(await bench.send(key, name, sent)));
    }
    expect(got).toEqual(expected);
    expect(bench.vendor.requests).toHaveLength(expected.filter((one) => one === "200").length);
    expect(await bench.used(key)).toBe(FULL * BigInt(bench.vendor.requests.length));
    expect(await bench.plane.store.checkCounters()).toEqual([]);
  });

  test("is forwarded anew after the window where the policy says forward", async () => {
    const key = await bench.plane.issue({ ...WINDOW, idempotency: "forward" });
    expect(await said(await bench.send(key, "k1"))).toBe("200");
    expect(await said(await bench.send(key, "k1"))).toBe("200 replayed");
    bench.plane.clock.advance(WINDOW_MS);
    expect(await said(await bench.send(key, "k1"))).toBe("200");
    expect(vendorKeys().size).toBe(1);
  });
});
