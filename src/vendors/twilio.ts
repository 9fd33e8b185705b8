import type { Call } from "../core/call.ts";
import { isRead } from "../core/call.ts";
import type { RefusalCode } from "../core/verdict.ts";
import { reconciledTwilioCost } from "./twilio/money.ts";
import { TWILIO_OPERATIONS } from "./twilio/operations.ts";
import { TWILIO_PRICES } from "./twilio/prices.ts";
import type { AgentSnippet, Refusal, RefusalAnswer, Scope, Vendor, VendorAccount } from "./vendor.ts";

/** Products with a host of their own, by the label before `.twilio.com` (twilio-node 6.2.0, lib/rest/*Base.js). */
const PRODUCTS = (
  "accounts bulkexports chat content conversations events flex-api frontline-api iam insights intelligence ip-messaging " +
  "knowledge lookups marketplace memory messaging monitor notify numbers oauth preview preview-iam pricing proxy routes " +
  "serverless studio supersim sync taskrouter trunking trusthub verify video voice wireless"
).split(" ");

const ACCOUNT_SID = /^AC[0-9a-f]{32}$/;
/** In any letter case, as nobody knows which ones Twilio takes. */
const ANY_ACCOUNT_SID = /^AC[0-9a-f]{32}$/i;

/**
 * Twilio. What a call costs is held by dated tables and the operator's prices (`twilio/rates.ts`, `twilio/prices.ts`);
 * Twilio's own price comes later. Facts: twilio-node 6.2.0, twilio-python 9.11.0, Twilio's OpenAPI files of 2026-04.
 */
export const twilio: Vendor = {
  name: "twilio",
  title: "Twilio",
  origin: "https://api.twilio.com",
  productOrigins: Object.fromEntries(PRODUCTS.map((product) => [product, `https://${product}.twilio.com`])),
  pathOrigins: [],
  unprefixed: /^\/2010-04-01\//,
  credentialHeaders: [],
  writeCredential: ({ secret, username, accountId }) => [
    ["authorization", `Basic ${Buffer.from(`${username || accountId}:${secret}`, "utf8").toString("base64")}`],
  ],
  accountId: {
    flag: "--account-sid",
    pattern: ACCOUNT_SID,
    description: "the account SID, AC and 32 hexadecimal digits, from the first page of Twilio's console",
  },
  probePath: "/2010-04-01/Accounts/{account}.json",
  requestHeaders: ["accept-language", "x-twilio-apiversion"],
  requestIdHeader: "twilio-request-id",
  // Messages and Calls of the 2010 API know no idempotency key.
  idempotency: "never",
  bodyKinds: ["none", "form"],
  repeatableFields: new Set([
    "MediaUrl",
    "PersistentAction",
    "StatusCallbackEvent",
    "RecordingStatusCallbackEvent",
    "ConferenceStatusCallbackEvent",
    "ConferenceRecordingStatusCallbackEvent",
    "CallbackEvents",
  ]),
  // "Never processed and always safe to retry" (twilio.com/docs/api/errors/20429).
  releasedStatuses: [429],
  // The newer products write whole addresses; the 2010 API's `next_page_uri` is joined to the client's own base.
  pageLinks: {
    fields: ["next_page_url", "previous_page_url", "first_page_url"].map((name) => ["meta", name]),
  },
  prices: TWILIO_PRICES,
  operations: TWILIO_OPERATIONS,
  reconciledCost: reconciledTwilioCost,
  scope,
  refusal,
  agentLines,
  agentEnvironment: (_baseUrl, vaultKey, account) => ({
    TWILIO_ACCOUNT_SID: account.accountId,
    TWILIO_AUTH_TOKEN: alphanumeric(vaultKey),
    // The SDKs put them into the host of every address, also of one that is set: then calls go past Keybrake.
    TWILIO_EDGE: "",
    TWILIO_REGION: "",
  }),
};

function scope(call: Call, account: VendorAccount): Scope {
  const accounts = accountsOf(call, account.accountId);
  // A read's To and From are filters.
  const recipients = isRead(call.method) ? [] : valuesOf(call, RECIPIENT);
  const senders = isRead(call.method) ? [] : valuesOf(call, SENDER);
  return {
    ...(accounts.length === 0 ? {} : { accounts }),
    ...(recipients.length === 0 ? {} : { recipients }),
    ...(senders.length === 0 ? {} : { senders }),
  };
}

/** `AccountSid`, `account_sid`, `Sub_Account_Sids[0]`. */
const ACCOUNT_FIELD = /account_?sids?(?:\[[0-9]+\])?$/i;
const RECIPIENT = /^To(?:\[[0-9]+\])?$/i;
const SENDER = /^(?:From|FallbackFrom|MessagingServiceSid)$/i;

/**
 * The account in the path, of the 2010 API or within a product's, and those that parameters name (a number can be moved to
 * another account), but for `own`.
 */
function accountsOf(call: Call, own: string): readonly string[] {
  const found = new Set<string>();
  const inPath = /^\/2010-04-01\/Accounts\/([^/]+)/i.exec(call.path)?.[1];
  if (inPath !== undefined) found.add(inPath.replace(/\.(?:json|csv|xml)$/, ""));
  for (const segment of call.path.split("/")) {
    const name = segment.replace(/\.(?:json|csv|xml)$/, "");
    if (ANY_ACCOUNT_SID.test(name)) found.add(name);
  }
  for (const fields of [call.queryFields, call.bodyFields]) {
    for (const name of fields.keys()) {
      const value = fields.get(name)!;
      if (ACCOUNT_FIELD.test(name)) for (const each of value.split(",")) found.add(each.trim());
      else if (ANY_ACCOUNT_SID.test(value)) found.add(value);
    }
  }
  found.delete(own);
  return [...found];
}

function valuesOf(call: Call, name: RegExp): readonly string[] {
  const found: string[] = [];
  for (const fields of [call.queryFields, call.bodyFields]) {
    for (const sent of fields.keys()) if (name.test(sent)) found.push(fields.get(sent)!);
  }
  return found;
}

/**
 * Numbers of our own, beyond Twilio's five digits, but for the 20003 that its SDKs' users know as bad credentials.
 * 20429 is never used: Twilio documents it as always safe to retry.
 */
const CODES = {
  vendor_unknown: 900001,
  request_rejected: 900002,
  body_too_large: 900003,
  encoding_unsupported: 900004,
  key_missing: 20003,
  key_unknown: 20003,
  key_revoked: 20003,
  key_expired: 20003,
  draining: 900009,
  store_unavailable: 900010,
  vendor_not_configured: 900011,
  brake_engaged: 900012,
  endpoint_denied: 900013,
  parameter_denied: 900014,
  scope_denied: 900015,
  currency_denied: 900016,
  cost_unknown: 900017,
  amount_denied: 900018,
  idempotency_in_progress: 900019,
  idempotency_mismatch: 900020,
  rate_exceeded: 900021,
  cap_exceeded: 900022,
  upstream_unreachable: 900023,
  upstream_timeout: 900024,
} as const satisfies Record<RefusalCode, number>;

/**
 * Twilio's error shape. With `type` and `title` beside `status` and `code` the SDKs would take it for the newer
 * RFC 9457 shape and raise another class.
 */
function refusal(refused: Refusal): RefusalAnswer {
  const { code, status, message, requestId } = refused;
  const number = CODES[code];
  const moreInfo = number === 20003 ? "https://www.twilio.com/docs/errors/20003" : "https://keybrake.com/";
  return {
    status,
    headers: [
      ["content-type", "application/json"],
      ["twilio-request-id", requestId],
    ],
    body: JSON.stringify({
      code: number,
      message,
      more_info: moreInfo,
      status,
      keybrake: { code, message, ...refused.details, request_id: requestId },
    }),
  };
}

/** The field is public and undocumented; the constructors take no base URL. Region and edge must stay unset. */
function agentLines(baseUrl: string, vaultKey: string, account: VendorAccount): readonly AgentSnippet[] {
  const key = alphanumeric(vaultKey);
  return [
    {
      language: "Python",
      lines: [`client = Client("${account.accountId}", "${key}")`, `client.api.base_url = "${baseUrl}"`],
    },
    {
      language: "Node",
      lines: [`const client = twilio("${account.accountId}", "${key}");`, `client.api.baseUrl = "${baseUrl}";`],
    },
  ];
}

/** twilio-go takes letters and digits only, so the key is given without its underscores. */
function alphanumeric(vaultKey: string): string {
  return vaultKey.replaceAll("_", "");
}
