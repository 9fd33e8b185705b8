import type { Clock } from "../core/clock.ts";
import { basicCredential, bearerToken, randomAlphanumeric, sameCredential } from "./credential.ts";
import { answerOf, Refusal, type SandboxAnswer, type SandboxRequest, type SandboxVendor } from "./exchange.ts";
import { failureNamed, perform } from "./failure.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { findOperation, type Routes } from "./route.ts";
import { openBooks, type StripeCall } from "./stripe/books.ts";
import { catalogueRoutes } from "./stripe/catalogue.ts";
import { chargeRoutes } from "./stripe/charges.ts";
import { invalidRequest, stripeError } from "./stripe/error.ts";
import { checkExpand, expanded } from "./stripe/expand.ts";
import { StripeForm } from "./stripe/form.ts";
import { paymentIntentRoutes } from "./stripe/payment-intents.ts";
import { payoutRoutes } from "./stripe/payouts.ts";
import { transferRoutes } from "./stripe/transfers.ts";

/** The API version of stripe-node 23.1.0, answered where the request names none. */
const API_VERSION = "2026-10-28.endive";
const IDEMPOTENCY_KEY_CHARACTERS_MAX = 255;

const ROUTES: Routes<StripeCall> = {
  ...paymentIntentRoutes,
  ...chargeRoutes,
  ...payoutRoutes,
  ...transferRoutes,
  ...catalogueRoutes,
};

/**
 * Stripe's v1 API as far as money moves in it: PaymentIntents, charges, refunds, payouts, transfers, and the customers,
 * products and prices around them. Stripe's own test names decline (`pm_card_chargeDeclined`, `tok_chargeDeclined`, …).
 */
export function stripeSandbox(clock: Clock, key: string): SandboxVendor {
  const books = openBooks(clock);
  const keys = new IdempotencyKeys(clock);

  const work = (request: SandboxRequest): SandboxAnswer => {
    const { method, path } = request;
    const operation = findOperation(ROUTES, method, path);
    if (!operation) return unknownRoute(method, path);
    const form = StripeForm.of(request);
    checkExpand(form);
    return perform(failureNamed(method === "POST" ? form.text("metadata[sandbox]") : undefined), fault, () => {
      const answer = operation({ books, form, path });
      return answer.json === undefined ? answer : { ...answer, json: expanded(books, form, answer.json) };
    });
  };

  return {
    fault,
    answer: (request) => {
      const requestId = `req_${randomAlphanumeric(14)}`;
      const answer = answerOf(() => {
        checkKey(request, key);
        const idempotencyKey = request.method === "POST" ? request.headers.get("idempotency-key") : undefined;
        if (idempotencyKey === undefined) return work(request);
        return workOnce(keys, idempotencyKey, requestId, request, () => answerOf(() => work(request)));
      });
      const version = request.headers.get("stripe-version") ?? API_VERSION;
      return { ...answer, headers: { ...answer.headers, "request-id": requestId, "stripe-version": version } };
    },
  };
}

function fault(status: number, message: string): SandboxAnswer {
  const type = status >= 500 ? "api_error" : "invalid_request_error";
  return stripeError(status, status === 429 ? { type, code: "rate_limit", message } : { type, message });
}

function unknownRoute(method: string, path: string): SandboxAnswer {
  const message = `Unrecognized request URL (${method}: ${path}). The sandbox knows only part of Stripe's API.`;
  return stripeError(404, { type: "invalid_request_error", message });
}

/** Stripe takes the key as Bearer or as Basic user with an empty password. */
function checkKey(request: SandboxRequest, key: string): void {
  const authorization = request.headers.get("authorization");
  const presented = bearerToken(authorization) ?? basicCredential(authorization)?.user;
  if (presented === undefined || presented === "") {
    const message =
      "You did not provide an API key. You need to provide your API key in the Authorization header, using Bearer auth " +
      "(e.g. 'Authorization: Bearer YOUR_SECRET_KEY').";
    throw new Refusal(stripeError(401, { type: "invalid_request_error", message }));
  }
  if (sameCredential(presented, key)) return;
  const message = `Invalid API Key provided: ${masked(presented)}`;
  throw new Refusal(stripeError(401, { type: "invalid_request_error", code: "api_key_invalid", message }));
}

/** As Stripe masks: the first eight and the last four characters, and nothing of a short one. */
function masked(key: string): string {
  return key.length < 20 ? "*".repeat(key.length) : `${key.slice(0, 8)}${"*".repeat(key.length - 12)}${key.slice(-4)}`;
}

/**
 * Stripe's v1 idempotency: the same key and request gets the saved answer with `Idempotent-Replayed: true`, 402 and 500
 * too; validation failures and 429 are not saved (docs.stripe.com/error-low-level); another request is a 400.
 */
function workOnce(
  keys: IdempotencyKeys,
  key: string,
  requestId: string,
  request: SandboxRequest,
  work: () => SandboxAnswer,
): SandboxAnswer {
  if (key.length > IDEMPOTENCY_KEY_CHARACTERS_MAX) {
    return invalidRequest(
      `Idempotency keys have at most ${IDEMPOTENCY_KEY_CHARACTERS_MAX} characters, this one has ${key.length}.`,
    );
  }
  // The key space is an account's: the same key for a connected account is another one.
  const scoped = `${request.headers.get("stripe-account") ?? ""} ${key}`;
  const known = keys.recall(scoped, request);
  if (known.kind === "mismatch") {
    const message =
      "Keys for idempotent requests can only be used with the same parameters they were first used with. " +
      `Try using a key other than '${key}' if you meant to execute a different request.`;
    return stripeError(400, { type: "idempotency_error", message });
  }
  if (known.kind === "replay") {
    return { ...known.answer, headers: { ...known.answer.headers, "idempotent-replayed": "true" } };
  }
  const answer = { ...work(), headers: { "idempotency-key": key, "original-request": requestId } };
  if (answer.status < 400 || answer.status === 402 || answer.status >= 500) keys.save(scoped, request, answer);
  return answer;
}
