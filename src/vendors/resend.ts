import { type Call, isRead, type JsonValue } from "../core/call.ts";
import type { RefusalCode } from "../core/verdict.ts";
import { family, operation } from "./family.ts";
import {
  bareAddress,
  batchCost,
  EMAIL_PRICE,
  emailCost,
  emailExposure,
  emailsOf,
  isObject,
  recipientsOf,
  refuseOddKey,
} from "./resend-emails.ts";
import type { AgentSnippet, NoExposure, Operation, Refusal, RefusalAnswer, Scope, Vendor } from "./vendor.ts";

/** What emails are made of and addressed by. Changing it sends nothing: only broadcasts, events and emails do. */
const OBJECTS = {
  audiences: ["POST /audiences", "DELETE /audiences/*"],
  "contact-properties": ["POST /contact-properties", "PATCH /contact-properties/*", "DELETE /contact-properties/*"],
  contacts: [
    "POST /contacts",
    "PATCH /contacts/*",
    "DELETE /contacts/*",
    "POST /contacts/*/segments/*",
    "DELETE /contacts/*/segments/*",
    "PATCH /contacts/*/topics",
    // As resend-node writes them where it is given an audience.
    "POST /audiences/*/contacts",
    "PATCH /audiences/*/contacts/*",
    "DELETE /audiences/*/contacts/*",
  ],
  events: ["POST /events", "PATCH /events/*", "DELETE /events/*"],
  segments: ["POST /segments", "PATCH /segments/*", "DELETE /segments/*"],
  suppressions: [
    "POST /suppressions",
    "DELETE /suppressions/*",
    "POST /suppressions/batch/add",
    "POST /suppressions/batch/remove",
  ],
  templates: [
    "POST /templates",
    "PATCH /templates/*",
    "DELETE /templates/*",
    "POST /templates/*/duplicate",
    "POST /templates/*/publish",
  ],
  topics: ["POST /topics", "PATCH /topics/*", "DELETE /topics/*"],
} as const satisfies Record<string, readonly string[]>;

/** What can be read and holds no credential. `GET /usage` tells what is left of the plan's quota. */
const READABLE = [...Object.keys(OBJECTS), "automations", "broadcasts", "domains", "emails"];

const CLOSED: readonly Operation[] = [
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
  // Received mail too: a password reset behind a link that needs no key.
  ...family("emails.share", "closed", "write", "opens an email to whoever has the link", ["POST /emails/*/share"]),
  ...family("domains.claim", "closed", "write", "takes a domain over from another team", [
    "POST /domains/claim",
    "POST /domains/*/claim/verify",
  ]),
];

const UNKNOWN: readonly Operation[] = [
  ...family(
    "broadcasts.send",
    "unknown",
    "email",
    "sends, now or later, to a segment, whose number of contacts is not in the request",
    ["POST /broadcasts", "POST /broadcasts/*/send", "POST /broadcasts/*/duplicate", "PATCH /broadcasts/*"],
  ),
  ...family("events.send", "unknown", "email", "starts automations, which send as many emails as their steps say", [
    "POST /events/send",
  ]),
  ...family("automations", "unknown", "email", "sends an email for each step and event, which are not in the request", [
    "POST /automations",
    "POST /automations/*/duplicate",
    "PATCH /automations/*",
  ]),
  ...family("inboxes", "unknown", "email", "answers and forwards to recipients that are not in the request", [
    "POST /inboxes/**",
  ]),
  {
    ...operation("contacts.imports", "unknown", "other", "POST /contacts/imports"),
    bodyKinds: ["multipart"],
    reason: "adds contacts, by which plans are billed, from a file",
  },
];

const OPERATIONS: readonly Operation[] = [
  ...CLOSED,
  {
    ...operation("emails.send", "priced", "email", "POST /emails"),
    counts: "each address in to, cc and bcc",
    exposure: emailExposure,
    cost: emailCost,
    refuse: refuseOddKey,
  },
  {
    ...operation("emails.batch", "priced", "email", "POST /emails/batch"),
    counts: "each address of each email, without the emails that a permissive batch refuses",
    exposure: emailExposure,
    cost: batchCost,
    refuse: refuseOddKey,
  },
  ...UNKNOWN,
  // Both answer with the id alone: whether the quota gets a cancelled email's units back is not said, and so they stay counted.
  ...family("emails.update", "free", "write", undefined, ["PATCH /emails/*", "POST /emails/*/cancel"]),
  ...family("broadcasts", "free", "write", undefined, ["POST /broadcasts/*/cancel", "DELETE /broadcasts/*"]),
  ...family("automations.stop", "free", "write", undefined, ["POST /automations/*/stop", "DELETE /automations/*"]),
  ...family("domains", "free", "write", undefined, ["POST /domains", "PATCH /domains/*"]).map((each) => ({
    ...each,
    refuse: refuseReceiving,
  })),
  ...family("domains.upkeep", "free", "write", undefined, ["DELETE /domains/*", "POST /domains/*/verify"]),
  ...Object.entries(OBJECTS).flatMap(([name, routes]) => family(name, "free", "write", undefined, routes)),
  ...family("reads", "free", "read", undefined, [
    "GET /logs",
    "GET /usage",
    ...READABLE.flatMap((name) => [`GET /${name}`, `GET /${name}/**`]),
  ]),
];

/** A domain that receives: each email to it is a unit of the quota, and how many come is in nobody's request. */
function refuseReceiving({ json }: Call): NoExposure | undefined {
  const capabilities = named(json, "capabilities");
  const receives = capabilities.some(
    (each) => each !== null && (!isObject(each) || named(each, "receiving").some((value) => value !== "disabled")),
  );
  if (!receives) return undefined;
  const message =
    "Keybrake: a domain that receives is billed for every email to it, and how many come is not in the request. Leave capabilities.receiving out.";
  return { ok: false, code: "cost_unknown", message };
}

/** What stands at the top of `json` under `name`, in whatever letter case a lenient reader may take. */
function named(json: JsonValue | undefined, name: string): readonly JsonValue[] {
  return Object.entries(isObject(json) ? json : {}).flatMap(([key, value]) =>
    key.trim().toLowerCase() === name ? [value] : [],
  );
}

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
    /^\/(?:api-keys|audiences|automations|broadcasts|contact-properties|contacts|domains|emails|events|inboxes|logs|segments|suppressions|templates|topics|usage|webhooks)(?:\/|$)/,
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
  prices: [EMAIL_PRICE],
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
