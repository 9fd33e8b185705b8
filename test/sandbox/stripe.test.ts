import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type Stripe from "stripe";
import { rejectionOf, startTrial, stripeOf, type Trial } from "./trial.ts";

let trial: Trial;
let stripe: Stripe;

beforeAll(async () => {
  trial = await startTrial();
  stripe = stripeOf(trial);
});
afterAll(() => trial.sandbox.stop());

const usd = (amount: number) => ({ amount, currency: "usd" });
const visa = { payment_method: "pm_card_visa" };
type StripeError = Stripe.errors.StripeError;

/** A call without the SDK: header and body as given. */
function post(path: string, body: string, headers: Record<string, string> = {}): Promise<Response> {
  const authorization = `Bearer ${trial.sandbox.credentials.stripe.reveal()}`;
  return fetch(trial.sandbox.origins.stripe + path, {
    method: "POST",
    body,
    headers: { authorization, "content-type": "application/x-www-form-urlencoded", ...headers },
  });
}

describe("validation", () => {
  test.each([
    ["no amount", "currency=usd", "parameter_missing", "amount"],
    ["no currency", "amount=500", "parameter_missing", "currency"],
    ["a decimal amount", "amount=10.99&currency=usd", "parameter_invalid_integer", "amount"],
    ["nothing", "amount=0&currency=usd", "parameter_invalid_integer", "amount"],
    ["a negative amount", "amount=-5&currency=usd", "parameter_invalid_integer", "amount"],
    ["nine digits", "amount=100000000&currency=usd", "amount_too_large", "amount"],
    ["an unknown currency", "amount=500&currency=zzz", undefined, "currency"],
    ["an unknown capture method", "amount=500&currency=usd&capture_method=later", undefined, "capture_method"],
    ["an odd flag", "amount=500&currency=usd&confirm=yes", undefined, "confirm"],
    ["an unknown payment method", "amount=500&currency=usd&payment_method=visa", "resource_missing", "payment_method"],
    ["a long metadata value", `amount=500&currency=usd&metadata[a]=${"x".repeat(501)}`, undefined, "metadata[a]"],
  ])("refuses %s with 400 and the parameter's name", async (_what, body, code, param) => {
    const response = await post("/v1/payment_intents", body);
    expect(response.status).toBe(400);
    const { error } = (await response.json()) as { error: { type: string; code?: string; param: string } };
    expect({ type: error.type, code: error.code, param: error.param }).toEqual({
      type: "invalid_request_error",
      code,
      param,
    });
  });

  test("refuses a JSON body, which v1 does not take", async () => {
    const response = await post("/v1/payment_intents", '{"amount":500}', { "content-type": "application/json" });
    expect(response.status).toBe(400);
  });

  test.each(["/v1/nothing", "/v1/payment_intents/", "/v2/core/events", "/", "/v1/payment_intents/pi_1/confirm/again"])(
    "answers 404 with an error object for %s",
    async (path) => {
      const response = await post(path, "");
      expect(response.status).toBe(404);
      expect(await response.json()).toMatchObject({ error: { type: "invalid_request_error" } });
    },
  );
});

describe("an idempotency key", () => {
  const body = "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true";
  const keyed = (key: string, sent = body, path = "/v1/payment_intents") =>
    post(path, sent, { "idempotency-key": key });

  test("gets the saved answer again, marked as replayed, and no second charge", async () => {
    const before = (await stripe.charges.list({ limit: 100 })).data.length;
    const [first, second] = [await keyed("k1"), await keyed("k1")];
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(second.headers.get("idempotent-replayed")).toBe("true");
    expect(second.headers.get("original-request")).toBe(first.headers.get("request-id"));
    expect(second.headers.get("request-id")).not.toBe(first.headers.get("request-id"));
    expect(await second.json()).toEqual(await first.json());
    expect((await stripe.charges.list({ limit: 100 })).data).toHaveLength(before + 1);
  });

  test.each([
    ["other parameters", "amount=501&currency=usd", "/v1/payment_intents"],
    ["another endpoint", body, "/v1/payouts"],
  ])("is refused with %s", async (_what, sent, path) => {
    await keyed(`k2 ${_what}`);
    const refused = await keyed(`k2 ${_what}`, sent, path);
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: { type: "idempotency_error" } });
  });

  test("saves a decline and a 500, but no validation failure and no 429", async () => {
    const cases: [string, number, string | null][] = [
      ["amount=500&currency=usd&payment_method=pm_card_chargeDeclined&confirm=true", 402, "true"],
      ["amount=500&currency=usd&metadata[sandbox]=error_500", 500, "true"],
      ["amount=500&currency=usd&metadata[sandbox]=error_429", 429, null],
      ["amount=500", 400, null],
    ];
    for (const [sent, status, replayed] of cases) {
      await keyed(`k3 ${status}`, sent);
      const again = await keyed(`k3 ${status}`, sent);
      expect([again.status, again.headers.get("idempotent-replayed")]).toEqual([status, replayed]);
    }
  });

  test("is forgotten after 24 hours, and is another one for another connected account", async () => {
    const ids = new Set<string>();
    const remember = async (response: Response) => ids.add(((await response.json()) as { id: string }).id);
    await remember(await keyed("k4"));
    trial.clock.advance(24 * 3_600_000 - 1);
    await remember(await keyed("k4"));
    expect(ids.size).toBe(1);
    trial.clock.advance(1);
    await remember(await keyed("k4"));
    await remember(await post("/v1/payment_intents", body, { "idempotency-key": "k4", "stripe-account": "acct_1" }));
    expect(ids.size).toBe(3);
  });

  test("of more than 255 characters is refused", async () => {
    expect((await keyed("k".repeat(256))).status).toBe(400);
  });
});

describe("a credential", () => {
  test("is taken as Bearer and as Basic user", async () => {
    const key = trial.sandbox.credentials.stripe.reveal();
    const answer = await post("/v1/customers", "", { authorization: `Basic ${btoa(`${key}:`)}` });
    expect(answer.status).toBe(200);
  });

  test.each([
    ["none", ""],
    ["a vault key", "Bearer vault_key_0123456789abcdefghijklmnop"],
    ["a vault key as Basic user", `Basic ${btoa("vault_key_0123456789abcdefghijklmnop:")}`],
    ["another key", "Bearer sk_test_real_secret"],
    ["an empty Basic pair", `Basic ${btoa(":")}`],
  ])("refuses %s with 401 and does not repeat it", async (_what, authorization) => {
    const answer = await post("/v1/customers", "", { authorization });
    expect(answer.status).toBe(401);
    const text = await answer.text();
    expect(JSON.parse(text)).toMatchObject({ error: { type: "invalid_request_error" } });
    expect(text).not.toContain("0123456789abcdef");
    expect(text).not.toContain("sk_test_real_secret");
  });

  test("that is wrong is an authentication error to the SDK", async () => {
    const error = await rejectionOf<StripeError>(stripeOf(trial, {}, "vault_key_x").balance.retrieve());
    expect(error).toMatchObject({ type: "StripeAuthenticationError", statusCode: 401 });
  });
});

describe("failure on demand", () => {
  const failing = (word: string) => ({ ...usd(500), ...visa, confirm: true, metadata: { sandbox: word } });
  const charges = async () => (await stripe.charges.list({ limit: 100 })).data.length;

  test.each([
    ["error_500", { statusCode: 500, type: "StripeAPIError" }],
    ["error_429", { statusCode: 429, type: "StripeRateLimitError" }],
  ])("%s answers so, and charges nothing", async (word, expected) => {
    const before = await charges();
    expect(await rejectionOf<StripeError>(stripe.paymentIntents.create(failing(word)))).toMatchObject(expected);
    expect(await charges()).toBe(before);
  });

  test("reset loses the answer of a charge that was made", async () => {
    const before = await charges();
    const body = "amount=500&currency=usd&payment_method=pm_card_visa&confirm=true&metadata[sandbox]=reset";
    const error = await rejectionOf<Error & { code: string }>(post("/v1/payment_intents", body));
    expect(error.code).toBe("ECONNRESET");
    expect(await charges()).toBe(before + 1);
  });

  test("a retry after reset with the same idempotency key gets that one charge", async () => {
    const before = await charges();
    const callsBefore = trial.sandbox.calls();
    const intent = await stripe.paymentIntents.create(failing("reset")); // stripe-node retries a reset once unasked
    expect(trial.sandbox.calls()).toBe(callsBefore + 2);
    expect(intent).toMatchObject({ status: "succeeded", amount_received: 500 });
    expect(new Headers(intent.lastResponse.headers).get("idempotent-replayed")).toBe("true");
    expect(await charges()).toBe(before + 1);
  });

  test("timeout never answers a charge that was made", async () => {
    const before = await charges();
    const error = await rejectionOf<StripeError>(
      stripeOf(trial, { timeout: 100 }).paymentIntents.create(failing("timeout")),
    );
    expect(error.type).toBe("StripeConnectionError");
    expect(await charges()).toBe(before + 1);
  });

  test("slow answers, and another word is ordinary metadata", async () => {
    expect(await stripe.paymentIntents.create(failing("slow"))).toMatchObject({ status: "succeeded" });
    const ordinary = await stripe.paymentIntents.create(failing("true"));
    expect(ordinary).toMatchObject({ status: "succeeded", metadata: { sandbox: "true" } });
  });
});
