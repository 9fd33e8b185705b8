import { type Call, type Fields, field } from "../core/call.ts";
import type { RefusalCode } from "../core/verdict.ts";
import { STRIPE_PRICES } from "./stripe/prices.ts";
import { STRIPE_OPERATIONS } from "./stripe-operations.ts";
import type { AgentSnippet, NoExposure, Refusal, RefusalAnswer, Scope, Vendor } from "./vendor.ts";

/**
 * Stripe. Amounts are in the request, or looked up in the objects that it names; what was moved is read from the answer.
 * v1 takes forms, v2 JSON. Its operations are tables by area, in `stripe/`. Facts: stripe-node 23.1.0 (API 2026-10-28),
 * docs.stripe.com/api.
 */
export const stripe: Vendor = {
  name: "stripe",
  title: "Stripe",
  origin: "https://api.stripe.com",
  productOrigins: {},
  // stripe-node has one `host` for all of these, so they arrive under one.
  pathOrigins: [
    { pattern: /^\/v1\/files$/, origin: "https://files.stripe.com", method: "POST" },
    { pattern: /^\/v1\/files\/[^/]+\/contents$/, origin: "https://files.stripe.com" },
    { pattern: /^\/v1\/quotes\/[^/]+\/pdf$/, origin: "https://files.stripe.com" },
    { pattern: /^\/oauth\//, origin: "https://connect.stripe.com" },
    { pattern: /^\/v2\/billing\/meter_event_stream$/, origin: "https://meter-events.stripe.com" },
  ],
  unprefixed: /^\/(?:v1|v2|oauth)(?:\/|$)/,
  credentialHeaders: [],
  writeCredential: ({ secret }) => [["authorization", `Bearer ${secret}`]],
  probePath: "/v1/balance",
  requestHeaders: [
    "stripe-version",
    "stripe-account",
    "stripe-context",
    "x-stripe-client-user-agent",
    "x-stripe-client-telemetry",
  ],
  requestIdHeader: "request-id",
  noticeHeader: "stripe-notice",
  idempotency: "always",
  bodyKinds: ["none", "form"],
  // Lists are written `x[]` or `x[0]`; the form grammar reads those by itself.
  repeatableFields: new Set(),
  // stripe-go 85 and 86: sets the body after the request is made, so that net/http does not know its length.
  chunkedBodies: true,
  // 402 is a decline. 429 comes before the idempotency layer (docs.stripe.com/error-low-level): nothing was tried.
  releasedStatuses: [402, 429],
  prices: STRIPE_PRICES,
  operations: STRIPE_OPERATIONS.map((operation) => ({ ...operation, refuse: refuseRevealing })),
  scope,
  refusal,
  agentLines,
  agentEnvironment: (baseUrl, vaultKey) => ({
    // No Stripe SDK reads the environment; these are the names that applications read and pass on.
    STRIPE_API_KEY: vaultKey,
    STRIPE_SECRET_KEY: vaultKey,
    STRIPE_API_BASE: baseUrl,
  }),
};

function scope(call: Call): Scope {
  const customer = pathSegmentAfter(call.path, "/v1/customers/") ?? field(call, "customer");
  const accounts = accountsOf(call);
  if (accounts.length === 0) return customer === undefined ? NO_SCOPE : { customer };
  return customer === undefined ? { accounts } : { customer, accounts };
}

const NO_SCOPE: Scope = {};

/** Names of parameters, or last keys of nested ones, whose value is an account (docs.stripe.com/connect). */
const ACCOUNT_PARAMETERS: ReadonlySet<string> = new Set([
  "account",
  "destination",
  "on_behalf_of",
  "stripe_account",
  "connected_account",
]);
/** Free text of the caller's own. */
const METADATA = /^metadata\[|\[metadata\]/;

/** Every account that the call names: headers, path, parameters that take one, and whatever looks like one elsewhere. */
function accountsOf(call: Call): readonly string[] {
  const found: string[] = [];
  const account = call.headers.get("stripe-account");
  if (account !== undefined) found.push(account);
  const context = call.headers.get("stripe-context");
  if (context !== undefined) found.push(context);
  const inPath = pathSegmentAfter(call.path, "/v1/accounts/") ?? pathSegmentAfter(call.path, "/v2/core/accounts/");
  if (inPath !== undefined) found.push(inPath);
  if (call.path.includes("/acct_")) {
    for (const segment of call.path.split("/")) if (segment.startsWith("acct_")) found.push(segment);
  }
  addAccountFields(found, call.queryFields, call);
  addAccountFields(found, call.bodyFields, call);
  return found.length < 2 ? found : [...new Set(found)];
}

function addAccountFields(found: string[], fields: Fields, call: Call): void {
  if (fields.size === 0) return;
  for (const name of fields.keys()) {
    const value = fields.get(name)!;
    // A payout's destination is a bank account or card of the account itself.
    const ownBank = name === "destination" && call.path === "/v1/payouts";
    const isAccount = value.startsWith("acct_") || (ACCOUNT_PARAMETERS.has(lastKey(name)) && !ownBank);
    if (isAccount && value !== "" && !METADATA.test(name)) found.push(value);
  }
}

/** `destination` of `transfer_data[destination]`. */
function lastKey(name: string): string {
  const end = name.endsWith("]") ? name.length - 1 : name.length;
  const bracket = name.lastIndexOf("[");
  return bracket === -1 && end === name.length ? name : name.slice(bracket + 1, end);
}

function pathSegmentAfter(path: string, prefix: string): string | undefined {
  if (!path.startsWith(prefix)) return undefined;
  const segment = path.slice(prefix.length).split("/", 1)[0]!;
  return segment === "search" ? undefined : segment;
}

/**
 * `expand[]=number` and `cvc` make Stripe write an Issuing card's number into any answer that holds the card
 * (docs.stripe.com/issuing/cards/virtual), `account_number` that of a bank account; `include` does it for v2's secrets.
 */
function refuseRevealing(call: Call): NoExposure | undefined {
  return revealingIn(call.queryFields) ?? revealingIn(call.bodyFields);
}

function revealingIn(fields: Fields): NoExposure | undefined {
  if (fields.size === 0) return undefined;
  for (const name of fields.keys()) {
    if (!isExpansion(name)) continue;
    const value = fields.get(name)!;
    const revealed = value.split(/[.,\s]/).find((part) => /^(?:number|cvc|account_number|signing_secret)$/i.test(part));
    if (revealed === undefined) continue;
    const message = `Keybrake: ${name}=${value.slice(0, 60)} would reveal a ${revealed}; leave it out.`;
    return { ok: false, code: "endpoint_denied", message };
  }
  return undefined;
}

/** The first letter is looked at first: this is asked of every field of every call. */
function isExpansion(name: string): boolean {
  const first = name.charCodeAt(0) | 0x20;
  return (first === LETTER_E || first === LETTER_I) && /^(?:expand|include)\b/i.test(name);
}

const LETTER_E = 0x65;
const LETTER_I = 0x69;

/**
 * Stripe's error shape. A body without a top-level `error` resolves as success in stripe-node, whatever its status;
 * `Stripe-Should-Retry` settles what the status alone would leave to the SDKs, which retry 409 and 5xx by themselves.
 * stripe-go retries by `code: lock_timeout` only, which is never sent.
 */
function refusal(refused: Refusal): RefusalAnswer {
  const { code, status, message, requestId, mayRetry } = refused;
  return {
    status,
    headers: [
      ["content-type", "application/json"],
      ["request-id", requestId],
      ["stripe-should-retry", String(mayRetry)],
    ],
    body: JSON.stringify({
      error: { type: errorType(code, status), code: `keybrake_${code}`, message },
      keybrake: { code, message, ...refused.details, request_id: requestId },
    }),
  };
}

/** One of the four documented types: stripe-go leaves any other untyped, stripe-node up to 20 calls it unknown. */
function errorType(code: RefusalCode, status: number): string {
  if (code === "idempotency_mismatch") return "idempotency_error";
  return status >= 500 ? "api_error" : "invalid_request_error";
}

/** stripe-node takes no path prefix on Node, only host, port and protocol: the vendor then comes from the key. */
function agentLines(baseUrl: string, vaultKey: string): readonly AgentSnippet[] {
  const url = new URL(baseUrl);
  const protocol = url.protocol.slice(0, -1);
  const port = url.port === "" ? (protocol === "https" ? 443 : 80) : Number(url.port);
  return [
    { language: "Python", lines: [`stripe.api_key = "${vaultKey}"`, `stripe.api_base = "${baseUrl}"`] },
    {
      language: "Node",
      lines: [`new Stripe("${vaultKey}", { host: "${url.hostname}", port: ${port}, protocol: "${protocol}" })`],
    },
  ];
}
