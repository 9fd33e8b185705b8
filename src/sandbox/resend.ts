import type { Clock } from "../core/clock.ts";
import { bearerToken, sameCredential } from "./credential.ts";
import { answerOf, Refusal, type SandboxAnswer, type SandboxRequest, type SandboxVendor } from "./exchange.ts";
import { failureIn, perform } from "./failure.ts";
import { IdempotencyKeys } from "./idempotency.ts";
import { ObjectStore } from "./object-store.ts";
import { emailRoutes, type ResendCall } from "./resend/emails.ts";
import { readJson, resendError, subjectsIn } from "./resend/payload.ts";
import { findOperation, type Routes } from "./route.ts";

const IDEMPOTENCY_KEY_CHARACTERS_MAX = 256;

const ROUTES: Routes<ResendCall> = {
  ...emailRoutes,
  "GET /domains": () => ({ status: 200, json: { object: "list", has_more: false, data: [] } }),
};

/**
 * Resend's emails: one, a batch, look-up, reschedule, cancel. An email is `sent` at first and `delivered` two seconds of the
 * clock later; Resend's own test addresses (`bounced@resend.dev`, …) end as they say.
 */
export function resendSandbox(clock: Clock, key: string): SandboxVendor {
  const emails: ResendCall["emails"] = new ObjectStore();
  const keys = new IdempotencyKeys(clock);

  const work = (request: SandboxRequest): SandboxAnswer => {
    const operation = findOperation(ROUTES, request.method, request.path);
    if (!operation) return resendError(404, "not_found", `The requested endpoint does not exist: ${request.path}`);
    const payload = readJson(request);
    const failure = subjectsIn(payload).map(failureIn).find(Boolean);
    const permissive = request.headers.get("x-batch-validation") === "permissive";
    return perform(failure, fault, () => operation({ clock, emails, query: request.query, payload, permissive }));
  };

  return {
    fault,
    answer: (request) =>
      answerOf(() => {
        checkKey(request, key);
        const idempotencyKey = request.headers.get("idempotency-key");
        const sends = request.method === "POST" && /^\/emails(\/batch)?$/.test(request.path);
        if (idempotencyKey === undefined || !sends) return work(request);
        return sendOnce(keys, idempotencyKey, request, work);
      }),
  };
}

function fault(status: number, message: string): SandboxAnswer {
  if (status === 429) return resendError(429, "rate_limit_exceeded", message);
  return resendError(status, status >= 500 ? "internal_server_error" : "validation_error", message);
}

/** The wrong key is a `validation_error` in the running API, whatever its documentation says (resend-node#617). */
function checkKey(request: SandboxRequest, key: string): void {
  const presented = bearerToken(request.headers.get("authorization"));
  if (presented === undefined) throw new Refusal(resendError(401, "missing_api_key", "Missing API Key"));
  if (!sameCredential(presented, key)) throw new Refusal(resendError(401, "validation_error", "API key is invalid"));
}

/** The same key and payload gets the same ids for 24 h; another payload is a 409. Only what was sent is remembered. */
function sendOnce(
  keys: IdempotencyKeys,
  key: string,
  request: SandboxRequest,
  work: (request: SandboxRequest) => SandboxAnswer,
): SandboxAnswer {
  if (key.length < 1 || key.length > IDEMPOTENCY_KEY_CHARACTERS_MAX) {
    const message = `The idempotency key must be between 1 and ${IDEMPOTENCY_KEY_CHARACTERS_MAX} characters, this one has ${key.length}.`;
    return resendError(400, "invalid_idempotency_key", message);
  }
  const known = keys.recall(key, request);
  if (known.kind === "replay") return known.answer;
  if (known.kind === "mismatch") {
    const message = "This idempotency key has been used on a request that had a different payload.";
    return resendError(409, "invalid_idempotent_request", message);
  }
  const answer = work(request);
  if (answer.status < 400) keys.save(key, request, answer);
  return answer;
}
