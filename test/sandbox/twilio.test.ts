import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { RestException, Twilio } from "twilio";
import { rejectionOf, startTrial, type Trial, twilioOf } from "./trial.ts";

let trial: Trial;
let client: Twilio;

beforeAll(async () => {
  trial = await startTrial();
  client = twilioOf(trial);
});
afterAll(() => trial.sandbox.stop());

const from = "+15550001234";
const to = "+15558675310";
type TwilioFailure = InstanceType<typeof RestException>;

function get(path: string, authorization?: string): Promise<Response> {
  const { accountSid, authToken } = trial.sandbox.credentials.twilio;
  const basic = `Basic ${btoa(`${accountSid}:${authToken.reveal()}`)}`;
  return fetch(trial.sandbox.origins.twilio + path, { headers: { authorization: authorization ?? basic } });
}

describe("a message", () => {
  test("is queued without a price, then sent, then delivered with a negative one", async () => {
    const message = await client.messages.create({ from, to, body: "hello" });
    expect(message).toMatchObject({ status: "queued", price: null, numSegments: "1", to, from });
    expect(message.sid).toMatch(/^SM[0-9a-f]{32}$/);
    expect(message.dateCreated.getTime()).toBe(trial.clock.now());

    trial.clock.advance(1_999);
    expect(await client.messages(message.sid).fetch()).toMatchObject({ status: "sent", price: null });
    trial.clock.advance(1);
    expect(await client.messages(message.sid).fetch()).toMatchObject({
      status: "delivered",
      price: "-0.00830",
      priceUnit: "USD",
    });
  });

  test.each([
    ["161 GSM characters", { body: "a".repeat(161) }, "2", "-0.01660"],
    ["1,600 Cyrillic letters", { body: "я".repeat(1_600) }, "24", "-0.19920"],
    ["a picture", { body: "", mediaUrl: ["https://example.com/a.png"] }, "1", "-0.02200"],
  ])("of %s costs what its parts cost", async (_what, parameters, segments, price) => {
    const message = await client.messages.create({ from, to, ...parameters });
    expect(message.numSegments).toBe(segments);
    trial.clock.advance(2_000);
    expect((await client.messages(message.sid).fetch()).price).toBe(price);
  });

  test("of a messaging service is accepted, with 0 segments until it is sent", async () => {
    const message = await client.messages.create({ messagingServiceSid: `MG${"0".repeat(32)}`, to, body: "hello" });
    expect(message).toMatchObject({ status: "accepted", numSegments: "0", from: null });
    trial.clock.advance(1_000);
    expect(await client.messages(message.sid).fetch()).toMatchObject({ status: "sent", numSegments: "1" });
  });

  test("is cancelled before it is sent and not after, is redacted, and is deleted", async () => {
    const { sid } = await client.messages.create({ from, to, body: "secret plan" });
    expect(await client.messages(sid).update({ body: "" })).toMatchObject({ body: "", status: "queued" });
    expect(await client.messages(sid).update({ status: "canceled" })).toMatchObject({ status: "canceled" });
    trial.clock.advance(5_000);
    expect(await client.messages(sid).fetch()).toMatchObject({ status: "canceled", price: null });
    const late = await client.messages.create({ from, to, body: "x" });
    trial.clock.advance(1_000);
    await rejectionOf(client.messages(late.sid).update({ status: "canceled" }));
    expect(await client.messages(late.sid).remove()).toBe(true);
    const gone = await rejectionOf<TwilioFailure>(client.messages(late.sid).fetch());
    expect(gone).toMatchObject({ status: 404, code: 20404 });
  });

  test("goes out from any number, and a sender that is none is told which would do", async () => {
    for (const sender of [from, "+442071838750", "12345", "Our Shop", "whatsapp:+14155238886"]) {
      expect((await client.messages.create({ from: sender, to, body: "x" })).from).toBe(sender);
    }
    const refused = await rejectionOf<TwilioFailure>(client.messages.create({ from: "me!", to, body: "x" }));
    expect(refused.message).toContain(
      "'From' Number: me!. The sandbox takes any number in E.164, such as +15005550006",
    );
  });

  test("is listed newest first, filtered and paged without gaps or repeats", async () => {
    const made: string[] = [];
    const target = "+15557770000";
    for (let i = 0; i < 5; i++) made.unshift((await client.messages.create({ from, to: target, body: `${i}` })).sid);
    const listed = await client.messages.list({ to: target, pageSize: 2 });
    expect(listed.map(({ sid }) => sid)).toEqual(made);
    const page = await (
      await get(`/2010-04-01/Accounts/${trial.sandbox.credentials.twilio.accountSid}/Messages.json?PageSize=2`)
    ).json();
    expect(page).toMatchObject({ page: 0, page_size: 2, previous_page_uri: null });
    expect((page as { next_page_uri: string }).next_page_uri).toContain(`PageToken=PA${made[1]}`);
  });

  test.each([
    ["Twilio's invalid number", { from, to: "+15005550001", body: "x" }, 21211],
    ["an unsubscribed recipient", { from, to: "+15005550004", body: "x" }, 21610],
    ["a number that is none", { from, to: "++", body: "x" }, 21211],
    ["an object's own property as number", { from, to: "constructor", body: "x" }, undefined],
    ["a sender that is not ours", { from: "+15005550007", to, body: "x" }, 21606],
    ["a sender that nobody could have", { from: "+0123456789", to, body: "x" }, 21212],
    ["a sender that is prose", { from: "nobody's number", to, body: "x" }, 21212],
    ["no recipient", { from, to: "", body: "x" }, 21604],
    ["no sender", { to, body: "x" }, 21603],
    ["no content", { from, to }, 21602],
    ["1,601 characters", { from, to, body: "x".repeat(1_601) }, 21617],
  ])("to or with %s gets Twilio's code", async (_what, parameters, code) => {
    const create = client.messages.create(parameters);
    if (code === undefined) {
      expect((await create).status).toBe("queued");
      return;
    }
    const refused = await rejectionOf<TwilioFailure>(create);
    expect(refused).toMatchObject({ status: 400, code, moreInfo: `https://www.twilio.com/docs/errors/${code}` });
  });
});

describe("a phone call", () => {
  test("is queued, under way, then completed with its price", async () => {
    const call = await client.calls.create({ from, to, url: "https://example.com/twiml" });
    expect(call).toMatchObject({ status: "queued", price: null });
    expect(call.sid).toMatch(/^CA[0-9a-f]{32}$/);
    trial.clock.advance(1_000);
    expect(await client.calls(call.sid).fetch()).toMatchObject({ status: "in-progress", price: null });
    trial.clock.advance(1_000);
    expect(await client.calls(call.sid).fetch()).toMatchObject({
      status: "completed",
      price: "-0.01400",
      duration: "60",
    });
    expect((await client.calls.list({ limit: 1 }))[0]?.sid).toBe(call.sid);
  });

  test("that is cancelled in time never costs anything", async () => {
    const call = await client.calls.create({ from, to, twiml: "<Response/>" });
    expect(await client.calls(call.sid).update({ status: "canceled" })).toMatchObject({ status: "canceled" });
    trial.clock.advance(9_000);
    expect(await client.calls(call.sid).fetch()).toMatchObject({ status: "canceled", price: null });
    await rejectionOf(client.calls(call.sid).update({ status: "completed" }));
  });

  test.each([
    ["Twilio's invalid number", { from, to: "+15005550001", url: "https://example.com" }, 21217],
    ["no instructions", { from, to }, 21205],
    ["a caller that nobody could be", { from: "nobody's number", to, url: "https://example.com" }, 21212],
  ])("to or with %s gets Twilio's code", async (_what, parameters, code) => {
    const create = client.calls.create(parameters as Parameters<typeof client.calls.create>[0]);
    expect(await rejectionOf<TwilioFailure>(create)).toMatchObject({ status: 400, code });
  });
});

describe("a credential", () => {
  const messages = () => `/2010-04-01/Accounts/${trial.sandbox.credentials.twilio.accountSid}/Messages.json`;

  test("that is wrong is refused by 20003, to the SDK as well", async () => {
    const error = await rejectionOf<TwilioFailure>(
      twilioOf(trial, "vault_key_x").messages.create({ from, to, body: "x" }),
    );
    expect(error).toMatchObject({ status: 401, code: 20003 });
  });

  test.each([
    ["none", () => ""],
    ["a vault key as Bearer", () => "Bearer vault_key_0123456789"],
    ["the right token as Bearer", () => `Bearer ${trial.sandbox.credentials.twilio.authToken.reveal()}`],
    ["a vault key as user", () => `Basic ${btoa("vault_key_0123456789:x")}`],
    ["the account without its token", () => `Basic ${btoa(`${trial.sandbox.credentials.twilio.accountSid}:`)}`],
    [
      "another account with the right token",
      () => `Basic ${btoa(`AC${"0".repeat(32)}:${trial.sandbox.credentials.twilio.authToken.reveal()}`)}`,
    ],
  ])("refuses %s with 401", async (_what, authorization) => {
    const answer = await get(messages(), authorization());
    expect(answer.status).toBe(401);
    expect(await answer.json()).toMatchObject({ code: 20003, status: 401 });
  });

  test("opens its own account only", async () => {
    const own = trial.sandbox.credentials.twilio.accountSid;
    expect((await get(`/2010-04-01/Accounts/${own}.json`)).status).toBe(200);
    for (const path of [messages().replace(own, `AC${"0".repeat(32)}`), `/2010-04-01/Accounts/${own}/Nothing.json`]) {
      const answer = await get(path);
      expect(answer.status).toBe(404);
      expect(await answer.json()).toMatchObject({ code: 20404 });
    }
  });
});

describe("failure on demand", () => {
  const count = async () => (await client.messages.list({ pageSize: 1_000 })).length;

  test.each([
    ["error_500", 500, 20500],
    ["error_429", 429, 20429],
  ])("%s answers so, and sends nothing", async (word, status, code) => {
    const before = await count();
    const create = client.messages.create({ from, to, body: `sandbox:${word} please` });
    expect(await rejectionOf<TwilioFailure>(create)).toMatchObject({ status, code });
    expect(await count()).toBe(before);
  });

  test("reset loses the answer of a message that was sent", async () => {
    const before = await count();
    await rejectionOf(client.messages.create({ from, to, body: "sandbox:reset" }));
    expect(await count()).toBe(before + 1);
  });

  test("a call fails by its Twiml", async () => {
    const create = client.calls.create({ from, to, twiml: "sandbox:error_500" });
    expect(await rejectionOf<TwilioFailure>(create)).toMatchObject({ status: 500 });
  });

  test("slow answers, and another word is an ordinary body", async () => {
    expect((await client.messages.create({ from, to, body: "sandbox:slow" })).status).toBe("queued");
    expect((await client.messages.create({ from, to, body: "sandbox:resetting" })).body).toBe("sandbox:resetting");
  });
});
