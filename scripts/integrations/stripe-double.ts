import { succeededIntent } from "../../test/harness/stripe-answers.ts";
import { type DoubleAnswer, type RecordedRequest, startVendorDouble } from "../../test/harness/vendor-double.ts";

/** A charge that the double has made. */
export interface Charge {
  readonly cents: number;
  /** As the request says: `cus_1`, or null. */
  readonly customer: string | null;
  /** All fields of the request, by Stripe's spelling: `metadata[order_id]`. */
  readonly fields: Readonly<Record<string, string>>;
}

/** A Stripe that is a real server on loopback. As at Stripe, a repeat with the same Idempotency-Key charges once. */
export interface StripeDouble {
  readonly origin: string;
  /** Every request, as it arrived. */
  readonly calls: readonly RecordedRequest[];
  readonly charges: readonly Charge[];
  /** The sum of `charges`, in cents. */
  readonly chargedCents: number;
  /** The next `times` requests are answered so and charge nothing; a 503 with Retry-After: 1 where it does not say. */
  failNext(times: number, answer?: DoubleAnswer): void;
  /** From now on requests arrive and are not answered, until the function that is returned is called. */
  pause(): () => void;
  stop(): Promise<void>;
}

/** What Stripe says while it cannot answer. */
export const UNAVAILABLE: DoubleAnswer = {
  status: 503,
  headers: { "retry-after": "1" },
  body: JSON.stringify({ error: { type: "api_error", message: "The service is not available." } }),
};

/** What Stripe says of too many requests in a second; it has nothing to do with a cap. */
export const TOO_FAST: DoubleAnswer = {
  status: 429,
  headers: { "retry-after": "1" },
  body: JSON.stringify({ error: { type: "invalid_request_error", code: "rate_limit", message: "Too many requests." } }),
};

export async function startStripeDouble(): Promise<StripeDouble> {
  const charges: Charge[] = [];
  const answered = new Map<string, DoubleAnswer>();
  const failures: DoubleAnswer[] = [];
  let gate: Promise<void> | undefined;
  const double = await startVendorDouble(async (request) => {
    await gate;
    const failure = failures.shift();
    if (failure) return failure;
    const key = request.headers["idempotency-key"];
    const earlier = key === undefined ? undefined : answered.get(key);
    if (earlier) return earlier;
    const answer = succeededIntent(request);
    if (isCharge(request)) charges.push(chargeOf(request));
    if (key !== undefined) answered.set(key, answer);
    return answer;
  });
  return {
    origin: double.origin,
    calls: double.requests,
    charges,
    get chargedCents() {
      return charges.reduce((sum, { cents }) => sum + cents, 0);
    },
    failNext: (times, answer = UNAVAILABLE) => {
      for (let index = 0; index < times; index++) failures.push(answer);
    },
    pause: () => {
      const held = Promise.withResolvers<void>();
      gate = held.promise;
      return () => {
        gate = undefined;
        held.resolve();
      };
    },
    stop: () => double.stop(),
  };
}

function isCharge({ method, target }: RecordedRequest): boolean {
  return method === "POST" && new URL(target, "http://stripe").pathname === "/v1/payment_intents";
}

function chargeOf({ body }: RecordedRequest): Charge {
  const fields = Object.fromEntries(new URLSearchParams(body));
  return { cents: Number(fields["amount"]), customer: fields["customer"] ?? null, fields };
}
