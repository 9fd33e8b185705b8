import { type Answer, type Call, field } from "../../core/call.ts";
import type { Cost, Exposure, NoExposure, Pricing } from "../vendor.ts";
import {
  ceiling,
  costUnknown,
  flat,
  inFull,
  noPrice,
  numberIn,
  type Priced,
  priced,
  pricedLater,
  rejected,
  strangeField,
  sumOf,
  txnOf,
} from "./money.ts";
import { type FlatPrice, flatRate } from "./prices.ts";
import { rateFor, VOICE_RATES } from "./rates.ts";
import { readTwiml } from "./twiml.ts";

/**
 * What a call without `TimeLimit` can last: Twilio ends calls after four hours (error 32015), unless the account is
 * configured for longer, which an operator knows.
 */
const CALL_SECONDS_DEFAULT = 14_400;
/** The longest that any account can be configured for. */
const CALL_SECONDS_MAX = 86_400;

/** Of a live call that somebody else may have started. */
const MINUTES_LEFT = BigInt(CALL_SECONDS_DEFAULT / 60);

/** Parameters of a leg that change nothing about its price, with those that this file prices by. */
const LEG_FIELDS =
  "To From CallerId TimeLimit Timeout Record RecordingChannels RecordingTrack RecordingStatusCallback " +
  "RecordingStatusCallbackMethod RecordingStatusCallbackEvent Trim StatusCallback StatusCallbackMethod StatusCallbackEvent " +
  "SipAuthUsername SipAuthPassword MachineDetection MachineDetectionTimeout MachineDetectionSpeechThreshold " +
  "MachineDetectionSpeechEndThreshold MachineDetectionSilenceTimeout CallToken Passports ClientNotificationUrl";
const CALL_FIELDS = new Set(
  (
    `${LEG_FIELDS} Url Method FallbackUrl FallbackMethod Twiml ApplicationSid SendDigits AsyncAmd AsyncAmdStatusCallback ` +
    "AsyncAmdStatusCallbackMethod"
  ).split(" "),
);
const PARTICIPANT_FIELDS = new Set(
  (
    `${LEG_FIELDS} Label Muted Beep StartConferenceOnEnter EndConferenceOnExit WaitMethod EarlyMedia MaxParticipants ` +
    "ConferenceRecord ConferenceTrim ConferenceStatusCallback ConferenceStatusCallbackMethod ConferenceStatusCallbackEvent " +
    "Region ConferenceRecordingStatusCallback ConferenceRecordingStatusCallbackMethod " +
    "ConferenceRecordingStatusCallbackEvent Coaching CallSidToCoach JitterBufferSize AmdStatusCallback " +
    "AmdStatusCallbackMethod CallerDisplayName"
  ).split(" "),
);

interface LegQuote {
  readonly ok: true;
  readonly legMicros: bigint;
  /** What Twilio's price of the call does not include: speech, recording, detection, what further TwiML does. */
  readonly besideMicros: bigint;
}

/** A call costs the started minutes of its leg up to `TimeLimit`, and what its parameters and instructions cost beside. */
export function callExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  return legCeiling(quoteCall(call, pricing));
}

/** A participant is a leg like a call's, and a minute of the conference for each of its minutes. */
export function participantExposure(call: Call, pricing: Pricing): Exposure | NoExposure {
  return legCeiling(quoteParticipant(call, pricing));
}

/** A new call has `price: null`. It is asked for later where it will be the whole cost, and else counted in full. */
export function callCost(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  return legCost(call, answer, exposure, quoteCall(call, pricing), "sid");
}

export function participantCost(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  return legCost(call, answer, exposure, quoteParticipant(call, pricing), "call_sid");
}

function legCeiling(quote: LegQuote | NoExposure): Exposure | NoExposure {
  return quote.ok ? ceiling(quote.legMicros + quote.besideMicros) : quote;
}

function legCost(call: Call, answer: Answer, exposure: Exposure, quote: LegQuote | NoExposure, sidName: string): Cost {
  const txn = txnOf(answer.json, sidName);
  const full: Cost = { micros: exposure.micros, source: "rate_table", ...txn };
  if (!txn.vendorTxnId) return { ...full, unreadable: true };
  const pricedLaterAt = quote.ok ? pricedLater(call, "Calls", txn.vendorTxnId) : undefined;
  // Twilio's price is the leg's alone: what was counted for speech, recording and detection stays.
  return quote.ok && pricedLaterAt !== undefined ? { ...full, pricedLaterAt, besidesMicros: quote.besideMicros } : full;
}

function quoteCall(call: Call, pricing: Pricing): LegQuote | NoExposure {
  return quoteLeg(call, CALL_FIELDS, pricing, (minutes) => [instructions(call, minutes, pricing)]);
}

function quoteParticipant(call: Call, pricing: Pricing): LegQuote | NoExposure {
  return quoteLeg(call, PARTICIPANT_FIELDS, pricing, (minutes) => [
    priced("twilio.voice.conference", "a participant's minute of a conference", pricing, minutes),
    recording(call, "ConferenceRecord", minutes, pricing),
  ]);
}

function quoteLeg(
  call: Call,
  known: ReadonlySet<string>,
  pricing: Pricing,
  more: (minutes: bigint) => readonly Priced[],
): LegQuote | NoExposure {
  const strange = strangeField(call, known);
  if (strange) return costUnknown(`the parameter ${strange} may change what a call costs`);
  const seconds = field(call, "TimeLimit") ?? String(CALL_SECONDS_DEFAULT);
  if (!/^[1-9][0-9]{0,4}$/.test(seconds) || Number(seconds) > CALL_SECONDS_MAX) {
    const shown = JSON.stringify(seconds.slice(0, 40));
    return rejected(`TimeLimit is ${shown}; it takes whole seconds from 1 to ${CALL_SECONDS_MAX}`);
  }
  const minutes = BigInt(Math.ceil(Number(seconds) / 60));
  const leg = legRate(call, pricing);
  if (!leg.ok) return leg;
  const beside = sumOf([recording(call, "Record", minutes, pricing), detection(call, pricing), ...more(minutes)]);
  return beside.ok ? { ok: true, legMicros: leg.micros * minutes, besideMicros: beside.micros } : beside;
}

/** A started minute of the leg to `To`: a number by its prefix, SIP and apps by a price of the operator's. */
function legRate(call: Call, pricing: Pricing): Priced {
  const to = field(call, "To") ?? "";
  const scheme = /^(sip|client):/.exec(to)?.[1] as "sip" | "client" | undefined;
  if (scheme) return priced(`twilio.voice.${scheme}`, `a minute to a ${scheme} address`, pricing);
  if (to.includes(":")) return costUnknown(`calls to ${to.slice(0, to.indexOf(":"))} addresses have no rate here`);
  const callee = numberIn(call, "To");
  if (!callee.ok) return callee;
  const micros = rateFor(callee.number, VOICE_RATES, pricing.prices);
  if (micros === undefined) return noPrice(`a call to ${to.slice(0, 5)}…`, `${VOICE_RATES.priceName}+…`);
  return { ok: true, micros };
}

const NOTHING: Priced = { ok: true, micros: 0n };

function recording(call: Call, name: "Record" | "ConferenceRecord", minutes: bigint, pricing: Pricing): Priced {
  const value = field(call, name) ?? "false";
  if (value === "false" || value === "do-not-record") return NOTHING;
  return priced("twilio.voice.recording", `${name}, a minute of recording,`, pricing, minutes);
}

function detection(call: Call, pricing: Pricing): Priced {
  if (field(call, "MachineDetection") === undefined) return NOTHING;
  return priced("twilio.voice.machine_detection", "MachineDetection", pricing);
}

/**
 * What the TwiML does beside keeping the leg open. In the request (`Twiml`) it is read, and may only speak, play, wait or
 * hang up. From outside (`Url`, `FallbackUrl`, `ApplicationSid`: they win over `Twiml`) it can dial anybody, record and
 * transcribe; so can any other verb. An operator who knows these instructions says what a minute of theirs can cost at
 * most with "twilio.voice.instructions" (0: nothing beside the leg), and a policy's `parameters` can pin `Url`.
 */
function instructions(call: Call, minutes: bigint, pricing: Pricing): Priced {
  const outside = ["Url", "FallbackUrl", "ApplicationSid"].find((name) => field(call, name) !== undefined);
  const twiml = field(call, "Twiml");
  if (outside === undefined && twiml === undefined) {
    return rejected("the request has neither Twiml nor Url nor ApplicationSid; a call needs instructions");
  }
  const reading = outside === undefined ? readTwiml(twiml!) : undefined;
  if (reading?.ok) return priced("twilio.voice.say", "speech", pricing, reading.speechBlocks);
  const micros = flatRate("twilio.voice.instructions", pricing.prices);
  if (micros !== undefined) return { ok: true, micros: micros * minutes };
  const why = reading ? reading.why : `${outside} leads to instructions outside the request`;
  return costUnknown(
    `${why}, which can dial, record or speak at further cost; send Twiml with only Say, Play, Pause and Hangup, or let an operator set "twilio.voice.instructions" (the most that a minute of them costs) under prices.twilio in keybrake.yaml`,
  );
}

/** How one operation is priced. */
export interface Pricer {
  readonly exposure: (call: Call, pricing: Pricing) => Exposure | NoExposure;
  readonly cost: (call: Call, answer: Answer, exposure: Exposure, pricing: Pricing) => Cost;
}

/**
 * A change of something live: hanging up costs nothing, as do the parameters in `harmless`. New instructions, or more time,
 * cost what "twilio.voice.redirect" says.
 */
export function redirect(...harmless: readonly string[]): Pricer {
  const names = new Set(["Status", ...harmless]);
  const exposure = (call: Call, pricing: Pricing) => {
    const strange = strangeField(call, names);
    const status = field(call, "Status") ?? "completed";
    const isEmpty = call.bodyFields.size === 0 && call.queryFields.size === 0;
    const ends = status === "completed" || status === "canceled";
    if (strange === undefined && ends && !isEmpty) return ceiling(0n);
    return flat("twilio.voice.redirect", `changing what is live${strange ? ` by ${strange}` : ""}`, pricing);
  };
  return { exposure, cost: inFull };
}

/** Something that is started on a live call and runs by the minute until the call ends. */
export function untilTheEnd(priceName: FlatPrice, what: string): Pricer {
  return { exposure: (_call, pricing) => flat(priceName, what, pricing, MINUTES_LEFT), cost: inFull };
}

/** A change of such a thing: to stop or pause it costs nothing, and whatever may go on costs as if it were started. */
export function stopped(started: Pricer): Pricer {
  const exposure = (call: Call, pricing: Pricing) => {
    const status = field(call, "Status");
    return status === "stopped" || status === "paused" ? ceiling(0n) : started.exposure(call, pricing);
  };
  return { exposure, cost: inFull };
}
