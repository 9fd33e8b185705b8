import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../src/core/call.ts";
import { resend } from "../../src/vendors/resend.ts";
import { costOf, exposureOf, makeAnswer, makeCall, makePricing } from "./make-call.ts";

const NO_ACCOUNT = { accountId: "" };

function email(json: Record<string, JsonValue>) {
  return makeCall("POST /emails", { json: { from: "Acme <a@acme.test>", subject: "hi", ...json } });
}

function batch(...to: JsonValue[]) {
  return makeCall("POST /emails/batch", { json: to.map((each) => ({ from: "a@acme.test", to: each })) });
}

const many = (count: number) => Array.from({ length: count }, (_, index) => `u${index}@example.com`);

describe("what an email can cost at most", () => {
  test.each([
    ["one recipient", email({ to: "ada@example.com" }), 1],
    ["a named recipient", email({ to: "Ada Lovelace <ada@example.com>" }), 1],
    ["a quoted name", email({ to: '"Ada" <ada@example.com>' }), 1],
    [
      "to, cc and bcc",
      email({ to: ["a@example.com", "b@example.com"], cc: "c@example.com", bcc: ["d@example.com"] }),
      4,
    ],
    ["one address twice", email({ to: ["a@example.com", "a@example.com"] }), 2],
    ["a scheduled email", email({ to: "a@example.com", scheduled_at: "2030-01-01T00:00:00Z" }), 1],
    ["fifty recipients in each field", email({ to: many(50), cc: many(50), bcc: many(50) }), 150],
    ["a batch", batch("a@example.com", ["b@example.com", "c@example.com"]), 3],
    ["a field that is null", email({ to: "a@example.com", cc: null }), 1],
  ])("counts %s", (_what, call, sends) => {
    expect(exposureOf(resend, call)).toEqual({
      ok: true,
      micros: BigInt(sends) * 900n,
      sends,
      currency: undefined,
      source: "rate_table",
    });
  });

  test("takes the operator's price", () => {
    const pricing = makePricing({}, { "resend.email": 400n });
    expect(exposureOf(resend, email({ to: "ada@example.com" }), pricing)).toMatchObject({ micros: 400n });
  });

  test.each([
    ["no recipient", email({})],
    ["an empty list", email({ to: [] })],
    ["51 addresses in to", email({ to: many(51) })],
    ["two addresses in one text", email({ to: "a@example.com, b@example.com" })],
    ["two addresses in one name", email({ to: "a@example.com,b@example.com <c@example.com>" })],
    ["an address without a domain", email({ to: "ada" })],
    ["a domain without a dot", email({ to: "ada@localhost" })],
    ["an address with a line break", email({ to: "ada@example.com\nbcc: b@example.com" })],
    ["an address with a space", email({ to: " ada@example.com" })],
    ["two pairs of brackets", email({ to: "Ada <a@example.com> <b@example.com>" })],
    ["a recipient that is no text", email({ to: [1] })],
    ["a nested list", email({ to: [["a@example.com"]] })],
    ["recipients in capitals", email({ to: "a@example.com", BCC: many(2) })],
    ["recipients among the headers", email({ to: "a@example.com", headers: { Bcc: "b@example.com" } })],
    ["headers as a list", email({ to: "a@example.com", headers: ["Bcc: b@example.com"] })],
    ["an odd sender", email({ to: "a@example.com", from: "a@acme.test, b@other.test" })],
    ["a sender that is no text", email({ to: "a@example.com", from: ["a@acme.test"] })],
    ["a body that is no object", makeCall("POST /emails", { json: [{ to: "a@example.com" }] })],
    ["no body", makeCall("POST /emails")],
    ["an empty batch", makeCall("POST /emails/batch", { json: [] })],
    ["a batch of 101", batch(...many(101))],
    ["a batch that is no list", makeCall("POST /emails/batch", { json: { to: "a@example.com" } })],
    ["a batch with an odd item", makeCall("POST /emails/batch", { json: [{ to: "a@example.com" }, null] })],
  ])("refuses %s", (_what, call) => {
    expect(exposureOf(resend, call)).toMatchObject({
      ok: false,
      code: "request_rejected",
      message: expect.stringMatching(/^Keybrake: .+\.$/),
    });
  });
});

describe("what an email did cost", () => {
  test("is what was asked for, as Resend tells no price", () => {
    const call = email({ to: ["a@example.com", "b@example.com"] });
    const id = "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794";
    expect(costOf(resend, call, makeAnswer({ id }))).toEqual({ micros: 1800n, source: "rate_table", vendorTxnId: id });
    expect(costOf(resend, call, makeAnswer({}))).toMatchObject({ micros: 1800n, unreadable: true });
    expect(costOf(resend, call, makeAnswer(undefined))).toMatchObject({ micros: 1800n, unreadable: true });
  });

  const THREE = batch("a@example.com", ["b@example.com", "c@example.com"], "d@example.com");
  const sent = (count: number) => Array.from({ length: count }, (_, index) => ({ id: `id-${index}` }));
  const PERMISSIVE = { ...THREE, headers: new Map([["x-batch-validation", "permissive"]]) };
  test.each([
    ["a batch that was sent whole", { data: sent(3) }, 3600n, undefined],
    ["a permissive batch that was sent whole", { data: sent(3), errors: [] }, 3600n, undefined],
    [
      "one without the item that was refused",
      { data: sent(2), errors: [{ index: 1, message: "no" }] },
      1800n,
      undefined,
    ],
    ["one whose counts do not add up", { data: sent(1), errors: [{ index: 1, message: "no" }] }, 3600n, true],
    ["one that names an item twice", { data: sent(2), errors: [{ index: 1 }, { index: 1 }] }, 3600n, true],
    ["one that names an item there is not", { data: sent(2), errors: [{ index: 3 }] }, 3600n, true],
    ["one that names no index", { data: sent(2), errors: [{ message: "no" }] }, 3600n, true],
    ["one without data", { id: "x" }, 3600n, true],
  ])("counts %s", (_what, json, micros, unreadable) => {
    const cost = costOf(resend, PERMISSIVE, makeAnswer(json as never));
    expect(cost.micros).toBe(micros);
    expect(cost.unreadable).toBe(unreadable as never);
  });

  test("believes no partial answer to a batch that was not permissive", () => {
    const partial = makeAnswer({ data: sent(2), errors: [{ index: 1, message: "no" }] });
    for (const mode of ["strict", "Permissive", "permissive, strict", ""]) {
      const call = { ...THREE, headers: new Map([["x-batch-validation", mode]]) };
      expect(costOf(resend, call, partial)).toMatchObject({ micros: 3600n, unreadable: true });
    }
    expect(costOf(resend, THREE, partial)).toMatchObject({ micros: 3600n, unreadable: true });
  });
});

describe("what a Resend call reaches", () => {
  test("reports every recipient and the sender as bare addresses", () => {
    const call = email({ to: "Ada <ada@Example.COM>", cc: ["b@example.com"], bcc: "c@example.org" });
    expect(resend.scope(call, NO_ACCOUNT)).toEqual({
      recipients: ["ada@example.com", "b@example.com", "c@example.org"],
      senders: ["a@acme.test"],
    });
  });

  test("reports those of every email in a batch, and of an event", () => {
    expect(resend.scope(batch("a@example.com", "b@example.com"), NO_ACCOUNT).recipients).toEqual([
      "a@example.com",
      "b@example.com",
    ]);
    const event = makeCall("POST /events/send", { json: { event: "x", email: "a@example.com" } });
    expect(resend.scope(event, NO_ACCOUNT)).toEqual({ recipients: ["a@example.com"] });
    expect(resend.scope(makeCall("GET /emails"), NO_ACCOUNT)).toEqual({});
  });
});

describe("custom headers that could be read as more than one", () => {
  for (const headers of [
    { "X-A": "1\r\nBcc: evil@z.example" },
    { "Bcc:": "evil@z.example" },
    { "X-A: 1 Bcc": "evil@z.example" },
  ]) {
    test(`are refused: ${JSON.stringify(headers)}`, () => {
      const mail = { from: "a@example.com", to: "b@example.org", subject: "hi", text: "hello" };
      expect(exposureOf(resend, makeCall("POST /emails", { json: { ...mail, headers } }))).toMatchObject({
        ok: false,
        code: "request_rejected",
      });
      expect(
        exposureOf(resend, makeCall("POST /emails", { json: { ...mail, headers: { "X-Entity-Ref-ID": "1" } } })),
      ).toMatchObject({ ok: true });
    });
  }
});
