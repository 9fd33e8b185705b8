import { type Call, isRead, type JsonValue } from "../core/call.ts";
import type { RefusalCode } from "../core/verdict.ts";
import { family, operation } from "./family.ts";
import { bareAddress, batchCost, emailCost, emailExposure, emailsOf, isObject, recipientsOf } from "./resend-emails.ts";
import type { AgentSnippet, Operation, Refusal, RefusalAnswer, Scope, Vendor } from "./vendor.ts";

/** What emails are made and sent with: changing it sends nothing. */
const LISTS = "audiences contact-properties contacts domains segments suppressions templates topics".split(" ");

const OPERATIONS: readonly Operation[] = [
  ...family("api_keys", "closed", "write", "returns an API key or decides which are valid", [
    "* /api-keys",
    "* /api-keys/**",
  ]),
  ...family("webhooks", "closed", "write", "returns a signing secret and decides who is told of every event", [
    "* /webhooks",
    "* /webhooks/**",
  ]),
  ...family("oauth", "closed", "write", "decides which applications have access", ["* /oauth/**"]),
  // A stored answer of POST /api-keys has the key in it.
  ...family("logs.retrieve", "closed", "read", "returns the bodies of earlier requests and answers", ["GET /logs/**"]),
  {
    ...operation("emails.send", "priced", "email", "POST /emails"),
    exposure: emailExposure,
    cost: emailCost,
  },
  {
    ...operation("emails.batch", "priced", "email", "POST /emails/batch"),
    exposure: emailExposure,
    cost: batchCost,
  },
  ...family("emails.update", "free", "write", undefined, ["PATCH /emails/*", "POST /emails/*/cancel"]),
  ...family("emails.share", "unknown", "write", "makes an email public under a link", ["POST /emails/*/share"]),
  ...family("broadcasts", "free", "write", undefined, ["POST /broadcasts/*/cancel", "DELETE /broadcasts/*"]),
  ...family(
    "broadcasts.send",
    "unknown",
    "email",
    "sends to a segment, whose number of contacts is not in the request",
    ["POST /broadcasts", "POST /broadcasts/*/send", "PATCH /broadcasts/*"],
  ),
  ...family("automations", "free", "write", undefined, ["POST /automations/*/stop", "DELETE /automations/*"]),
  ...family("events.send", "unknown", "email", "starts automations, which send as many emails as they say", [
    "POST /events/send",
    "POST /automations",
    "POST /automations/*/duplicate",
    "PATCH /automations/*",
  ]),
  ...family("contacts.imports", "unknown", "write", "adds contacts, by which plans are billed, from a file", [
    "POST /contacts/imports",
  ]),
  ...family("domains.claim", "unknown", "write", "takes a domain over from another team", [
    "POST /domains/claim",
    "POST /domains/*/claim/verify",
  ]),
  ...family("lists", "free", "write", undefined, [
    ...[...LISTS, "events"].flatMap((name) => [`POST /${name}`, `PATCH /${name}/*`, `DELETE /${name}/*`]),
    "POST /contacts/*/segments/*",
    "DELETE /contacts/*/segments/*",
    "PATCH /contacts/*/topics",
    "POST /domains/*/verify",
    "POST /suppressions/batch/*",
    "POST /templates/*/duplicate",
    "POST /templates/*/publish",
  ]),
  ...family("reads", "free", "read", undefined, [
    "GET /logs",
    ...[...LISTS, "automations", "broadcasts", "emails", "events"].flatMap((name) => [
      `GET /${name}`,
      `GET /${name}/**`,
    ]),
  ]),
];

/**
 * Resend. Each recipient of an email is one unit of the plan's quota (resend.com/docs/knowledge-base/account-quotas-and-limits),
 * so that is what is counted and priced. Facts: resend-node 6.38.0, Resend's OpenAPI file of 2026-08.
 */
export const resend: Vendor = {
  name: "resend",
  title: "Resend",
  origin: "https://api.resend.com",
  productOrigins: {},
  pathOrigins: [],
  // Without /oauth, which is Stripe's where no prefix tells the two apart.
  unprefixed:
    /^\/(?:api-keys|audiences|automations|broadcasts|contact-properties|contacts|domains|emails|events|logs|segments|suppressions|templates|topics|webhooks)(?:\/|$)/,
  credentialHeaders: [],
  writeCredential: ({ secret }) => [["authorization", `Bearer ${secret}`]],
  probePath: "/domains",
  requestHeaders: ["x-batch-validation"],
  requestIdHeader: undefined,
  // Only what the client sends, of 1 to 256 characters (resend.com/docs/dashboard/emails/idempotency-keys).
  idempotency: "passed",
  bodyKinds: ["none", "json"],
  repeatableFields: new Set(),
  releasedStatuses: [429],
  operations: OPERATIONS,
  scope,
  refusal,
  agentLines,
  agentEnvironment: (baseUrl, vaultKey) => ({
    RESEND_API_KEY: vaultKey,
    RESEND_BASE_URL: baseUrl, // resend-node, resend-go
    RESEND_API_URL: baseUrl, // resend-python
  }),
};

function scope(call: Call): Scope {
  if (isRead(call.method)) return {};
  const emails = call.path === "/events/send" ? [{ to: stringAt(call.json, "email") }] : emailsOf(call);
  if ("ok" in emails) return {};
  const recipients = emails.flatMap((email) => {
    const found = recipientsOf(email);
    return found.ok ? found.addresses : [];
  });
  const senders = emails.flatMap((email) => bareAddress(stringAt(email, "from") ?? "") ?? []);
  return {
    ...(recipients.length === 0 ? {} : { recipients }),
    ...(senders.length === 0 ? {} : { senders }),
  };
}

function stringAt(json: JsonValue | undefined, name: string): string | null {
  const value = isObject(json) ? json[name] : undefined;
  return typeof value === "string" ? value : null;
}

/**
 * Resend's names, by which resend-python picks its class together with the status. `missing_api_key` is not among them:
 * resend-python replaces that one's message by its own.
 */
const NAMES = {
  vendor_unknown: "not_found",
  request_rejected: "validation_error",
  body_too_large: "validation_error",
  encoding_unsupported: "validation_error",
  key_missing: "invalid_api_key",
  key_unknown: "invalid_api_key",
  key_revoked: "invalid_api_key",
  key_expired: "invalid_api_key",
  draining: "internal_server_error",
  store_unavailable: "internal_server_error",
  vendor_not_configured: "application_error",
  brake_engaged: "restricted_api_key",
  endpoint_denied: "restricted_api_key",
  parameter_denied: "invalid_parameter",
  scope_denied: "restricted_api_key",
  currency_denied: "restricted_api_key",
  cost_unknown: "restricted_api_key",
  amount_denied: "restricted_api_key",
  idempotency_in_progress: "concurrent_idempotent_requests",
  idempotency_mismatch: "invalid_idempotent_request",
  rate_exceeded: "rate_limit_exceeded",
  cap_exceeded: "daily_quota_exceeded",
  upstream_unreachable: "application_error",
  upstream_timeout: "application_error",
} as const satisfies Record<RefusalCode, string>;

/** Resend's error shape; resend-node hands the whole body to the caller as `error`. */
function refusal(refused: Refusal): RefusalAnswer {
  const { code, status, message, requestId } = refused;
  return {
    status,
    headers: [["content-type", "application/json"]],
    body: JSON.stringify({
      statusCode: status,
      name: NAMES[code],
      message,
      keybrake: { code, message, ...refused.details, request_id: requestId },
    }),
  };
}

function agentLines(baseUrl: string, vaultKey: string): readonly AgentSnippet[] {
  return [
    { language: "Python", lines: [`resend.api_key = "${vaultKey}"`, `resend.api_url = "${baseUrl}"`] },
    { language: "Node", lines: [`new Resend("${vaultKey}", { baseUrl: "${baseUrl}" })`] },
  ];
}
