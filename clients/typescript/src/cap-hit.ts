import { KeybrakeError } from "./errors.ts";

/** What Keybrake says of a cap; those that apply and that the SDK has kept. Dollars are decimal texts. */
export interface CapHitDetails {
  readonly budget?: string;
  readonly cap_usd?: string;
  readonly used_usd?: string;
  readonly requested_usd?: string;
  /** ISO 8601, UTC; absent where the cap does not start anew. */
  readonly reset_at?: string;
  readonly key_id?: string;
  readonly request_id?: string;
}

/** A cap of the vault key, or a budget above it, is reached: the call was not sent. Repeating it cannot help. */
export class CapHit extends KeybrakeError {
  override name = "CapHit";

  constructor(
    message: string,
    readonly details: CapHitDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, undefined, options);
  }
}

/**
 * The cap that `error` tells of, or undefined. It may be what an official SDK threw (stripe, twilio), what Resend's
 * answered with (`result` or `result.error`), or what was thrown with such an error as its cause.
 */
export function asCapHit(error: unknown): CapHit | undefined {
  const seen = new Set<unknown>();
  for (let at = error; isObject(at) && !seen.has(at); at = at["cause"]) {
    seen.add(at);
    const found = capHitOf(at);
    if (found) return found;
  }
  return undefined;
}

/** Whether `error` tells of a cap; see {@link asCapHit}. */
export function isCapHit(error: unknown): boolean {
  return asCapHit(error) !== undefined;
}

/** Resend's SDK throws nothing: gives its result as it is, or throws the CapHit that it tells of. */
export function unlessCapHit<T extends { readonly error: unknown }>(result: T): T {
  const found = isObject(result.error) ? capHitOf(result) : undefined;
  if (found) throw found;
  return result;
}

/** Throws CapHit where `error` itself is an SDK's that tells of a cap; what wraps one is left as it is. */
export function throwAsCapHit(error: unknown): void {
  const found = isObject(error) ? capHitOf(error) : undefined;
  if (found) throw found;
}

/** Twilio's SDK gives neither headers nor body, but this number: Keybrake's own for a cap, never one of Twilio's. */
const TWILIO_CODE = 900022;

function capHitOf(error: Readonly<Record<string, unknown>>): CapHit | undefined {
  if (error instanceof CapHit) return error;
  const response = isObject(error["response"]) ? error["response"] : {};
  const inner = isObject(error["error"]) ? error["error"] : {};
  for (const body of [error, inner, response["data"], response["body"]]) {
    const details = isObject(body) ? body["keybrake"] : undefined;
    if (isObject(details)) return details["code"] === "cap_exceeded" ? told(details, error) : undefined;
  }
  const text = textOf(error["message"]) ?? textOf(inner["message"]) ?? "";
  const isMarked = hasMark(error["headers"]) || hasMark(response["headers"]);
  const isTwilio = error["code"] === TWILIO_CODE && text.includes("Keybrake: ");
  return isMarked || isTwilio ? read(text, error) : undefined;
}

function hasMark(headers: unknown): boolean {
  if (!isObject(headers)) return false;
  if (typeof headers["get"] === "function") return headers["get"]("x-keybrake-cap-hit") === "true";
  return Object.entries(headers).some(
    ([name, value]) => name.toLowerCase() === "x-keybrake-cap-hit" && String(value) === "true",
  );
}

function told(details: Readonly<Record<string, unknown>>, cause: unknown): CapHit {
  const message = textOf(details["message"]) ?? "A cap is reached.";
  return new CapHit(message.replace(/^Keybrake: /, ""), details as CapHitDetails, { cause });
}

const SENTENCE =
  /Keybrake: (The (?:cap|budget) (\S+) is reached: (?:\$(\d+(?:\.\d+)?) of \$(\d+(?:\.\d+)?) is used and this call may cost \$(\d+(?:\.\d+)?))?.*)/s;

/** From what Keybrake writes of a cap, for SDKs that keep only the sentence. */
function read(text: string, cause: unknown): CapHit {
  const [, message, budget, used, cap, requested] = SENTENCE.exec(text) ?? [];
  if (message === undefined || budget === undefined) return new CapHit("A cap is reached.", {}, { cause });
  const reset = /It resets at (\S+Z)\./.exec(message)?.[1];
  const details: CapHitDetails = {
    budget,
    ...(used === undefined || cap === undefined || requested === undefined
      ? {}
      : { used_usd: used, cap_usd: cap, requested_usd: requested }),
    ...(reset === undefined ? {} : { reset_at: reset }),
  };
  return new CapHit(message.trim(), details, { cause });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null;
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}
