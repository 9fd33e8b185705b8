import { describe, expect, test } from "bun:test";
import { operationOf } from "../../../src/vendors/operations.ts";
import { readTwiml } from "../../../src/vendors/twilio/twiml.ts";
import { twilio } from "../../../src/vendors/twilio.ts";
import { workMs } from "../../harness/work-time.ts";
import { type CallParts, exposureOf, makeCall, makePricing, operationFor } from "../make-call.ts";

const ROOT = `/2010-04-01/Accounts/AC${"0".repeat(32)}`;
const US = "+14155550100";
const SERVICE = `/messaging/v1/Services/MG${"a".repeat(32)}`;
const PRICING = makePricing({}, { "twilio.lookup.sim_swap": 40_000n });

/** The code with which a call is refused before it is sent; undefined where it may go out. */
function refusalOf(line: string, parts: CallParts): string | undefined {
  const call = makeCall(line, parts);
  const operation = operationFor(twilio, call);
  if (operation.class === "unknown") return "cost_unknown";
  const refused = operation.refuse?.(call);
  if (refused) return refused.code;
  const exposure = operation.exposure?.(call, PRICING, new Map());
  return exposure && !exposure.ok ? exposure.code : undefined;
}

describe("Twilio counts nothing as free that costs", () => {
  // TwiML behind such an address answers every message that arrives, to whomever it likes.
  test.each([
    ["POST /messaging/v1/Services", { FriendlyName: "x", InboundRequestUrl: "https://e.example/reply" }],
    [`POST ${SERVICE}`, { InboundRequestUrl: "https://e.example/reply" }],
    [`POST ${SERVICE}`, { FallbackUrl: "https://e.example/reply" }],
    [`POST ${SERVICE}`, { inboundRequestUrl: "https://e.example/reply" }],
  ])("refuses new instructions for messages that arrive: %s %j", (line, form) => {
    expect(refusalOf(line, { form: form as Record<string, string> })).toBe("cost_unknown");
  });

  test("lets a service be named and taken off such an address", () => {
    expect(refusalOf("POST /messaging/v1/Services", { form: { FriendlyName: "x", StickySender: "true" } })).toBe(
      undefined,
    );
    expect(refusalOf(`POST ${SERVICE}`, { form: { InboundRequestUrl: "", FallbackUrl: "" } })).toBe(undefined);
  });

  test("takes only an id for a messaging service: the registration of a campaign is none in any letter case", () => {
    expect(operationOf(twilio, "POST", "/messaging/v1/Services/PreregisteredUsa2p").class).toBe("priced");
    expect(refusalOf("POST /messaging/v1/Services/preregisteredusa2p", {})).toBe("cost_unknown");
  });

  test("lets no Verify service pay for look-ups by a name in another letter case", () => {
    expect(refusalOf("POST /verify/v2/Services/VA1", { form: { LookupEnabled: "false" } })).toBeUndefined();
    for (const form of [{ lookupEnabled: "true" }, { lookupenabled: "1" }]) {
      expect(refusalOf("POST /verify/v2/Services/VA1", { form: form as Record<string, string> })).toBe("cost_unknown");
      expect(refusalOf("POST /verify/v2/Services/VA1", { query: form as Record<string, string> })).toBe("cost_unknown");
    }
  });

  test("counts the data packages of a batch wherever they could be read", () => {
    const line = "POST /lookups/v2/batch/query";
    const number = { phone_number: US };
    const counted = makeCall(line, { json: { phone_numbers: [{ ...number, fields: ["sim_swap"] }] } });
    expect(exposureOf(twilio, counted, PRICING)).toMatchObject({ micros: 40_000n });
    for (const parts of [
      { json: { phone_numbers: [number] }, query: { Fields: "sim_swap" } },
      { json: { phone_numbers: [number], fields: ["sim_swap"] } },
      { json: { phone_numbers: [{ ...number, Fields: ["sim_swap"] }] } },
      { json: { phone_numbers: [number], phoneNumbers: [{ ...number, fields: ["sim_swap"] }] } },
      { json: { phone_numbers: [number, [{ fields: ["sim_swap"] }]] } },
    ]) {
      expect(refusalOf(line, parts)).toMatch(/^(?:cost_unknown|request_rejected)$/);
    }
  });

  test("refuses a sender of another channel in whatever parameter", () => {
    const form = { To: US, Body: "hi", MessagingServiceSid: `MG${"a".repeat(32)}` };
    expect(refusalOf(`POST ${ROOT}/Messages.json`, { form })).toBeUndefined();
    const fallback = { ...form, FallbackFrom: "whatsapp:+14155550199" };
    expect(refusalOf(`POST ${ROOT}/Messages.json`, { form: fallback })).toBe("cost_unknown");
  });

  test.each([
    '<?xml version="1.0" encoding="UTF-7"?><Response><Say>+ADw-Dial+AD4-</Say></Response>',
    "<?xml version='1.0' encoding='IBM037'?><Response><Hangup/></Response>",
    '<?xml version="1.0" encoding="utf-16"?><Response><Hangup/></Response>',
    '<?xml-stylesheet href="x"?><Response><Hangup/></Response>',
  ])("does not read TwiML that says it is in another encoding: %s", (text) => {
    expect(readTwiml(text)).toMatchObject({ ok: false });
  });

  test.each([
    '<?xml version="1.0" encoding="UTF-8"?><Response><Hangup/></Response>',
    "<?xml version='1.0'?>\n<Response><Hangup/></Response>",
    '<?xml version="1.0" encoding="utf-8" standalone="yes" ?><Response><Hangup/></Response>',
  ])("reads the declarations that SDKs write: %s", (text) => {
    expect(readTwiml(text)).toMatchObject({ ok: true });
  });

  test("reads long TwiML in a moment, whatever it repeats", () => {
    const texts = [
      `<Response><Say ${"a ".repeat(50_000)}`,
      `<Response><Say ${'a="b" '.repeat(50_000)}`,
      `<Response><Say a${" ".repeat(100_000)}`,
      `<Response><Say${' a = "'.repeat(50_000)}>`,
    ];
    for (const text of texts) expect(readTwiml(text)).toMatchObject({ ok: false });
    const tookMs = workMs(() => {
      for (const text of texts) readTwiml(text);
    });
    expect(tookMs).toBeLessThan(1500);
  });
});
