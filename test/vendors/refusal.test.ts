import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { Resend } from "resend";
import Stripe from "stripe";
import twilioClient from "twilio";
import { REPEATABLE, type RefusalCode, VERDICTS } from "../../src/core/verdict.ts";
import { vendorNamed } from "../../src/vendors/index.ts";

const MESSAGE = "Keybrake: this call is refused; 480.00 of 500.00 dollars are used.";
const ACCOUNT_SID = `AC${"0".repeat(32)}`;
const REFUSALS = Object.keys(VERDICTS).filter((verdict): verdict is RefusalCode => verdict !== "allowed");

let refused: { vendor: string; code: RefusalCode };
let attempts = 0;
let server: ReturnType<typeof Bun.serve>;

/** Answers everything with the refusal at hand, as the proxy would. */
beforeAll(() => {
  server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    fetch() {
      attempts += 1;
      const { vendor, code } = refused;
      const { status } = VERDICTS[code];
      const answer = vendorNamed(vendor)!.refusal({
        code,
        status,
        message: MESSAGE,
        requestId: "req_1",
        mayRetry: REPEATABLE.has(code),
        details: {},
      });
      return new Response(answer.body, {
        status: answer.status,
        headers: answer.headers.map(([name, value]) => [name, value]),
      });
    },
  });
});
afterAll(() => server.stop(true));
beforeEach(() => {
  attempts = 0;
});

/** What the promise was rejected with; fails where it resolved. */
async function failure(promise: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  const outcome = await promise.then(
    (value) => ({ value }),
    (error) => ({ error }),
  );
  if (!("error" in outcome)) throw new Error(`resolved with ${JSON.stringify(outcome.value)}`);
  return outcome.error;
}

function stripe(maxNetworkRetries?: number): Stripe {
  const where = { host: "127.0.0.1", port: server.port!, protocol: "http" } as const;
  return new Stripe("vault_key_x", maxNetworkRetries === undefined ? where : { ...where, maxNetworkRetries });
}

/** By status, as stripe-node from 21 on does. */
function stripeError(status: number): string {
  if (status === 401) return "StripeAuthenticationError";
  if (status === 403) return "StripePermissionError";
  if (status === 429) return "StripeRateLimitError";
  return status === 400 || status === 404 ? "StripeInvalidRequestError" : "StripeAPIError";
}

/** What Stripe's SDK repeats by itself: with the same key it gets the first call's answer, or finds out about it. */
const WAITING_HELPS: readonly string[] = [
  "draining",
  "store_unavailable",
  "idempotency_in_progress",
  "upstream_timeout",
  "upstream_unreachable",
];

describe("stripe-node", () => {
  test.each(REFUSALS)("raises its typed error with our words for %s", async (code) => {
    refused = { vendor: "stripe", code };
    const error = await failure(stripe(0).paymentIntents.create({ amount: 100, currency: "usd" }));
    expect(error.message).toBe(MESSAGE);
    expect(error["code"]).toBe(`keybrake_${code}`);
    expect(error["statusCode"]).toBe(VERDICTS[code].status);
    expect(error["requestId"]).toBe("req_1");
    expect(error["type"]).toBe(stripeError(VERDICTS[code].status));
    expect(attempts).toBe(1);
  });

  test.each(REFUSALS.filter((code) => !WAITING_HELPS.includes(code)))(
    "does not retry %s, with retries on or as it comes",
    async (code) => {
      refused = { vendor: "stripe", code };
      await failure(stripe(5).charges.create({ amount: 100, currency: "usd", source: "tok_visa" }));
      await failure(stripe().balance.retrieve());
      expect(attempts).toBe(2);
    },
  );

  test("retries where waiting helps", async () => {
    refused = { vendor: "stripe", code: "draining" };
    await failure(stripe(1).balance.retrieve());
    expect(attempts).toBe(2);
  });
});

function twilio(options: Record<string, unknown> = {}) {
  const client = twilioClient(ACCOUNT_SID, "vaultkeyx", options);
  client.api.baseUrl = `http://127.0.0.1:${server.port}/twilio`;
  return client.messages.create({ to: "+14155550100", from: "+14155550199", body: "hi" });
}

describe("twilio-node", () => {
  test.each(REFUSALS)("raises its RestException with our words for %s", async (code) => {
    refused = { vendor: "twilio", code };
    const error = await failure(twilio());
    expect(error.constructor.name).toBe("RestException");
    expect(error.message).toBe(MESSAGE);
    expect(error["status"]).toBe(VERDICTS[code].status);
    expect(error["code"] === 20003).toBe(VERDICTS[code].status === 401);
    expect(error["code"]).not.toBe(20429);
    expect(String(error["moreInfo"])).toStartWith("https://");
    expect(attempts).toBe(1);
  });

  test("with autoRetry asks three times more after any 429, which no header or body stops, and gives up", async () => {
    refused = { vendor: "twilio", code: "cap_exceeded" };
    const error = await failure(twilio({ autoRetry: true, maxRetryDelay: 1 }));
    expect(error.message).toBe(MESSAGE);
    expect(attempts).toBe(4);
  });

  test("with autoRetry does not ask again after a 403", async () => {
    refused = { vendor: "twilio", code: "cost_unknown" };
    await failure(twilio({ autoRetry: true, maxRetryDelay: 1 }));
    expect(attempts).toBe(1);
  });
});

describe("resend-node", () => {
  test.each(REFUSALS)("returns our words as its error for %s", async (code) => {
    refused = { vendor: "resend", code };
    const client = new Resend("vault_key_x", { baseUrl: `http://127.0.0.1:${server.port}/resend` });
    const { data, error } = await client.emails.send({
      from: "a@acme.test",
      to: "b@example.com",
      subject: "s",
      text: "t",
    });
    expect(data).toBeNull();
    expect(error).toMatchObject({ message: MESSAGE, statusCode: VERDICTS[code].status });
    if (code === "cap_exceeded") expect(error?.name).toBe("daily_quota_exceeded");
    // resend-python replaces the message of this one by its own.
    expect(error?.name).not.toBe("missing_api_key");
    expect(attempts).toBe(1);
  });
});

describe("the shapes that SDKs read besides", () => {
  const bodyOf = (vendor: string, code: RefusalCode) => {
    const { status } = VERDICTS[code];
    return vendorNamed(vendor)!.refusal({
      code,
      status,
      message: MESSAGE,
      requestId: "req_1",
      mayRetry: REPEATABLE.has(code),
      details: {},
    });
  };

  test.each(REFUSALS)("Stripe's %s has a documented type, and says whether to retry", (code) => {
    const answer = bodyOf("stripe", code);
    const { error } = JSON.parse(answer.body);
    expect(error.type).toMatch(/^(api_error|invalid_request_error|idempotency_error)$/);
    const waits = WAITING_HELPS.includes(code);
    expect(Object.fromEntries(answer.headers)).toEqual({
      "content-type": "application/json",
      "request-id": "req_1",
      "stripe-should-retry": String(waits),
    });
  });

  test.each(REFUSALS)("Twilio's %s is not taken for the newer shape, which has type and title", (code) => {
    const body = JSON.parse(bodyOf("twilio", code).body);
    expect(Number.isInteger(body.code)).toBe(true);
    expect("type" in body || "title" in body).toBe(false);
  });
});
