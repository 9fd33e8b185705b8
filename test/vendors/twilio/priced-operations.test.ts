import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { parseUsd } from "../../../src/core/money.ts";
import { twilio } from "../../../src/vendors/twilio.ts";
import { type CallParts, costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "../make-call.ts";
import { publishedOperations } from "../published.ts";

const AC = `AC${"0".repeat(32)}`;
const ROOT = `/2010-04-01/Accounts/${AC}`;
const US = "+14155550100";
const sid = (prefix: string) => `${prefix}${"a".repeat(32)}`;

/** What an operator has who wants everything counted. */
const PRICES = Object.fromEntries(
  Object.entries({
    "twilio.number.routing": 2,
    "twilio.voice.redirect": 5,
    "twilio.voice.instructions": 0.1,
    "twilio.voice.recording": 0.0025,
    "twilio.voice.conference": 0.0018,
    "twilio.voice.stream": 0.004,
    "twilio.voice.siprec": 0.005,
    "twilio.voice.transcription": 0.05,
    "twilio.verify.factor": 0.06,
    "twilio.verify.challenge": 0.07,
    "twilio.verify.notification": 0.08,
    "twilio.verify.passkey": 0.09,
    "twilio.lookup.caller_name": 0.01,
    "twilio.lookup.line_type_intelligence": 0.008,
    "twilio.lookup.override": 0.003,
    "twilio.a2p.brand": 46,
    "twilio.a2p.campaign": 15,
    "twilio.a2p.vetting": 40,
    "twilio.a2p.otp": 0.02,
  }).map(([name, usd]) => [name, parseUsd(usd)]),
);
const PRICING = makePricing({}, PRICES);

const SAY = "<Response><Say>Hello</Say></Response>";
const CALL = { To: US, From: "+14155550199", Twiml: SAY };
const MESSAGE = { sid: sid("SM"), price: null, price_unit: null, num_segments: "1" };
const AT_ONCE = { form: {} };
const STOP = { form: { Status: "stopped" } };
const VOICE_URL = { form: { VoiceUrl: "https://example.com/twiml" } };

/** [request, parameters, dollars held at most, the answer, dollars that it cost, kind]; the object is always none. */
type Row = readonly [string, CallParts, number, JsonValue, number, string];

const ROWS: readonly Row[] = [
  [`POST ${ROOT}/Messages.json`, { form: { To: US, From: US, Body: "hi" } }, 0.0153, MESSAGE, 0.0153, "message"],
  [`POST ${ROOT}/Calls.json`, { form: CALL }, 3.373, { sid: sid("CA"), price: null }, 3.373, "call"],
  [`POST ${ROOT}/Calls/${sid("CA")}.json`, { form: { Status: "completed" } }, 0, { sid: sid("CA") }, 0, "call"],
  [`POST ${ROOT}/Calls/${sid("CA")}.json`, { form: { Twiml: SAY } }, 5, { sid: sid("CA") }, 5, "call"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Recordings.json`, AT_ONCE, 0.6, { sid: sid("RE") }, 0.6, "other"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Recordings/${sid("RE")}.json`, STOP, 0, { sid: sid("RE") }, 0, "other"],
  [
    `POST ${ROOT}/Calls/${sid("CA")}/Recordings/Twilio.CURRENT.json`,
    { form: { Status: "in-progress" } },
    0.6,
    {},
    0.6,
    "other",
  ],
  [`POST ${ROOT}/Calls/${sid("CA")}/Siprec.json`, AT_ONCE, 1.2, { sid: sid("SR") }, 1.2, "other"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Siprec/${sid("SR")}.json`, STOP, 0, { sid: sid("SR") }, 0, "other"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Streams.json`, AT_ONCE, 0.96, { sid: sid("MZ") }, 0.96, "other"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Streams/${sid("MZ")}.json`, STOP, 0, { sid: sid("MZ") }, 0, "other"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Transcriptions.json`, AT_ONCE, 12, { sid: sid("GT") }, 12, "other"],
  [`POST ${ROOT}/Calls/${sid("CA")}/Transcriptions/${sid("GT")}.json`, STOP, 0, { sid: sid("GT") }, 0, "other"],
  [`POST ${ROOT}/Conferences/${sid("CF")}.json`, { form: { Status: "completed" } }, 0, { sid: sid("CF") }, 0, "call"],
  [`POST ${ROOT}/Conferences/${sid("CF")}.json`, { form: { AnnounceUrl: "https://example.com" } }, 5, {}, 5, "call"],
  [
    `POST ${ROOT}/Conferences/room/Participants.json`,
    { form: { To: US, From: US, TimeLimit: "60" } },
    0.0158,
    { call_sid: sid("CA") },
    0.0158,
    "call",
  ],
  [`POST ${ROOT}/Conferences/${sid("CF")}/Participants/me.json`, { form: { Muted: "true" } }, 0, {}, 0, "call"],
  [
    `POST ${ROOT}/Conferences/${sid("CF")}/Participants/me.json`,
    { form: { HoldUrl: "https://example.com" } },
    5,
    {},
    5,
    "call",
  ],
  [`POST ${ROOT}/Conferences/${sid("CF")}/Recordings/${sid("RE")}.json`, STOP, 0, {}, 0, "other"],
  [
    `POST ${ROOT}/Queues/${sid("QU")}/Members/${sid("CA")}.json`,
    { form: { Url: "https://example.com" } },
    5,
    {},
    5,
    "call",
  ],
  [`POST ${ROOT}/IncomingPhoneNumbers.json`, { form: { AreaCode: "415" } }, 1.15, { sid: sid("PN") }, 1.15, "number"],
  [
    `POST ${ROOT}/IncomingPhoneNumbers/Local.json`,
    { form: { PhoneNumber: US, VoiceUrl: "https://example.com" } },
    3.15,
    { sid: sid("PN") },
    3.15,
    "number",
  ],
  [
    `POST ${ROOT}/IncomingPhoneNumbers/Mobile.json`,
    { form: { PhoneNumber: US } },
    1.15,
    { sid: sid("PN") },
    1.15,
    "number",
  ],
  [
    `POST ${ROOT}/IncomingPhoneNumbers/TollFree.json`,
    { form: { PhoneNumber: "+18335550100" } },
    2.15,
    { sid: sid("PN") },
    2.15,
    "number",
  ],
  [`POST ${ROOT}/IncomingPhoneNumbers/${sid("PN")}.json`, { form: { FriendlyName: "x" } }, 0, {}, 0, "number"],
  [`POST ${ROOT}/IncomingPhoneNumbers/${sid("PN")}.json`, VOICE_URL, 2, {}, 2, "number"],
  [`POST ${ROOT}/Applications/${sid("AP")}.json`, VOICE_URL, 2, {}, 2, "number"],
  [`POST ${ROOT}/SMS/ShortCodes/${sid("SC")}.json`, { form: { SmsUrl: "https://example.com" } }, 2, {}, 2, "number"],
  [
    "POST /verify/v2/Services/VA1/Verifications",
    { form: { To: US, Channel: "sms" } },
    0.0806,
    { sid: sid("VE") },
    0.0806,
    "verification",
  ],
  [
    "POST /verify/v2/Services/VA1/Verifications/VE1",
    { form: { Status: "approved" } },
    0,
    { sid: sid("VE") },
    0,
    "verification",
  ],
  [
    "POST /verify/v2/Services/VA1/VerificationCheck",
    { form: { To: US, Code: "123456" } },
    0,
    { status: "approved" },
    0,
    "verification",
  ],
  [
    "POST /verify/v2/Services/VA1/Entities/e1/Factors",
    { form: { FactorType: "totp" } },
    0.06,
    {},
    0.06,
    "verification",
  ],
  [
    "POST /verify/v2/Services/VA1/Entities/e1/Factors/YF1",
    { form: { AuthPayload: "123456" } },
    0.06,
    {},
    0.06,
    "verification",
  ],
  [
    "POST /verify/v2/Services/VA1/Entities/e1/Challenges",
    { form: { FactorSid: "YF1" } },
    0.07,
    {},
    0.07,
    "verification",
  ],
  [
    "POST /verify/v2/Services/VA1/Entities/e1/Challenges/YC1",
    { form: { AuthPayload: "1" } },
    0.07,
    {},
    0.07,
    "verification",
  ],
  ["POST /verify/v2/Services/VA1/Entities/e1/Challenges/YC1/Notifications", AT_ONCE, 0.08, {}, 0.08, "verification"],
  ["POST /verify/v2/Services/VA1/Passkeys/ApproveChallenge", AT_ONCE, 0.09, {}, 0.09, "verification"],
  ["POST /verify/v2/Services/VA1/Passkeys/Challenges", AT_ONCE, 0.09, {}, 0.09, "verification"],
  ["POST /verify/v2/Services/VA1/Passkeys/Factors", AT_ONCE, 0.09, {}, 0.09, "verification"],
  ["POST /verify/v2/Services/VA1/Passkeys/VerifyFactor", AT_ONCE, 0.09, {}, 0.09, "verification"],
  [`GET /lookups/v2/PhoneNumbers/${US}`, {}, 0, { phone_number: US }, 0, "lookup"],
  [
    `GET /lookups/v2/PhoneNumbers/${US}`,
    { query: { Fields: "validation,caller_name,line_type_intelligence" } },
    0.018,
    {},
    0.018,
    "lookup",
  ],
  [`GET /lookups/v2/PhoneNumbers/${US}/Overrides/line_type`, {}, 0.003, {}, 0.003, "lookup"],
  [`POST /lookups/v2/PhoneNumbers/${US}/Overrides/line_type`, AT_ONCE, 0.003, {}, 0.003, "lookup"],
  [`PUT /lookups/v2/PhoneNumbers/${US}/Overrides/line_type`, AT_ONCE, 0.003, {}, 0.003, "lookup"],
  [`DELETE /lookups/v2/PhoneNumbers/${US}/Overrides/line_type`, {}, 0.003, {}, 0.003, "lookup"],
  [
    "POST /lookups/v2/batch/query",
    {
      json: {
        phone_numbers: [
          { phone_number: US, fields: ["caller_name"] },
          { phone_number: US, fields: "caller_name,line_type_intelligence" },
          { phone_number: US },
        ],
      },
    },
    0.028,
    {},
    0.028,
    "lookup",
  ],
  ["POST /messaging/v1/a2p/BrandRegistrations", AT_ONCE, 46, { sid: sid("BN") }, 46, "other"],
  ["POST /messaging/v1/a2p/BrandRegistrations/BN1", AT_ONCE, 46, {}, 46, "other"],
  ["POST /messaging/v1/a2p/BrandRegistrations/BN1/SmsOtp", AT_ONCE, 0.02, {}, 0.02, "other"],
  ["POST /messaging/v1/a2p/BrandRegistrations/BN1/Vettings", AT_ONCE, 40, {}, 40, "other"],
  ["POST /messaging/v1/Services/MG1/Compliance/Usa2p", AT_ONCE, 15, { sid: sid("QE") }, 15, "other"],
  ["POST /messaging/v1/Services/MG1/Compliance/Usa2p/QE1", AT_ONCE, 15, {}, 15, "other"],
  ["POST /messaging/v1/Services/PreregisteredUsa2p", AT_ONCE, 15, {}, 15, "other"],
];

describe("one row for every operation of Twilio's that costs", () => {
  test.each(ROWS)("%s with %j holds at most $%d", (line, parts, ceilingUsd, json, costUsd, kind) => {
    const call = makeCall(line, parts);
    const operation = operationFor(twilio, call);
    expect([operation.class, operation.kind, operation.object]).toEqual(["priced", kind as never, undefined]);
    expect(exposureOf(twilio, call, PRICING)).toMatchObject({
      ok: true,
      micros: parseUsd(ceilingUsd),
      currency: undefined,
    });
    const cost = costOf(twilio, call, makeAnswer(json), PRICING);
    expect(cost.micros).toBe(parseUsd(costUsd));
    const made = (json as { sid?: string; call_sid?: string }).sid ?? (json as { call_sid?: string }).call_sid;
    expect(cost.vendorTxnId).toBe(made as string);
  });

  test("has a row for each published one", () => {
    const rows = new Set(ROWS.map(([line, parts]) => operationFor(twilio, makeCall(line, parts)).route));
    const missing = publishedOperations("twilio")
      .map(({ line, method, path }) => [line, operationFor(twilio, makeCall(`${method} ${path}`))] as const)
      .filter(([, { class: opClass, route }]) => opClass === "priced" && !rows.has(route));
    expect(missing.map(([line]) => line)).toEqual([]);
  });

  test.each(ROWS.filter(([, , usd]) => usd > 0).map(([line, parts]) => [line, parts] as const))(
    "%s with %j names the setting where it has no price",
    (line, parts) => {
      const call = makeCall(line, parts);
      const bare = exposureOf(twilio, call, makePricing());
      if (bare.ok || !("message" in bare)) return;
      const { code, message } = bare;
      expect([code, message]).toEqual([
        "cost_unknown",
        expect.stringMatching(/"twilio\.[a-z0-9_.+…]+" .*prices\.twilio/),
      ]);
      const names = Object.keys(PRICES).filter((name) => message.includes(name));
      expect(exposureOf(twilio, call, PRICING).ok).toBe(true);
      expect(names.length).toBe(1);
    },
  );
});
