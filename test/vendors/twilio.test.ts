import { describe, expect, test } from "bun:test";
import { twilio } from "../../src/vendors/twilio.ts";
import { costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "./make-call.ts";

const SID = `AC${"0".repeat(32)}`;
const OTHER = `AC${"1".repeat(32)}`;
const MESSAGE_SID = `SM${"a".repeat(32)}`;
const ACCOUNT = { accountId: SID };
const MESSAGES = `POST /2010-04-01/Accounts/${SID}/Messages.json`;
const US = "+14155550100";
const PRICED_AT = `/2010-04-01/Accounts/${SID}/Messages/${MESSAGE_SID}.json`;

function message(form: Record<string, string>) {
  return makeCall(MESSAGES, { form: { To: US, From: "+14155550199", ...form } });
}

describe("what a message can cost at most", () => {
  test.each([
    ["one segment", { Body: "hello" }, 15_300n],
    ["eleven segments", { Body: "a".repeat(1600) }, 168_300n],
    ["three segments, as one ç makes them UCS-2", { Body: `${"a".repeat(159)}ç` }, 45_900n],
    ["no fewer with Smart Encoding", { Body: `${"a".repeat(159)}ç`, SmartEncoded: "true" }, 45_900n],
    ["one MMS", { Body: "a".repeat(1000), "MediaUrl[0]": "https://example.com/a.png" }, 35_000n],
    ["text sent as MMS", { Body: "hello", SendAsMms: "true" }, 35_000n],
    ["an MMS without text", { "MediaUrl[0]": "https://example.com/a.png" }, 35_000n],
    ["the United Kingdom", { To: "+447400123456", Body: "hello" }, 56_000n],
    [
      "a Messaging Service",
      { MessagingServiceSid: `MG${"0".repeat(32)}`, Body: "hello", RiskCheck: "disable" },
      15_300n,
    ],
  ])("counts %s", (_what, form, micros) => {
    expect(exposureOf(twilio, message(form as Record<string, string>))).toEqual({
      ok: true,
      micros,
      sends: 1,
      currency: undefined,
      source: "rate_table",
    });
  });

  test("takes the operator's price for the longest prefix", () => {
    const pricing = makePricing(
      {},
      { "twilio.sms.+44": 40_000n, "twilio.sms.+447400": 50_000n, "twilio.sms.+1876": 300_000n },
    );
    const micros = (To: string) => exposureOf(twilio, message({ To, Body: "hi" }), pricing);
    expect(micros("+447500123456")).toMatchObject({ micros: 40_000n });
    expect(micros("+447400123456")).toMatchObject({ micros: 50_000n });
    expect(micros("+18765550100")).toMatchObject({ micros: 300_000n });
    expect(micros(US)).toMatchObject({ micros: 15_300n });
  });

  test.each([
    ["cost_unknown", "a country without a rate", { To: "+491701234567", Body: "hi" }],
    ["cost_unknown", "Jamaica, which shares +1", { To: "+18765550100", Body: "hi" }],
    ["cost_unknown", "the Isle of Man, which shares +44", { To: "+447624123456", Body: "hi" }],
    ["cost_unknown", "an MMS abroad", { To: "+447400123456", "MediaUrl[0]": "https://example.com/a.png" }],
    ["cost_unknown", "WhatsApp", { To: "whatsapp:+14155550100", Body: "hi" }],
    ["cost_unknown", "a WhatsApp sender", { From: "whatsapp:+14155550199", Body: "hi" }],
    ["cost_unknown", "a content template", { ContentSid: `HX${"0".repeat(32)}` }],
    ["cost_unknown", "a content template beside a body", { ContentSid: `HX${"0".repeat(32)}`, Body: "hi" }],
    ["cost_unknown", "link shortening", { Body: "hi", ShortenUrls: "true" }],
    ["cost_unknown", "pumping protection", { Body: "hi", RiskCheck: "enable" }],
    ["cost_unknown", "a parameter of tomorrow", { Body: "hi", Gilded: "true" }],
    ["cost_unknown", "a body in lower case", { body: "hi" }],
    ["request_rejected", "a number without its plus", { To: "14155550100", Body: "hi" }],
    ["request_rejected", "a number with spaces", { To: "+1 415 555 0100", Body: "hi" }],
    ["request_rejected", "a North American number that is too short", { To: "+1415555010", Body: "hi" }],
    ["request_rejected", "a body over the limit", { Body: "a".repeat(1601) }],
    ["request_rejected", "nothing to say", {}],
  ])("answers %s to %s", (code, _what, form) => {
    expect(exposureOf(twilio, message(form as Record<string, string>))).toMatchObject({
      ok: false,
      code,
      message: expect.stringMatching(/^Keybrake: .+\.$/),
    });
  });

  test("refuses a message without a recipient", () => {
    expect(exposureOf(twilio, makeCall(MESSAGES, { form: { Body: "hi" } }))).toMatchObject({
      code: "request_rejected",
    });
  });
});

describe("what a message did cost", () => {
  const answer = (more: Record<string, string | null>) =>
    makeAnswer({ sid: MESSAGE_SID, status: "queued", price: null, price_unit: null, num_segments: "1", ...more });
  const RATES = makePricing({ gbp: 1_300_000n });
  const THREE = message({ Body: `${"a".repeat(159)}ç` });

  test.each([
    ["the segments that Twilio counted", { num_segments: "2" }, 30_600n, "rate_table"],
    ["more segments than were held", { num_segments: "4" }, 61_200n, "rate_table"],
    ["the request where a Messaging Service has not counted", { num_segments: "0" }, 45_900n, "rate_table"],
    ["Twilio's own price, without its sign", { price: "-0.02490", price_unit: "USD" }, 24_900n, "vendor_response"],
    ["a price in another currency that has a rate", { price: "-0.02", price_unit: "GBP" }, 26_000n, "vendor_response"],
    ["a price rounded up", { price: "-0.0000001", price_unit: "usd" }, 1n, "vendor_response"],
  ] as const)("is %s", (_what, more, micros, source) => {
    const later = source === "rate_table" ? { pricedLaterAt: PRICED_AT } : {};
    expect(costOf(twilio, THREE, answer(more as never), RATES)).toEqual({
      micros,
      source,
      vendorTxnId: MESSAGE_SID,
      ...later,
    });
  });

  test("is one MMS whatever the segments", () => {
    const call = message({ Body: "hi", "MediaUrl[0]": "https://example.com/a.png" });
    expect(costOf(twilio, call, answer({ num_segments: "3" })).micros).toBe(35_000n);
  });

  test.each([
    ["no JSON", undefined],
    ["no sid", { price: null, num_segments: "1" }],
    ["no price at all", { sid: MESSAGE_SID, num_segments: "1" }],
    ["a price in euros", { sid: MESSAGE_SID, price: "-0.1", price_unit: "EUR", num_segments: "1" }],
    ["a price that is no number", { sid: MESSAGE_SID, price: "free", price_unit: "USD", num_segments: "1" }],
    ["segments that are no number", { sid: MESSAGE_SID, price: null, num_segments: "many" }],
  ])("is the hold in full where the answer has %s", (_what, json) => {
    expect(costOf(twilio, THREE, makeAnswer(json as never))).toMatchObject({ micros: 45_900n, unreadable: true });
  });
});

describe("what a Twilio call reaches", () => {
  test("tells another account in the path from the configured one", () => {
    expect(twilio.scope(message({ Body: "hi" }), ACCOUNT)).toEqual({ recipients: [US], senders: ["+14155550199"] });
    expect(twilio.scope(makeCall(`GET /2010-04-01/Accounts/${OTHER}/Messages.json`), ACCOUNT)).toEqual({
      accounts: [OTHER],
    });
    expect(twilio.scope(makeCall(`GET /2010-04-01/Accounts/${OTHER}.json`), ACCOUNT)).toEqual({ accounts: [OTHER] });
    expect(twilio.scope(makeCall("GET /2010-04-01/Accounts/vault_key_x/Messages.json"), ACCOUNT)).toEqual({
      accounts: ["vault_key_x"],
    });
  });

  test("tells an account that a parameter names", () => {
    const call = makeCall(`POST /2010-04-01/Accounts/${SID}/IncomingPhoneNumbers/PN1.json`, {
      form: { AccountSid: OTHER },
    });
    expect(twilio.scope(call, ACCOUNT)).toEqual({ accounts: [OTHER] });
  });

  test.each([
    `GET /iam/v1/Accounts/${OTHER}/Roles`,
    `GET /2010-04-01/accounts/${OTHER}/Messages.json`,
    `GET /trusthub/v1/x/${OTHER}.json`,
  ])("tells another account in the path of %s", (line) => {
    expect(twilio.scope(makeCall(line), ACCOUNT)).toEqual({ accounts: [OTHER] });
    expect(twilio.scope(makeCall(line.replace(OTHER, SID)), ACCOUNT)).toEqual({});
  });

  test("tells every account of a parameter, however it is written", () => {
    const fields = { account_sids: `${SID}, ${OTHER}`, "SubAccountSid[0]": "AC2", Owner: OTHER.toUpperCase() };
    const call = makeCall("POST /proxy/v1/Services", { form: fields });
    expect(twilio.scope(call, ACCOUNT)).toEqual({ accounts: [OTHER, "AC2"] });
    const odd = makeCall("POST /proxy/v1/Services", { form: { Owner: OTHER.replaceAll("1", "F") } });
    expect(twilio.scope(odd, ACCOUNT).accounts).toHaveLength(1);
  });

  test("reports recipients and senders of every product, and none of a filter", () => {
    const verify = makeCall("POST /verify/v2/Services/VA1/Verifications", {
      form: { To: "+491701234567", Channel: "sms" },
    });
    expect(twilio.scope(verify, ACCOUNT)).toEqual({ recipients: ["+491701234567"] });
    const service = message({ MessagingServiceSid: "MG1", Body: "hi" });
    expect(twilio.scope(service, ACCOUNT).senders).toEqual(["+14155550199", "MG1"]);
    const list = makeCall(`GET /2010-04-01/Accounts/${SID}/Messages.json`, { query: { To: US } });
    expect(twilio.scope(list, ACCOUNT)).toEqual({});
  });

  test.each([
    `GET /2010-04-01/Accounts/${SID}.json`,
    `GET /2010-04-01/Accounts/${SID}`,
    "GET /2010-04-01/Accounts.csv",
    `GET /2010-04-01/Accounts/${SID}/Keys`,
    `POST /2010-04-01/Accounts/${SID}/Tokens.json`,
    "POST /accounts/v1/AuthTokens/Secondary",
    "POST /verify/v2/Services/VA1/AccessTokens",
  ])("keeps %s closed", (line) => {
    expect(operationFor(twilio, makeCall(line))).toMatchObject({ class: "closed" });
  });

  test("sends each product to its own host", () => {
    expect(twilio.productOrigins["verify"]).toBe("https://verify.twilio.com");
    expect(twilio.productOrigins["api"]).toBeUndefined();
  });
});

describe("how Twilio is reached", () => {
  test("writes an API key's name, or else the account, as Basic user", () => {
    const decode = (username: string) =>
      atob(twilio.writeCredential({ secret: "s3cret", username, accountId: SID })[0]![1].slice("Basic ".length));
    expect(decode("")).toBe(`${SID}:s3cret`);
    expect(decode("SK1")).toBe("SK1:s3cret");
  });

  test("gives the agent a key without underscores, which twilio-go refuses", () => {
    const [python, node] = twilio.agentLines("http://127.0.0.1:7878/twilio", "vault_key_x", ACCOUNT);
    expect(python?.lines).toEqual([
      `client = Client("${SID}", "vaultkeyx")`,
      'client.api.base_url = "http://127.0.0.1:7878/twilio"',
    ]);
    expect(node?.lines[1]).toBe('client.api.baseUrl = "http://127.0.0.1:7878/twilio";');
    expect(twilio.agentEnvironment("http://127.0.0.1:7878/twilio", "vault_key_x", ACCOUNT)).toEqual({
      TWILIO_ACCOUNT_SID: SID,
      TWILIO_AUTH_TOKEN: "vaultkeyx",
      TWILIO_EDGE: "",
      TWILIO_REGION: "",
    });
  });
});

describe("what could be read as another message than the one that was priced", () => {
  const account = `/2010-04-01/Accounts/AC${"0".repeat(32)}`;
  const text = { To: "+14155550100", From: "+14155550199", Body: "hi" };
  const quote = (extra: Record<string, string>) =>
    exposureOf(twilio, makeCall(`POST ${account}/Messages.json`, { form: { ...text, ...extra } }), makePricing());
  const update = (path: string, form: Record<string, string>) => {
    const call = makeCall(`POST ${account}/Messages/${path}`, { form });
    return operationFor(twilio, call).refuse?.(call);
  };

  test("is charged as a picture message however its media are numbered", () => {
    const picture = quote({ "MediaUrl[0]": "https://e.example/1.png" });
    expect(picture.ok).toBe(true);
    expect(quote({ "MediaUrl[7]": "https://e.example/1.png" })).toEqual(picture);
    expect(quote({ "SendAsMms[0]": "true" })).toMatchObject({ ok: false, code: "cost_unknown" });
  });

  test("is refused where an update has no message's id, or more than a redaction or a cancellation", () => {
    const sid = `SM${"0123456789abcdef".repeat(2)}.json`;
    expect(update(sid, { Body: "" })).toBeUndefined();
    expect(update(sid, { Status: "canceled" })).toBeUndefined();
    expect(update(sid, text)).toMatchObject({ ok: false, code: "cost_unknown" });
    expect(update(".json", { Body: "" })).toMatchObject({ ok: false, code: "cost_unknown" });
  });
});
