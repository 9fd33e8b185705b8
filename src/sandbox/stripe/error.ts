import type { JsonValue } from "../../core/call.ts";
import { Refusal, type SandboxAnswer } from "../exchange.ts";

export type StripeErrorBody = {
  readonly type: "api_error" | "card_error" | "idempotency_error" | "invalid_request_error";
  readonly message: string;
  readonly code?: string;
  readonly decline_code?: string;
  readonly param?: string;
  readonly charge?: string;
  readonly payment_intent?: JsonValue;
};

/** `{"error": {…}}`; stripe-node takes a body without that key for a success, whatever the status. */
export function stripeError(status: number, body: StripeErrorBody): SandboxAnswer {
  const docUrl = body.code === undefined ? {} : { doc_url: `https://stripe.com/docs/error-codes/${body.code}` };
  return { status, json: { error: { ...definedOnly(body), ...docUrl } } };
}

function definedOnly(body: StripeErrorBody): Record<string, JsonValue> {
  const kept: Record<string, JsonValue> = {};
  for (const [name, value] of Object.entries(body)) if (value !== undefined) kept[name] = value;
  return kept;
}

/** 400 for a request that Stripe would not take. */
export function invalidRequest(message: string, param?: string, code?: string): SandboxAnswer {
  return stripeError(400, {
    type: "invalid_request_error",
    message,
    ...(param === undefined ? {} : { param }),
    ...(code === undefined ? {} : { code }),
  });
}

/** @throws Refusal always: 400. */
export function refuse(message: string, param?: string, code?: string): never {
  throw new Refusal(invalidRequest(message, param, code));
}

/** @throws Refusal always: 404 for an id that names nothing. */
export function refuseMissing(object: string, id: string, param: string): never {
  const message = `No such ${object}: '${id}'`;
  throw new Refusal(stripeError(404, { type: "invalid_request_error", code: "resource_missing", param, message }));
}
