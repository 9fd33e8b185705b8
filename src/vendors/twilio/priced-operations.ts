import type { MoneyKind, Operation } from "../vendor.ts";
import {
  callCost,
  callExposure,
  type Pricer,
  participantCost,
  participantExposure,
  redirect,
  stopped,
  untilTheEnd,
} from "./calls.ts";
import { batchExposure, lookupExposure } from "./lookups.ts";
import { messageCost, messageExposure } from "./messages.ts";
import { flat, inFull } from "./money.ts";
import { numberExposure, routingExposure } from "./numbers.ts";
import type { FlatPrice } from "./prices.ts";
import { verificationExposure } from "./verify.ts";

/** The account in the path of the 2010 API. */
export const AC = "/2010-04-01/Accounts/*";

/** An operation with a price: what is counted, and how. */
function priced(
  name: string,
  kind: MoneyKind,
  counts: string,
  pricer: Pricer | FlatPrice,
  ...routes: readonly string[]
) {
  const { exposure, cost } = typeof pricer === "string" ? flatPricer(pricer, counts) : pricer;
  return routes.map((route): Operation => ({ name, route, class: "priced", kind, counts, exposure, cost }));
}

function flatPricer(name: FlatPrice, counts: string): Pricer {
  return { exposure: (_call, pricing) => flat(name, counts, pricing), cost: inFull };
}

const RECORDING = untilTheEnd("twilio.voice.recording", "a minute of recording");
const STREAM = untilTheEnd("twilio.voice.stream", "a minute of streaming");
const SIPREC = untilTheEnd("twilio.voice.siprec", "a minute of SIPREC");
const TRANSCRIPTION = untilTheEnd("twilio.voice.transcription", "a minute of transcription");
const REDIRECT = "nothing to hang up, else the price of a redirect";
const BY_THE_MINUTE = "its minutes until the longest call ends";
const ROUTING = { exposure: routingExposure, cost: inFull };
const ROUTED = "nothing, else the price of new routing";

/** What costs, the deciding one first. The prices and their names are in `prices.ts` and `rates.ts`. */
export const PRICED: readonly Operation[] = [
  ...priced(
    "messages.create",
    "message",
    "segments or one MMS, by destination",
    { exposure: messageExposure, cost: messageCost },
    `POST ${AC}/Messages.json`,
  ),
  ...priced(
    "calls.create",
    "call",
    "minutes up to TimeLimit, by destination",
    { exposure: callExposure, cost: callCost },
    `POST ${AC}/Calls.json`,
  ),
  ...priced(
    "participants.create",
    "call",
    "minutes up to TimeLimit, by destination",
    { exposure: participantExposure, cost: participantCost },
    `POST ${AC}/Conferences/*/Participants.json`,
  ),
  ...priced(
    "calls.update",
    "call",
    REDIRECT,
    redirect("StatusCallback", "StatusCallbackMethod"),
    `POST ${AC}/Calls/*.json`,
  ),
  ...priced("conferences.update", "call", REDIRECT, redirect("AnnounceMethod"), `POST ${AC}/Conferences/*.json`),
  ...priced(
    "participants.update",
    "call",
    REDIRECT,
    redirect(
      "Muted",
      "Hold",
      "HoldMethod",
      "AnnounceMethod",
      "WaitMethod",
      "BeepOnExit",
      "EndConferenceOnExit",
      "Coaching",
      "CallSidToCoach",
    ),
    `POST ${AC}/Conferences/*/Participants/*.json`,
  ),
  ...priced("queues.dequeue", "call", REDIRECT, redirect(), `POST ${AC}/Queues/*/Members/*.json`),
  ...priced("recordings.create", "other", BY_THE_MINUTE, RECORDING, `POST ${AC}/Calls/*/Recordings.json`),
  ...priced(
    "recordings.update",
    "other",
    BY_THE_MINUTE,
    stopped(RECORDING),
    `POST ${AC}/Calls/*/Recordings/*.json`,
    `POST ${AC}/Conferences/*/Recordings/*.json`,
  ),
  ...priced("streams.create", "other", BY_THE_MINUTE, STREAM, `POST ${AC}/Calls/*/Streams.json`),
  ...priced("streams.update", "other", BY_THE_MINUTE, stopped(STREAM), `POST ${AC}/Calls/*/Streams/*.json`),
  ...priced("siprec.create", "other", BY_THE_MINUTE, SIPREC, `POST ${AC}/Calls/*/Siprec.json`),
  ...priced("siprec.update", "other", BY_THE_MINUTE, stopped(SIPREC), `POST ${AC}/Calls/*/Siprec/*.json`),
  ...priced("transcriptions.create", "other", BY_THE_MINUTE, TRANSCRIPTION, `POST ${AC}/Calls/*/Transcriptions.json`),
  ...priced(
    "transcriptions.update",
    "other",
    BY_THE_MINUTE,
    stopped(TRANSCRIPTION),
    `POST ${AC}/Calls/*/Transcriptions/*.json`,
  ),
  ...priced(
    "numbers.buy",
    "number",
    "one month",
    { exposure: numberExposure, cost: inFull },
    ...["", "/Local", "/Mobile", "/TollFree"].map((type) => `POST ${AC}/IncomingPhoneNumbers${type}.json`),
  ),
  ...priced("numbers.update", "number", ROUTED, ROUTING, `POST ${AC}/IncomingPhoneNumbers/*.json`),
  ...priced("short_codes.update", "number", ROUTED, ROUTING, `POST ${AC}/SMS/ShortCodes/*.json`),
  ...priced("applications.update", "number", ROUTED, ROUTING, `POST ${AC}/Applications/*.json`),
  ...priced(
    "verifications.create",
    "verification",
    "one message and the fee of the approval",
    { exposure: verificationExposure, cost: inFull },
    "POST /verify/v2/Services/*/Verifications",
  ),
  ...priced(
    "verifications.check",
    "verification",
    "nothing: the start has counted it",
    "twilio.verify.check",
    "POST /verify/v2/Services/*/VerificationCheck",
    "POST /verify/v2/Services/*/Verifications/*",
  ),
  ...priced(
    "factors",
    "verification",
    "a factor",
    "twilio.verify.factor",
    "POST /verify/v2/Services/*/Entities/*/Factors",
    "POST /verify/v2/Services/*/Entities/*/Factors/*",
  ),
  ...priced(
    "challenges",
    "verification",
    "a challenge",
    "twilio.verify.challenge",
    "POST /verify/v2/Services/*/Entities/*/Challenges",
    "POST /verify/v2/Services/*/Entities/*/Challenges/*",
  ),
  ...priced(
    "challenges.notify",
    "verification",
    "a notification",
    "twilio.verify.notification",
    "POST /verify/v2/Services/*/Entities/*/Challenges/*/Notifications",
  ),
  ...priced(
    "passkeys",
    "verification",
    "a step of a passkey",
    "twilio.verify.passkey",
    "POST /verify/v2/Services/*/Passkeys/*",
  ),
  ...priced(
    "lookups.fetch",
    "lookup",
    "its data packages",
    { exposure: lookupExposure, cost: inFull },
    "GET /lookups/v2/PhoneNumbers/*",
  ),
  ...priced(
    "lookups.override",
    "lookup",
    "an override",
    "twilio.lookup.override",
    "* /lookups/v2/PhoneNumbers/*/Overrides/*",
  ),
  {
    ...priced(
      "lookups.batch",
      "lookup",
      "the data packages of each number",
      { exposure: batchExposure, cost: inFull },
      "POST /lookups/v2/batch/query",
    )[0]!,
    bodyKinds: ["json"],
  },
  ...priced(
    "a2p.brand",
    "other",
    "the registration of a brand",
    "twilio.a2p.brand",
    "POST /messaging/v1/a2p/BrandRegistrations",
    "POST /messaging/v1/a2p/BrandRegistrations/*",
  ),
  ...priced(
    "a2p.otp",
    "other",
    "a code to the brand's contact",
    "twilio.a2p.otp",
    "POST /messaging/v1/a2p/BrandRegistrations/*/SmsOtp",
  ),
  ...priced(
    "a2p.vetting",
    "other",
    "the vetting of a brand",
    "twilio.a2p.vetting",
    "POST /messaging/v1/a2p/BrandRegistrations/*/Vettings",
  ),
  ...priced(
    "a2p.campaign",
    "other",
    "the registration of a campaign",
    "twilio.a2p.campaign",
    "POST /messaging/v1/Services/*/Compliance/Usa2p",
    "POST /messaging/v1/Services/*/Compliance/Usa2p/*",
    "POST /messaging/v1/Services/PreregisteredUsa2p",
  ),
];
