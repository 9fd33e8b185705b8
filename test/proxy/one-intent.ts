import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import type { AuditRow } from "../../src/audit/row.ts";
import { startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

/** What the vendor has: one PaymentIntent of 20 dollars. */
export let intent: Record<string, unknown>;
export let vendor: VendorDouble;
export let plane: TestPlane;

export const LOOK_UP = "GET /v1/payment_intents/pi_1";
export const CONFIRM = "POST /v1/payment_intents/pi_1/confirm";

/** A vendor with that one intent behind a proxy, for the tests of a file; nothing of one test is remembered in the next. */
export function useOneIntent(): void {
  beforeAll(async () => {
    vendor = await startVendorDouble(answer);
    plane = await startPlane({ origins: { stripe: vendor.origin }, limits: { upstreamTimeoutMs: 500 } });
  });

  beforeEach(() => {
    intent = {
      id: "pi_1",
      object: "payment_intent",
      amount: 2000,
      amount_received: 0,
      currency: "usd",
      customer: "cus_1",
      status: "requires_confirmation",
    };
    vendor.answer = answer;
    vendor.requests.length = 0;
  });

  afterEach(async () => {
    await plane.plane.ledger.drain();
    plane.clock.advance(60 * 86_400_000);
    await plane.store.purgeRecordedCalls(plane.clock.now());
  });

  afterAll(async () => {
    await plane.stop();
    await vendor.stop();
  });
}

/** As the vendor does it: an update changes the amount, a confirm takes the money. */
export function answer({ method, target, body }: RecordedRequest): DoubleAnswer {
  if (method === "POST" && target.endsWith("/confirm")) {
    intent = { ...intent, status: "succeeded", amount_received: intent["amount"] };
  } else if (method === "POST") {
    const amount = /(?:^|&)amount=([0-9]+)/.exec(body)?.[1];
    if (amount !== undefined) intent = { ...intent, amount: Number(amount) };
  }
  return { status: 200, body: JSON.stringify(intent) };
}

/** What has reached the vendor: `GET /v1/payment_intents/pi_1`. */
export function sent(): string[] {
  return vendor.requests.map(({ method, target }) => `${method} ${target}`);
}

/** @param endpoint `POST /v1/payment_intents`. */
export function call(
  key: TestKey,
  endpoint: string,
  body = "",
  headers: Record<string, string> = {},
): Promise<Response> {
  const [method, path] = endpoint.split(" ") as [string, string];
  return fetch(`${plane.url}/stripe${path}`, {
    method,
    headers: {
      authorization: `Bearer ${key.token}`,
      "content-type": "application/x-www-form-urlencoded",
      ...headers,
    },
    ...(method === "GET" ? {} : { body }),
  });
}

/** A key for an hour that may spend $100 a day. */
export function issue(policy: Record<string, unknown> = {}): Promise<TestKey> {
  return plane.issue({ daily_usd_cap: 100, ...policy }, { expiresAt: plane.clock.now() + 3_600_000 });
}

/** The key's rows, when all have been written. */
export async function rows(key: TestKey): Promise<readonly AuditRow[]> {
  await plane.plane.ledger.drain();
  return (await plane.store.queryAudit({ keyId: key.id }, { limit: 50 })).rows;
}
