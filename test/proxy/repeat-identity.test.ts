import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { exchange } from "../harness/raw-socket.ts";
import { PAYMENT, type RepeatBench, type Sent, said, startRepeatBench } from "./repeat-bench.ts";

let bench: RepeatBench;

beforeAll(async () => {
  bench = await startRepeatBench();
});

beforeEach(() => bench.reset());

afterAll(() => bench.stop());

interface Differing {
  readonly title: string;
  readonly first: Sent;
  readonly second: Sent;
  readonly gets: string;
}

const MERCHANTS = { merchants: ["acct_1", "acct_2"] };
const DIFFERENCES: readonly Differing[] = [
  { title: "another body", first: {}, second: { body: `${PAYMENT}&metadata[a]=b` }, gets: "409 idempotency_mismatch" },
  {
    title: "its fields in another order",
    first: {},
    second: { body: "currency=usd&amount=2000&confirm=true&payment_method=pm_card_visa" },
    gets: "409 idempotency_mismatch",
  },
  {
    title: "another path",
    first: {},
    second: { path: "/stripe/v1/setup_intents", body: "usage=off_session" },
    gets: "409 idempotency_mismatch",
  },
  {
    title: "another order of its query",
    first: { path: "/stripe/v1/payment_intents?expand[0]=customer&expand[1]=invoice" },
    second: { path: "/stripe/v1/payment_intents?expand[1]=invoice&expand[0]=customer" },
    gets: "409 idempotency_mismatch",
  },
  {
    title: "another Stripe-Account, whose money it would be",
    first: { headers: { "stripe-account": "acct_1" } },
    second: { headers: { "stripe-account": "acct_2" } },
    gets: "409 idempotency_mismatch",
  },
  {
    title: "another Stripe-Version, whose answer has another shape",
    first: { headers: { "stripe-version": "2025-01-01" } },
    second: { headers: { "stripe-version": "2026-01-01" } },
    gets: "409 idempotency_mismatch",
  },
  { title: "the vendor taken from the key", first: {}, second: { path: "/v1/payment_intents" }, gets: "200 replayed" },
  {
    title: "what tells about the sender",
    first: { headers: { "x-stripe-client-telemetry": "{}", "user-agent": "a", "x-agent-run-id": "1" } },
    second: { headers: { "x-stripe-client-telemetry": '{"a":1}', "user-agent": "b", "x-triggering-event-id": "2" } },
    gets: "200 replayed",
  },
];

describe("a call under a known Idempotency-Key with", () => {
  for (const { title, first, second, gets } of DIFFERENCES) {
    test(`${title} gets ${gets}`, async () => {
      const key = await bench.plane.issue(MERCHANTS);
      expect(await said(await bench.send(key, "k1", first))).toBe("200");
      expect(await said(await bench.send(key, "k1", second))).toBe(gets);
      expect(bench.vendor.requests).toHaveLength(1);
    });
  }
});

describe("an Idempotency-Key", () => {
  test.each(["x".repeat(255), "x".repeat(4000), "a b", "k'\"\\;,="])("of any characters is one: %p", async (name) => {
    const key = await bench.plane.issue({});
    expect(await said(await bench.send(key, name))).toBe("200");
    expect(await said(await bench.send(key, name))).toBe("200 replayed");
    expect(await said(await bench.send(key, `${name}.`))).toBe("200");
    expect(bench.vendor.requests.every(({ headers }) => /^kb_[0-9a-f]{48}$/.test(headers["idempotency-key"]!))).toBe(
      true,
    );
  });

  test("outside of ASCII is refused", async () => {
    const key = await bench.plane.issue({});
    expect(await said(await bench.send(key, "é"))).toBe("400 request_rejected");
    expect(bench.vendor.requests).toHaveLength(0);
  });

  test("that is empty is one like any other, so that two requests with it do not pass for one", async () => {
    const key = await bench.plane.issue({});
    expect(await said(await bench.send(key, ""))).toBe("200");
    expect(await said(await bench.send(key, "", { body: `${PAYMENT}&off_session=true` }))).toBe(
      "409 idempotency_mismatch",
    );
  });

  test("that comes twice is refused, whether or not the two are the same", async () => {
    const key = await bench.plane.issue({});
    for (const second of ["k1", "k2"]) {
      const answer = await exchange(
        bench.plane.port,
        `POST /stripe/v1/payment_intents HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key.token}\r\nContent-Type: application/x-www-form-urlencoded\r\nIdempotency-Key: k1\r\nIdempotency-Key: ${second}\r\nContent-Length: ${PAYMENT.length}\r\n\r\n${PAYMENT}`,
      );
      expect(answer).toStartWith("HTTP/1.1 400 ");
    }
    expect(bench.vendor.requests).toHaveLength(0);
  });
});
