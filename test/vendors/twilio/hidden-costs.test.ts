import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { twilio } from "../../../src/vendors/twilio.ts";
import { type CallParts, costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "../make-call.ts";

const AC = `AC${"0".repeat(32)}`;
const ROOT = `/2010-04-01/Accounts/${AC}`;
const US = "+14155550100";
const sid = (prefix: string) => `${prefix}${"a".repeat(32)}`;
const PRICING = makePricing(
  {},
  { "twilio.voice.redirect": 5_000_000n, "twilio.voice.recording": 2_500n, "twilio.number.routing": 1n },
);
const SAY = "<Response><Say>Hello</Say></Response>";
const HANG_UP = "<Response><Hangup/></Response>";
const CALL = { To: US, From: "+14155550199" };
const STOP = { form: { Status: "stopped" } };

describe("what looks harmless and is not", () => {
  test("needs a price: a Status beside other parameters, an update that says nothing", () => {
    const update = (form: Record<string, string>) =>
      exposureOf(twilio, makeCall(`POST ${ROOT}/Calls/${sid("CA")}.json`, { form }), PRICING);
    expect(update({ Status: "completed" })).toMatchObject({ micros: 0n });
    for (const form of [
      { Status: "completed", Url: "https://e.example" },
      { Status: "in-progress" },
      { TimeLimit: "9" },
      {},
    ]) {
      expect(update(form as Record<string, string>)).toMatchObject({ micros: 5_000_000n });
    }
  });

  test("counts a recording that is started as stopped", () => {
    const started = makeCall(`POST ${ROOT}/Calls/${sid("CA")}/Recordings.json`, STOP);
    expect(exposureOf(twilio, started, PRICING)).toMatchObject({ micros: 600_000n });
  });

  test("refuses a Verify service that looks every number up", () => {
    for (const line of ["POST /verify/v2/Services", "POST /verify/v2/Services/VA1"]) {
      const refusal = (form: Record<string, string>) => {
        const call = makeCall(line, { form });
        return operationFor(twilio, call).refuse?.(call);
      };
      expect(refusal({ FriendlyName: "x", LookupEnabled: "false" })).toBeUndefined();
      expect(refusal({ FriendlyName: "x", LookupEnabled: "true" })).toMatchObject({ code: "cost_unknown" });
    }
  });

  test.each([
    [`POST ${ROOT}/IncomingPhoneNumbers.json`, { form: { PhoneNumber: "+442071838750" } }],
    [`POST ${ROOT}/IncomingPhoneNumbers.json`, { form: { PhoneNumber: "+18765550100" } }],
    [`POST ${ROOT}/IncomingPhoneNumbers.json`, { form: { AreaCode: "876" } }],
    [`POST ${ROOT}/IncomingPhoneNumbers.json`, { form: { AreaCode: "415", VoiceCallerIdLookup: "true" } }],
    [`POST ${ROOT}/IncomingPhoneNumbers.json`, { form: { AreaCode: "415", EmergencyAddressSid: "AD1" } }],
    [`POST ${ROOT}/IncomingPhoneNumbers/${sid("PN")}.json`, { form: { AccountSid: AC } }],
    ["POST /verify/v2/Services/VA1/Verifications", { form: { To: "a@example.com", Channel: "email" } }],
    ["POST /verify/v2/Services/VA1/Verifications", { form: { To: US, Channel: "call" } }],
    ["POST /verify/v2/Services/VA1/Verifications", { form: { To: US, Channel: "sms", CustomMessage: "long" } }],
    ["POST /verify/v2/Services/VA1/Verifications", { form: { To: "+18765550100", Channel: "sms" } }],
    ["POST /verify/v2/Services/VA1/Verifications", { form: { To: US } }],
    [`GET /lookups/v2/PhoneNumbers/${US}`, { query: { Fields: "sim_swap" } }],
    [`GET /lookups/v2/PhoneNumbers/${US}`, { query: { fields: "sim_swap" } }],
    [`GET /lookups/v2/PhoneNumbers/${US}`, { query: { Type: "carrier" } }],
    [`GET /lookups/v2/PhoneNumbers/${US}`, { query: { Fields: "caller_name;sim_swap" } }],
    ["POST /lookups/v2/batch/query", { json: { phone_numbers: [{ fields: [1] }] } }],
  ] as const)("does not guess at %s with %j", (line, parts) => {
    expect(exposureOf(twilio, makeCall(line, parts as CallParts), PRICING)).toMatchObject({
      ok: false,
      code: "cost_unknown",
    });
  });

  test("takes the operator's price of a number and a channel by the longest prefix", () => {
    const own = makePricing(
      {},
      { "twilio.number.+44": 3n, "twilio.number.+447": 9n, "twilio.verify.call.+44": 4n, "twilio.verify.call": 8n },
    );
    const micros = (line: string, form: Record<string, string>) => exposureOf(twilio, makeCall(line, { form }), own);
    const buy = `POST ${ROOT}/IncomingPhoneNumbers.json`;
    expect(micros(buy, { PhoneNumber: "+442071838750" })).toMatchObject({ micros: 3n });
    expect(micros(buy, { PhoneNumber: "+447400123456" })).toMatchObject({ micros: 9n });
    const start = "POST /verify/v2/Services/VA1/Verifications";
    expect(micros(start, { To: "+442071838750", Channel: "call" })).toMatchObject({ micros: 50_004n, sends: 1 });
    expect(micros(start, { To: US, Channel: "call" })).toMatchObject({ micros: 50_008n });
  });

  test.each([[{}], [{ phone_numbers: [] }], [[]], ["x"]])("refuses the batch %j", (json) => {
    const call = makeCall("POST /lookups/v2/batch/query", { json: json as JsonValue });
    expect(exposureOf(twilio, call, PRICING)).toMatchObject({ code: "request_rejected" });
  });
});

test("the price of a call is asked for later, and what that price leaves out stays counted", () => {
  const answer = makeAnswer({ sid: sid("CA"), price: null, status: "queued" });
  const cost = (Twiml: string, pricing = makePricing()) =>
    costOf(twilio, makeCall(`POST ${ROOT}/Calls.json`, { form: { ...CALL, Twiml, TimeLimit: "60" } }), answer, pricing);
  const pricedLaterAt = `${ROOT}/Calls/${sid("CA")}.json`;
  const counted = { source: "rate_table", vendorTxnId: sid("CA"), pricedLaterAt } as const;
  expect(cost(HANG_UP)).toEqual({ ...counted, micros: 14_000n, besidesMicros: 0n });
  expect(cost(SAY)).toEqual({ ...counted, micros: 27_000n, besidesMicros: 13_000n });
  const free = makePricing({}, { "twilio.voice.say": 0n });
  expect(cost(SAY, free)).toEqual({ ...counted, micros: 14_000n, besidesMicros: 0n });
});
