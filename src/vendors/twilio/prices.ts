import type { Micros } from "../../core/money.ts";
import type { BuiltInPrice, PriceName } from "../price-name.ts";
import { MMS_RATES, NUMBER_RATES, priceByNumber, type RateTable, SMS_RATES, table, VOICE_RATES } from "./rates.ts";

/** How a verification is sent (twilio-node 6.2.0, `Channel` of a verification); one that is not here has no price. */
export const VERIFY_CHANNELS = ["sms", "call", "email", "whatsapp", "sna", "rcs", "auto"] as const;
export type VerifyChannel = (typeof VERIFY_CHANNELS)[number];

/** Data packages of a look-up (twilio-node 6.2.0, `Fields` of a phone number) but `validation`, which costs nothing. */
export const LOOKUP_PACKAGES = [
  "caller_name",
  "sim_swap",
  "call_forwarding",
  "line_status",
  "line_type_intelligence",
  "identity_match",
  "reassigned_number",
  "sms_pumping_risk",
  "phone_number_quality_score",
  "pre_fill",
] as const;
export type LookupPackage = (typeof LOOKUP_PACKAGES)[number];

/** A month, billed whole when the number is bought (support.twilio.com 223182908). */
const NUMBERS: Pick<BuiltInPrice, "asOf" | "source"> = {
  asOf: "2026-10",
  source: "Twilio's prices of numbers in the US and Canada, read by third parties",
};
const APPROVAL: BuiltInPrice = {
  micros: 50_000n,
  asOf: "2026-07",
  source: '"$0.05 per successful verification": twilio.com/en-us/verify/pricing, read by third parties',
};

/** What is not by destination. A price that has no figure here has no ceiling until the operator names one. */
const FLAT = {
  "twilio.number.local": { unit: "the month of a local number of +1", builtIn: { micros: 1_150_000n, ...NUMBERS } },
  "twilio.number.toll_free": {
    unit: "the month of a toll-free number of +1",
    builtIn: { micros: 2_150_000n, ...NUMBERS },
  },
  "twilio.number.routing": {
    unit: "what pointing a number, a short code or an application at other instructions may cost",
  },
  "twilio.voice.sip": { unit: "a started minute of a leg to a SIP address" },
  "twilio.voice.client": { unit: "a started minute of a leg to an app" },
  "twilio.voice.instructions": {
    unit: "a started minute of TwiML that Keybrake cannot read: what it dials, speaks and records",
  },
  "twilio.voice.redirect": { unit: "a redirect of a live call, with all that it may dial" },
  "twilio.voice.say": {
    unit: "100 started characters of speech",
    builtIn: {
      micros: 13_000n,
      source: "the dearest voices, basic ones are free: twilio.com/docs/voice/twiml/say/text-speech#pricing",
    },
  },
  "twilio.voice.recording": { unit: "a minute of recording" },
  "twilio.voice.machine_detection": { unit: "a detection of an answering machine" },
  "twilio.voice.conference": { unit: "a participant's minute of a conference" },
  "twilio.voice.stream": { unit: "a started minute of streaming a live call" },
  "twilio.voice.siprec": { unit: "a started minute of SIPREC of a live call" },
  "twilio.voice.transcription": { unit: "a started minute of transcribing a live call" },
  "twilio.verify.approval": { unit: "a verification that is approved, counted when it is started", builtIn: APPROVAL },
  "twilio.verify.check": {
    unit: "a check of a code",
    // A price makes the check count too, for what others have started.
    builtIn: { micros: 0n, source: "its start has counted the approval" },
  },
  "twilio.verify.factor": { unit: "a factor" },
  "twilio.verify.challenge": { unit: "a challenge" },
  "twilio.verify.notification": { unit: "a notification of a challenge" },
  "twilio.verify.passkey": { unit: "a step of a passkey" },
  "twilio.lookup.override": { unit: "a change of a number's line type" },
  "twilio.a2p.brand": { unit: "the registration of a brand" },
  "twilio.a2p.campaign": { unit: "the registration of a campaign" },
  "twilio.a2p.vetting": { unit: "the vetting of a brand" },
  "twilio.a2p.otp": { unit: "a code to a brand's contact" },
  "twilio.sms.failed": {
    unit: "a message that ends as failed",
    builtIn: { micros: 1_000n, asOf: "2026-07", source: "support.twilio.com 27502337507483, read by third parties" },
  },
} as const satisfies Record<string, Omit<PriceName, "name">>;

/** The name of a price that is not by destination. That each is declared is what its type says. */
export type FlatPrice = keyof typeof FLAT | `twilio.verify.${VerifyChannel}` | `twilio.lookup.${LookupPackage}`;

/** By channel the operator's prices by number; an email address has none. */
export const VERIFY_RATES: ReadonlyMap<VerifyChannel, RateTable> = new Map(
  VERIFY_CHANNELS.filter((channel) => channel !== "email").map((channel) => [
    channel,
    table(`twilio.verify.${channel}.`, `a verification by ${channel} to such a number, without its approval`, []),
  ]),
);

/** All that an operator can set under `prices.twilio`, by name. */
export const TWILIO_PRICES: readonly PriceName[] = [
  ...[SMS_RATES, MMS_RATES, VOICE_RATES].map((rates) => priceByNumber(rates)),
  priceByNumber(NUMBER_RATES, "twilio.number.local or .toll_free for +1, else refused"),
  ...Object.entries(FLAT).map(([name, price]) => ({ name, ...price })),
  ...VERIFY_CHANNELS.flatMap(verifyPrices),
  ...LOOKUP_PACKAGES.map((name) => ({ name: `twilio.lookup.${name}`, unit: `the data package ${name} of a number` })),
].toSorted((a, b) => (a.name < b.name ? -1 : 1));

function verifyPrices(channel: VerifyChannel): readonly PriceName[] {
  const name = `twilio.verify.${channel}`;
  const rates = VERIFY_RATES.get(channel);
  const flat = {
    name,
    unit: `a verification by ${channel}, without its approval`,
    ...(channel === "sms" ? { otherwise: "two segments of an SMS to that number" } : {}),
  };
  return rates ? [flat, priceByNumber(rates, name)] : [flat];
}

const BUILT_IN: ReadonlyMap<string, Micros> = new Map(
  TWILIO_PRICES.flatMap(({ name, builtIn }) => (builtIn ? [[name, builtIn.micros]] : [])),
);

/** The price of `name`: the operator's, or else the published one. */
export function flatRate(name: FlatPrice, prices: ReadonlyMap<string, Micros>): Micros | undefined {
  return prices.get(name) ?? BUILT_IN.get(name);
}
