import { type Answer, type Call, type Fields, field, type JsonValue } from "../core/call.ts";
import { divideCeil, type Micros } from "../core/money.ts";
import { family, operation } from "./family.ts";
import { segmentCount } from "./segments.ts";
import { mmsRate, segmentRate } from "./twilio-rates.ts";
import type { Cost, Exposure, NoExposure, Operation, Pricing } from "./vendor.ts";

const ACCOUNT = "/2010-04-01/Accounts/*";

/** Twilio's limit for a message body, in characters (error 21617). */
const BODY_CHARACTERS_MAX = 1600;
/** E.164, and all ten digits after +1: `+1876` with fewer would be read as another country. */
const E164 = /^\+(?:1[2-9][0-9]{9}|[2-9][0-9]{6,14})$/;

/** Parameters of a message that do not change its price, with the four that this file prices by. */
const PRICED_FIELDS = new Set(
  (
    "To From FallbackFrom MessagingServiceSid Body MediaUrl SendAsMms StatusCallback ApplicationSid MaxPrice ProvideFeedback " +
    "Attempt ValidityPeriod ForceDelivery ContentRetention AddressRetention SmartEncoded PersistentAction TrafficType " +
    "ScheduleType SendAt MessageIntent"
  ).split(" "),
);
/** Parameters that cost extra unless they say no: link shortening and SMS pumping protection are billed per message. */
const HARMLESS_VALUES: ReadonlyMap<string, string> = new Map([
  ["ShortenUrls", "false"],
  ["RiskCheck", "disable"],
]);

interface Quote {
  readonly ok: true;
  readonly units: number;
  readonly unitMicros: Micros;
  readonly mms: boolean;
}

/** A message costs its segments, or one MMS, at the rate of its destination. */
function messageExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const quote = quoteMessage(call, pricing);
  if (!quote.ok) return quote;
  return {
    ok: true,
    micros: quote.unitMicros * BigInt(quote.units),
    sends: 1,
    currency: undefined,
    source: "rate_table",
  };
}

function quoteMessage(call: Call, pricing: Pricing): Quote | NoExposure {
  const unpriced = unpricedField(call);
  if (unpriced) return costUnknown(unpriced);
  const to = field(call, "To");
  if (to === undefined) return rejected("the request has no To; a message needs a number like +14155550100");
  if (to.includes(":")) return costUnknown(`messages to ${to.slice(0, to.indexOf(":"))} addresses have no rate here`);
  if (!E164.test(to)) {
    return rejected(`To is ${JSON.stringify(to.slice(0, 40))}; write the number in E.164, as in +14155550100`);
  }
  if (field(call, "From")?.includes(":")) return costUnknown("the sender is on another channel than SMS");
  const body = field(call, "Body") ?? "";
  // Characters are counted only where there are units enough for too many.
  const characters = body.length > BODY_CHARACTERS_MAX ? [...body].length : body.length;
  if (characters > BODY_CHARACTERS_MAX) {
    return rejected(`Body has ${characters} characters; Twilio takes ${BODY_CHARACTERS_MAX}`);
  }
  const mms =
    (field(call, "SendAsMms") ?? "false") !== "false" || hasMedia(call.bodyFields) || hasMedia(call.queryFields);
  if (body === "" && !mms) return rejected("the request has neither Body nor MediaUrl; a message needs one");
  return mms ? quoteMms(to, pricing) : quoteSms(to, body, pricing);
}

/** Redact (an empty `Body`) or cancel, of a message that has an id: anything else could be read as a new message. */
function refuseOtherUpdate(call: Call): NoExposure | undefined {
  const hasId = /\/Messages\/(?:SM|MM)[0-9a-fA-F]{32}(?:\.json)?$/.test(call.path);
  const other = [...call.queryFields, ...call.bodyFields].find(
    ([name, value]) => !(name === "Body" && value === "") && !(name === "Status" && value === "canceled"),
  );
  if (hasId && !other) return undefined;
  return costUnknown(other ? `an update of a message takes no ${other[0].slice(0, 60)}` : "the path names no message");
}

/** In whatever way it is numbered: what could be read as a medium is charged as one. */
function hasMedia(fields: Fields): boolean {
  for (const name of fields.keys()) if (name.startsWith("MediaUrl")) return true;
  return false;
}

function quoteSms(to: string, body: string, pricing: Pricing): Quote | NoExposure {
  const unitMicros = segmentRate(to, pricing.prices);
  if (unitMicros === undefined) return noRate(to, "twilio.sms.");
  return { ok: true, units: segmentCount(body), unitMicros, mms: false };
}

function quoteMms(to: string, pricing: Pricing): Quote | NoExposure {
  const unitMicros = mmsRate(to, pricing.prices);
  return unitMicros === undefined ? noRate(to, "twilio.mms.") : { ok: true, units: 1, unitMicros, mms: true };
}

function noRate(to: string, priceName: string): NoExposure {
  return costUnknown(
    `there is no rate for ${to.slice(0, 5)}…; an operator can set prices."${priceName}+…" with the longest prefix wanted in keybrake.yaml`,
  );
}

/** Why the parameters have no known price, if so. A content template decides its text at Twilio. */
function unpricedField(call: Call): string | undefined {
  return unpricedIn(call.bodyFields) ?? unpricedIn(call.queryFields);
}

/** The parameters of a message that are lists; the parser numbers their members. */
const LISTS = /^(?:MediaUrl|PersistentAction)\[[0-9]+\]$/;

function unpricedIn(fields: Fields): string | undefined {
  for (const sent of fields.keys()) {
    const name = LISTS.test(sent) ? sent.slice(0, sent.indexOf("[")) : sent;
    if (name.startsWith("Content") && name !== "ContentRetention") return `${name} makes Twilio write the message`;
    if (PRICED_FIELDS.has(name) || HARMLESS_VALUES.get(name) === fields.get(sent)) continue;
    return `the parameter ${name.slice(0, 60)} may change what a message costs`;
  }
  return undefined;
}

/**
 * A new message has `price: null`, `num_segments` as a string, and "0" segments where a Messaging Service has yet to choose
 * the sender (twilio.com/docs/messaging/api/message-resource). A price is negative and in `price_unit`.
 */
function messageCost(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  const message = objectOf(answer.json);
  const sid = message?.["sid"];
  const txn = typeof sid === "string" && /^[A-Z]{2}[0-9a-f]{32}$/.test(sid) ? { vendorTxnId: sid } : undefined;
  const inFull: Cost = { micros: exposure.micros, source: "rate_table", unreadable: true, ...txn };
  if (!message || !txn) return inFull;
  const price = message["price"];
  if (typeof price === "string") {
    const micros = String(message["price_unit"]).toUpperCase() === "USD" ? decimalMicros(price) : undefined;
    return micros === undefined ? inFull : { micros, source: "vendor_response", ...txn };
  }
  const quote = quoteMessage(call, pricing);
  const segments = message["num_segments"];
  if (!quote.ok || price !== null || typeof segments !== "string" || !/^[0-9]{1,4}$/.test(segments)) return inFull;
  const counted = Number(segments);
  const micros = quote.mms || counted === 0 ? exposure.micros : quote.unitMicros * BigInt(counted);
  return { micros, source: "rate_table", ...txn };
}

/** `-0.00750` → 7500n, without its sign and rounded up. */
function decimalMicros(text: string): Micros | undefined {
  const match = /^-?([0-9]{1,9})(?:\.([0-9]{1,12}))?$/.exec(text);
  if (!match) return undefined;
  return divideCeil(BigInt(match[1]! + (match[2] ?? "").padEnd(12, "0")), 1_000_000n);
}

function objectOf(json: JsonValue | undefined): { readonly [key: string]: JsonValue } | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as { readonly [key: string]: JsonValue })
    : undefined;
}

function costUnknown(why: string): NoExposure {
  return {
    ok: false,
    code: "cost_unknown",
    message: `Keybrake: what this message may cost at most cannot be known: ${why}.`,
  };
}

function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}

/** Every representation of a resource, as Twilio answers `X` (XML), `X.json` and `X.csv` alike, and all below it. */
function everyForm(path: string): string[] {
  return [path, `${path}*`, `${path}/**`];
}

/** Resources whose reads tell what there is and cost nothing; a new one is unknown until it stands here. */
const READABLE =
  "Addresses Applications AuthorizedConnectApps AvailablePhoneNumbers Balance Calls Conferences ConnectApps IncomingPhoneNumbers " +
  "Messages Notifications OutgoingCallerIds Queues Recordings SIP SMS Transcriptions Usage";

const CLOSED: readonly Operation[] = [
  ...family("accounts", "closed", "write", "returns the account's auth token, opens accounts or closes them", [
    "* /2010-04-01/Accounts",
    "* /2010-04-01/Accounts*",
    `* ${ACCOUNT}`,
  ]),
  ...family("keys", "closed", "write", "returns the secret of an API key or decides which keys are valid", [
    ...["Keys", "SigningKeys", "Tokens"].flatMap((name) => everyForm(`* ${ACCOUNT}/${name}`)),
    "* /accounts/**",
    "* /iam/**",
    "* /preview-iam/**",
    "* /oauth/**",
    "* /verify/v2/Services/*/AccessTokens",
    "* /verify/v2/Services/*/AccessTokens/*",
  ]),
  ...family("sip", "closed", "write", "sets the passwords with which calls are placed without this proxy", [
    `POST ${ACCOUNT}/SIP/**`,
    `DELETE ${ACCOUNT}/SIP/**`,
  ]),
];

const FREE: readonly Operation[] = [
  // An update can only cancel what has not been sent or redact what has.
  {
    name: "messages.update",
    route: `POST ${ACCOUNT}/Messages/*`,
    class: "free",
    kind: "write",
    refuse: refuseOtherUpdate,
  },
  ...family("messages.records", "free", "write", undefined, [
    `POST ${ACCOUNT}/Messages/*/Feedback.json`,
    `DELETE ${ACCOUNT}/Messages/*`,
    `DELETE ${ACCOUNT}/Messages/*/Media/*`,
  ]),
  ...family("records", "free", "write", undefined, [
    `DELETE ${ACCOUNT}/Calls/*`,
    `DELETE ${ACCOUNT}/Recordings/**`,
    `DELETE ${ACCOUNT}/Calls/*/Recordings/*`,
    `DELETE ${ACCOUNT}/Conferences/*/Recordings/*`,
    `DELETE ${ACCOUNT}/Transcriptions/*`,
    `DELETE ${ACCOUNT}/OutgoingCallerIds/*`,
    `POST ${ACCOUNT}/OutgoingCallerIds/*`,
    `POST ${ACCOUNT}/Addresses.json`,
    `POST ${ACCOUNT}/Addresses/*`,
    `DELETE ${ACCOUNT}/Addresses/*`,
    `POST ${ACCOUNT}/Queues.json`,
    `POST ${ACCOUNT}/Queues/*`,
    `DELETE ${ACCOUNT}/Queues/*`,
  ]),
  ...family("reads", "free", "read", undefined, [
    ...READABLE.split(" ").flatMap((name) => everyForm(`GET ${ACCOUNT}/${name}`)),
    "GET /messaging/v1/**",
    "GET /verify/v2/**",
    "GET /pricing/**",
    "GET /lookups/v2/RateLimits",
    "GET /lookups/v2/RateLimits/**",
  ]),
];

const UNKNOWN: readonly Operation[] = [
  // TimeLimit bounds one leg only: the TwiML that answers can dial, record and transcribe at further cost.
  ...family("calls.create", "unknown", "call", "runs instructions that can dial further numbers at further cost", [
    `POST ${ACCOUNT}/Calls.json`,
    `POST ${ACCOUNT}/Calls/**`,
    `POST ${ACCOUNT}/Conferences/**`,
  ]),
  ...family("incoming_phone_numbers", "unknown", "write", "buys a number by the month, gives one up or redirects it", [
    `POST ${ACCOUNT}/IncomingPhoneNumbers.json`,
    `POST ${ACCOUNT}/IncomingPhoneNumbers/**`,
    `DELETE ${ACCOUNT}/IncomingPhoneNumbers/**`,
  ]),
  ...family("verify", "unknown", "message", "is billed per verification and message, by rates of the account", [
    "* /verify/v2/**",
  ]),
  ...family("lookups", "unknown", "read", "is billed per look-up and data package, also as a GET", [
    "* /lookups/v2/**",
  ]),
  ...family("messaging", "unknown", "write", "changes senders, their compliance fees or where messages go", [
    "* /messaging/v1/**",
  ]),
];

/** Every operation of Twilio's that is told apart, the deciding one first; any other is unknown. */
export const TWILIO_OPERATIONS: readonly Operation[] = [
  ...CLOSED,
  {
    ...operation("messages.create", "priced", "message", `POST ${ACCOUNT}/Messages.json`),
    exposure: messageExposure,
    cost: messageCost,
  },
  ...FREE,
  ...UNKNOWN,
];
