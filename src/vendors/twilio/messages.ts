import { type Answer, type Call, type Fields, field } from "../../core/call.ts";
import type { Micros } from "../../core/money.ts";
import { segmentCount } from "../segments.ts";
import type { Cost, Exposure, NoExposure, Pricing } from "../vendor.ts";
import {
  ceiling,
  costUnknown,
  noPrice,
  numberIn,
  objectOf,
  pricedLater,
  rejected,
  twilioPrice,
  txnOf,
} from "./money.ts";
import { MMS_RATES, type RateTable, rateFor, SMS_RATES } from "./rates.ts";

/** Twilio's limit for a message body, in characters (error 21617). */
const BODY_CHARACTERS_MAX = 1600;

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

/** Where a sender can be, whose address names its channel: `whatsapp:+14155550100`. */
const SENDERS = ["From", "FallbackFrom"] as const;

interface Quote {
  readonly ok: true;
  readonly units: number;
  readonly unitMicros: Micros;
  readonly mms: boolean;
}

/** A message costs its segments, or one MMS, at the rate of its destination. */
export function messageExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const quote = quoteMessage(call, pricing);
  return quote.ok ? ceiling(quote.unitMicros * BigInt(quote.units), 1) : quote;
}

function quoteMessage(call: Call, pricing: Pricing): Quote | NoExposure {
  const unpriced = unpricedIn(call.bodyFields) ?? unpricedIn(call.queryFields);
  if (unpriced) return costUnknown(unpriced);
  const to = field(call, "To") ?? "";
  if (to.includes(":")) return costUnknown(`messages to ${to.slice(0, to.indexOf(":"))} addresses have no rate here`);
  const recipient = numberIn(call, "To");
  if (!recipient.ok) return recipient;
  if (SENDERS.some((name) => field(call, name)?.includes(":")))
    return costUnknown("the sender is on another channel than SMS");
  const body = field(call, "Body") ?? "";
  // Characters are counted only where there are units enough for too many.
  const characters = body.length > BODY_CHARACTERS_MAX ? [...body].length : body.length;
  if (characters > BODY_CHARACTERS_MAX) {
    return rejected(`Body has ${characters} characters; Twilio takes ${BODY_CHARACTERS_MAX}`);
  }
  const mms =
    (field(call, "SendAsMms") ?? "false") !== "false" || hasMedia(call.bodyFields) || hasMedia(call.queryFields);
  if (body === "" && !mms) return rejected("the request has neither Body nor MediaUrl; a message needs one");
  return mms ? quoteUnits(to, MMS_RATES, 1, pricing) : quoteUnits(to, SMS_RATES, segmentCount(body), pricing);
}

function quoteUnits(to: string, table: RateTable, units: number, pricing: Pricing): Quote | NoExposure {
  const unitMicros = rateFor(to, table, pricing.prices);
  if (unitMicros === undefined) return noPrice(`a message to ${to.slice(0, 5)}…`, `${table.priceName}+…`);
  return { ok: true, units, unitMicros, mms: table === MMS_RATES };
}

/** Redact (an empty `Body`) or cancel, of a message that has an id: anything else could be read as a new message. */
export function refuseOtherUpdate(call: Call): NoExposure | undefined {
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

/** The parameters of a message that are lists; the parser numbers their members. */
const LISTS = /^(?:MediaUrl|PersistentAction)\[[0-9]+\]$/;

/** Why the parameters have no known price, if so. A content template decides its text at Twilio. */
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
 * the sender (twilio.com/docs/messaging/api/message-resource). It is counted by the table until Twilio tells its price.
 */
export function messageCost(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  const message = objectOf(answer.json);
  const txn = txnOf(answer.json, "sid");
  const full: Cost = { micros: exposure.micros, source: "rate_table", unreadable: true, ...txn };
  if (!message || !txn.vendorTxnId) return full;
  const price = message["price"];
  if (typeof price === "string") {
    const micros = twilioPrice(price, message["price_unit"], pricing);
    return micros === undefined ? full : { micros, source: "vendor_response", ...txn };
  }
  const quote = quoteMessage(call, pricing);
  const segments = message["num_segments"];
  if (!quote.ok || price !== null || typeof segments !== "string" || !/^[0-9]{1,4}$/.test(segments)) return full;
  const counted = Number(segments);
  const micros = quote.mms || counted === 0 ? exposure.micros : quote.unitMicros * BigInt(counted);
  const pricedLaterAt = pricedLater(call, "Messages", txn.vendorTxnId);
  return { micros, source: "rate_table", ...txn, ...(pricedLaterAt ? { pricedLaterAt } : {}) };
}
