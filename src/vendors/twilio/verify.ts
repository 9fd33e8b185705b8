import { type Call, field } from "../../core/call.ts";
import type { Exposure, NoExposure, Pricing } from "../vendor.ts";
import { ceiling, costUnknown, noPrice, numberIn, type Priced, priced, strangeField, sumOf } from "./money.ts";
import { flatRate, VERIFY_CHANNELS, VERIFY_RATES } from "./prices.ts";
import { rateFor, SMS_RATES } from "./rates.ts";

/** The template's text, the service's name (30), a warning and an app hash are more than one segment, never three. */
const VERIFY_SEGMENTS_MAX = 2n;

/** What neither changes the price nor the length of the message. */
const VERIFICATION_FIELDS = new Set(
  (
    "To Channel CustomFriendlyName SendDigits Locale CustomCode Amount Payee RateLimits ChannelConfiguration AppHash " +
    "TemplateSid DeviceIp EnableSnaClientToken RiskCheck Tags"
  ).split(" "),
);

/**
 * A start costs one message by its channel, and commits the fee of the approval: whoever checks the code, the account is
 * billed (twilio.com/en-us/verify/pricing). So a check costs nothing more.
 */
export function verificationExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  const strange = strangeField(call, VERIFICATION_FIELDS);
  if (strange) return costUnknown(`the parameter ${strange} may change what a verification costs`);
  const approval = priced("twilio.verify.approval", "an approved verification", pricing);
  const sum = sumOf([channelPrice(call, pricing), approval]);
  return sum.ok ? ceiling(sum.micros, 1) : sum;
}

/** By "twilio.verify.sms.+44", "twilio.verify.sms", and for SMS else the rate of a message of two segments. */
function channelPrice(call: Call, pricing: Pricing): Priced {
  const given = field(call, "Channel");
  const channel = VERIFY_CHANNELS.find((each) => each === given);
  if (channel === undefined) return costUnknown(`Channel is none of ${VERIFY_CHANNELS.join(", ")}`);
  const name = `twilio.verify.${channel}` as const;
  const rates = VERIFY_RATES.get(channel);
  const to = rates && numberIn(call, "To");
  if (to && !to.ok) return to;
  const own = rates && to && rateFor(to.number, rates, pricing.prices);
  const flat = own ?? flatRate(name, pricing.prices);
  if (flat !== undefined) return { ok: true, micros: flat };
  if (channel !== "sms" || !to) return noPrice(`a verification by ${channel}`, name);
  const segment = rateFor(to.number, SMS_RATES, pricing.prices);
  if (segment === undefined) return noPrice(`a verification to ${to.number.slice(0, 5)}…`, `${name}.+…`);
  return { ok: true, micros: segment * VERIFY_SEGMENTS_MAX };
}

/** With `LookupEnabled` every verification that is started pays for a look-up, too. */
export function refuseLookups(call: Call): NoExposure | undefined {
  const enables = [...call.bodyFields, ...call.queryFields].some(
    ([name, value]) => /^LookupEnabled$/i.test(name) && value !== "false",
  );
  return enables ? costUnknown("LookupEnabled makes every verification pay for a look-up") : undefined;
}
