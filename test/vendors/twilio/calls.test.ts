import { describe, expect, test } from "bun:test";
import { twilio } from "../../../src/vendors/twilio.ts";
import { exposureOf, makeCall, makePricing } from "../make-call.ts";

const ROOT = `/2010-04-01/Accounts/AC${"0".repeat(32)}`;
const CALL = {
  To: "+14155550100",
  From: "+14155550199",
  Twiml: "<Response><Hangup/></Response>",
  TimeLimit: "60",
};

function quote(form: Record<string, string>, prices: Record<string, bigint> = {}, path = "Calls.json") {
  const fields = Object.fromEntries(Object.entries({ ...CALL, ...form }).filter(([, value]) => value !== ""));
  return exposureOf(twilio, makeCall(`POST ${ROOT}/${path}`, { form: fields }), makePricing({}, prices));
}

describe("what a call can cost at most", () => {
  test.each([
    ["one minute", {}, {}, 14_000n],
    ["a started minute as a whole one", { TimeLimit: "61" }, {}, 28_000n],
    ["the four hours of a call without TimeLimit", { TimeLimit: "" }, {}, 3_360_000n],
    ["the day of one that says so", { TimeLimit: "86400" }, {}, 20_160_000n],
    ["the operator's rate of a country", { To: "+442071838750" }, { "twilio.voice.+44": 20_000n }, 20_000n],
    ["the operator's rate of Alaska", { To: "+19075550100" }, { "twilio.voice.+1907": 90_000n }, 90_000n],
    ["a minute to SIP", { To: "sip:a@example.com" }, { "twilio.voice.sip": 4_000n }, 4_000n],
    ["a minute to an app", { To: "client:ann" }, { "twilio.voice.client": 5_000n }, 5_000n],
    [
      "detection once",
      { MachineDetection: "Enable", TimeLimit: "120" },
      { "twilio.voice.machine_detection": 7_500n },
      35_500n,
    ],
    ["recording by the minute", { Record: "true", TimeLimit: "120" }, { "twilio.voice.recording": 2_500n }, 33_000n],
    ["nothing for events", { "StatusCallbackEvent[0]": "initiated", "StatusCallbackEvent[1]": "ringing" }, {}, 14_000n],
    ["no recording where it says no", { Record: "false" }, {}, 14_000n],
    [
      "instructions from outside by the minute",
      { Twiml: "", Url: "https://e.example", TimeLimit: "120" },
      { "twilio.voice.instructions": 100_000n },
      228_000n,
    ],
    [
      "instructions from outside that an operator has said cost nothing",
      { Twiml: "", ApplicationSid: "AP1" },
      { "twilio.voice.instructions": 0n },
      14_000n,
    ],
    [
      "verbs that dial as instructions from outside",
      { Twiml: "<Response><Dial>+1900</Dial></Response>" },
      { "twilio.voice.instructions": 1_000n },
      15_000n,
    ],
    [
      "speech in blocks of 100 characters",
      { Twiml: `<Response><Say>${"a".repeat(101)}</Say></Response>` },
      {},
      40_000n,
    ],
    [
      "speech at the operator's price",
      { Twiml: "<Response><Say>hi</Say></Response>" },
      { "twilio.voice.say": 800n },
      14_800n,
    ],
  ] as const)("counts %s", (_what, form, prices, micros) => {
    expect(quote(form, prices)).toEqual({ ok: true, micros, sends: 0, currency: undefined, source: "rate_table" });
  });

  test.each([
    ["an unread Url", { Twiml: "", Url: "https://e.example" }, "twilio.voice.instructions"],
    ["a Url beside TwiML, which it replaces", { Url: "https://e.example" }, "twilio.voice.instructions"],
    ["a fallback", { FallbackUrl: "https://e.example" }, "twilio.voice.instructions"],
    ["an application beside TwiML", { ApplicationSid: "AP1" }, "twilio.voice.instructions"],
    ["a second leg", { Twiml: "<Response><Dial>+19005550100</Dial></Response>" }, "verb Dial"],
    ["a recording", { Record: "record-from-answer-dual" }, "twilio.voice.recording"],
    ["detection", { MachineDetection: "DetectMessageEnd" }, "twilio.voice.machine_detection"],
    ["SIP", { To: "sip:a@example.com" }, "twilio.voice.sip"],
    ["a WhatsApp call", { To: "whatsapp:+14155550100" }, "whatsapp addresses"],
    ["Jamaica", { To: "+18765550100" }, "twilio.voice.+…"],
    ["Alaska", { To: "+19075550100" }, "twilio.voice.+…"],
    ["the United Kingdom", { To: "+442071838750" }, "twilio.voice.+…"],
    ["a branded call", { CallReason: "sale" }, "CallReason"],
    ["a carrier of one's own", { Byoc: "BY1" }, "Byoc"],
    ["a recording behind an index", { "Record[0]": "true" }, "Record[0]"],
    ["a parameter in lower case", { record: "true" }, "record"],
  ] as const)("does not know that of %s, and says what would tell", (_what, form, named) => {
    const said = quote(form);
    if (said.ok || !("message" in said)) throw new Error("it was priced");
    expect(said.code).toBe("cost_unknown");
    expect(said.message).toStartWith("Keybrake: ");
    expect(said.message).toContain(named);
  });

  test.each([
    ["no instructions", { Twiml: "" }],
    ["no callee", { To: "" }],
    ["a callee that is no number", { To: "ann" }],
    ["TimeLimit=0", { TimeLimit: "0" }],
    ["TimeLimit=1e9", { TimeLimit: "1e9" }],
    ["TimeLimit=060", { TimeLimit: "060" }],
    ["more than a day", { TimeLimit: "86401" }],
  ])("rejects %s", (_what, form) => {
    expect(quote(form)).toMatchObject({ ok: false, code: "request_rejected" });
  });
});

describe("what a conference's participant can cost at most", () => {
  const CONFERENCE = { "twilio.voice.conference": 1_800n, "twilio.voice.recording": 2_500n };
  const participant = (form: Record<string, string>, prices: Record<string, bigint> = CONFERENCE) =>
    quote({ Twiml: "", ...form }, prices, "Conferences/room/Participants.json");

  test("is its leg, its minutes of the conference, and either recording", () => {
    expect(participant({})).toMatchObject({ micros: 15_800n });
    expect(participant({ ConferenceRecord: "do-not-record" })).toMatchObject({ micros: 15_800n });
    expect(participant({ ConferenceRecord: "record-from-start", Record: "true" })).toMatchObject({ micros: 20_800n });
  });

  test("is unknown without the conference's price, to an application, or by a parameter of a call", () => {
    for (const [form, prices] of [
      [{}, {}],
      [{ To: "app:AP1" }],
      [{ Url: "https://e.example" }],
      [{ WaitUrl: "https://e.example" }],
    ] as const) {
      expect(participant(form as Record<string, string>, prices)).toMatchObject({ code: "cost_unknown" });
    }
  });
});
