import { type Call, field } from "../../core/call.ts";
import type { Exposure, NoExposure, Pricing } from "../vendor.ts";
import { ceiling, costUnknown, noPrice, numberIn, type Priced, priced, strangeField, sumOf } from "./money.ts";
import { NUMBER_RATES, rateFor, VOICE_RATES } from "./rates.ts";

/** +1's area codes whose callee pays (CRTC and FCC: 8XX with a repeated digit). */
const TOLL_FREE = /^8(?:00|33|44|55|66|77|88)$/;

/** What neither costs nor decides where calls and messages go. */
const HARMLESS =
  "ApiVersion FriendlyName StatusCallback StatusCallbackMethod AddressSid IdentitySid BundleSid VoiceReceiveMode";
/**
 * Where calls and messages go that arrive: a caller can then make the account dial, so these have a price of their own,
 * "twilio.number.routing".
 */
const ROUTING =
  "VoiceUrl VoiceMethod VoiceFallbackUrl VoiceFallbackMethod VoiceApplicationSid SmsUrl SmsMethod SmsFallbackUrl " +
  "SmsFallbackMethod SmsApplicationSid SmsStatusCallback MessageStatusCallback TrunkSid RcsUrl";
const UPDATE_FIELDS = new Set(`${HARMLESS} ${ROUTING}`.split(" "));
const PURCHASE_FIELDS = new Set(`${HARMLESS} ${ROUTING} PhoneNumber AreaCode`.split(" "));
const ROUTING_FIELDS = new Set(ROUTING.split(" "));

/** A number costs its month at once (support.twilio.com 223182908), and then each month until it is given up. */
export function numberExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const strange = strangeField(call, PURCHASE_FIELDS);
  if (strange) return costUnknown(`the parameter ${strange} may change what a number costs`);
  const sum = sumOf([monthOf(call, pricing), routing(call, pricing)]);
  return sum.ok ? ceiling(sum.micros) : sum;
}

/** A change of a number, a short code or an application. */
export function routingExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const strange = strangeField(call, UPDATE_FIELDS);
  if (strange) return costUnknown(`the parameter ${strange} may change what it costs`);
  const price = routing(call, pricing);
  return price.ok ? ceiling(price.micros) : price;
}

/** Of a messaging service: where the messages go that arrive at its numbers. */
const INBOUND = /^(?:InboundRequestUrl|FallbackUrl)$/i;

/** A service by its id: what else stands there (`PreregisteredUsa2p`) has a price, in whatever letter case. */
const SERVICES = /^\/messaging\/v1\/Services(?:\/MG[0-9A-Za-z]+)?$/;

/** The TwiML at such an address answers every message that arrives, with as many as it likes. */
export function refuseInbound(call: Call): NoExposure | undefined {
  if (!SERVICES.test(call.path)) return costUnknown("the path names no messaging service by its id");
  const inbound = [...call.bodyFields, ...call.queryFields].find(([name, value]) => INBOUND.test(name) && value !== "");
  return inbound && costUnknown(`${inbound[0]} leads messages that arrive to instructions, which can send others`);
}

function monthOf(call: Call, pricing: Pricing): Priced {
  const areaCode = field(call, "AreaCode");
  if (areaCode !== undefined && field(call, "PhoneNumber") === undefined) {
    if (!/^[2-9][0-9]{2}$/.test(areaCode)) return costUnknown("AreaCode is not three digits of an area code");
    return monthAt(`+1${areaCode}`, areaCode, pricing);
  }
  const chosen = numberIn(call, "PhoneNumber");
  return chosen.ok ? monthAt(chosen.number, chosen.number.slice(2, 5), pricing) : chosen;
}

function monthAt(number: string, areaCode: string, pricing: Pricing): Priced {
  const own = rateFor(number, NUMBER_RATES, pricing.prices);
  if (own !== undefined) return { ok: true, micros: own };
  // The area codes of +1 that are other countries, or premium, are those without a rate for calls either.
  const isNorthAmerican = number.startsWith("+1") && rateFor(number, VOICE_RATES, NO_PRICES) !== undefined;
  if (!isNorthAmerican) return noPrice(`the month of a number at ${number.slice(0, 5)}…`, "twilio.number.+…");
  return priced(TOLL_FREE.test(areaCode) ? "twilio.number.toll_free" : "twilio.number.local", "its month", pricing);
}

const NO_PRICES = new Map<string, bigint>();

function routing(call: Call, pricing: Pricing): Priced {
  const routed = [...call.bodyFields.keys(), ...call.queryFields.keys()].find((name) => ROUTING_FIELDS.has(name));
  if (routed === undefined) return { ok: true, micros: 0n };
  return priced("twilio.number.routing", `${routed}, where calls and messages go that arrive,`, pricing);
}
