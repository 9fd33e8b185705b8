import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import type { Micros } from "../../../src/core/money.ts";
import type { Exposure, NoExposure } from "../../../src/vendors/vendor.ts";
import { type CallParts, costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "../make-call.ts";
import { declared } from "./declare.ts";

const acme = declared();
const RATES = { eur: 1_100_000n, jpy: 6_500n };

function exposure(path: string, parts: CallParts, prices: Record<string, Micros> = {}): Exposure | NoExposure {
  const found = exposureOf(acme, makeCall(`POST /acme-api/${path}`, parts), makePricing(RATES, prices));
  if (!found.ok && found.code === "look_up") throw new Error("declared vendors look nothing up");
  return found;
}

const mails = (...mails: JsonValue[]): CallParts => ({ json: { mails } });
const ada = { from: "me@acme.example", to: "ada@example.com" };

/** What a call can cost at most, and how many sends it is. */
const PRICED: readonly (readonly [what: string, path: string, parts: CallParts, micros: Micros, sends: number])[] = [
  ["a fixed price", "reports", { json: {} }, 2_000_000n, 0],
  ["a fixed price without a body", "reports", {}, 2_000_000n, 0],
  ["a number", "images", { json: { n: 3 } }, 120_000n, 0],
  ["a number as text", "images", { json: { n: "3" } }, 120_000n, 0],
  ["a number that is left out", "images", { json: {} }, 40_000n, 0],
  ["a number that is null", "images", { json: { n: null } }, 40_000n, 0],
  ["the entries of a form list", "texts", { form: { "To[0]": "+1", "To[1]": "+2", From: "x" } }, 100_000n, 2],
  ["the entries of a JSON list under a form field's name", "texts", { json: { To: ["+1", "+2", "+3"] } }, 150_000n, 3],
  ["one address", "mails", mails(ada), 1_500n, 1],
  ["a list with commas", "mails", mails({ ...ada, to: "a@example.com, Bo <b@example.com>" }), 3_000n, 2],
  [
    "a list of texts and of objects",
    "mails",
    mails({ ...ada, to: ["a@x.example", { email: "b@x.example" }] }),
    3_000n,
    2,
  ],
  ["every entry and every field", "mails", mails(ada, { ...ada, bcc: "c@x.example" }), 4_500n, 3],
  ["an empty field of addresses", "mails", mails({ ...ada, bcc: "" }), 1_500n, 1],
  ["an amount in cents", "charges", { json: { amount: 1234, currency: "usd" } }, 12_340_000n, 0],
  ["an amount of a form", "charges", { form: { amount: "1234", currency: "USD" } }, 12_340_000n, 0],
  ["another currency, rounded up", "charges", { json: { amount: 1, currency: "eur" } }, 11_000n, 0],
  ["a currency without cents", "charges", { json: { amount: 3, currency: "jpy" } }, 19_500n, 0],
  ["nothing at all", "charges", { json: { amount: 0, currency: "usd" } }, 0n, 0],
  ["decimal amounts of a list", "payouts", { json: [{ amount: "10.50" }, { amount: 0.1 }] }, 10_600_000n, 0],
  ["more decimals than a micro-dollar has, rounded up", "payouts", { json: [{ amount: "0.00000001" }] }, 1n, 0],
];

describe("the most that a call of a declared vendor can cost", () => {
  test.each(PRICED)("counts %s", (_what, path, parts, micros, sends) => {
    expect(exposure(path, parts)).toMatchObject({ ok: true, micros, sends });
  });

  test("takes the operator's price for the unit, per as many units as the declaration says", () => {
    expect(exposure("images", { json: { n: 3 } }, { "acme.image": 10_000n })).toMatchObject({ micros: 30_000n });
    expect(exposure("mails", mails(ada), { "acme.mails.send": 1n })).toMatchObject({ micros: 1n });
    expect(exposure("mails", mails(ada, ada), { "acme.mails.send": 2_000_000n })).toMatchObject({ micros: 4_000n });
  });

  test("names the currency that is moved, so that a policy can allow it", () => {
    expect(exposure("charges", { json: { amount: 1, currency: "EUR" } })).toMatchObject({ currency: "eur" });
    expect(exposure("payouts", { json: [{ amount: "1" }] })).toMatchObject({ currency: "usd" });
    expect(exposure("images", { json: {} })).toMatchObject({ currency: undefined });
  });
});

/** Whatever could be counted as less than the vendor makes of it. */
const REFUSED: readonly (readonly [path: string, parts: CallParts, code: NoExposure["code"], text: string])[] = [
  ["images", { json: { n: 0 } }, "request_rejected", "count to 0"],
  ["images", { json: { n: 11 } }, "request_rejected", "/n counts 11; at most 10"],
  ["images", { json: { n: -1 } }, "request_rejected", 'is "-1" and must be a whole number'],
  ["images", { json: { n: 1.5 } }, "request_rejected", 'is "1.5"'],
  ["images", { json: { n: "1e3" } }, "request_rejected", 'is "1e3"'],
  ["images", { json: { n: " 3" } }, "request_rejected", 'is " 3"'],
  ["images", { json: { n: true } }, "request_rejected", "is a boolean"],
  ["images", { json: { n: [3] } }, "request_rejected", "is a list"],
  ["images", { json: { n: {} } }, "request_rejected", "is an object"],
  ["images", { json: { N: 9 } }, "request_rejected", 'the field "N" has to be written n'],
  ["images", { json: { "n ": 9 } }, "request_rejected", "has to be written n"],
  ["images", { json: { ｎ: 9 } }, "request_rejected", "has to be written n"],
  ["texts", { form: { From: "x" } }, "cost_unknown", "the field To, by which this call is priced, is missing"],
  ["texts", { form: { to: "+1" } }, "request_rejected", 'the field "to" has to be written To'],
  ["texts", { json: { To: "+1" } }, "request_rejected", "must be a list"],
  ["mails", {}, "cost_unknown", "/mails, by which this call is priced, is missing"],
  ["mails", { form: { mails: "1" } }, "cost_unknown", "/mails"],
  ["mails", { json: { mails: {} } }, "request_rejected", "must be a list"],
  ["mails", mails(), "request_rejected", "/mails is empty"],
  ["mails", mails(ada, ada, ada, ada), "request_rejected", "/mails has 4 entries; at most 3"],
  ["mails", mails(ada, "x"), "request_rejected", "no object"],
  ["mails", mails({ from: "a@b.example" }), "cost_unknown", "the field /to"],
  ["mails", mails({ ...ada, to: "" }), "request_rejected", "count to 0"],
  ["mails", mails({ ...ada, to: "a@x.example;b@x.example" }), "request_rejected", "/to has"],
  ["mails", mails({ ...ada, to: ["a@x.example, b@x.example"] }), "request_rejected", "/to has"],
  ["mails", mails({ ...ada, to: { address: "a@x.example" } }), "request_rejected", "/to has null"],
  ["mails", mails({ ...ada, TO: "b@x.example" }), "request_rejected", 'the field "TO" has to be written to'],
  ["charges", { json: { currency: "usd" } }, "cost_unknown", "the amount amount is missing"],
  ["charges", { json: { amount: 5 } }, "cost_unknown", "the currency currency is missing"],
  ["charges", { json: { amount: 5, currency: "gbp" } }, "currency_denied", "no rate for GBP"],
  ["charges", { json: { amount: 5, currency: "xyz" } }, "currency_denied", '"xyz" is no currency'],
  ["charges", { json: { amount: -5, currency: "usd" } }, "request_rejected", 'is "-5"'],
  ["charges", { json: { amount: 5.5, currency: "usd" } }, "request_rejected", 'is "5.5"'],
  ["charges", { form: { amount: "05", currency: "usd" } }, "request_rejected", 'is "05"'],
  ["payouts", { json: [{}] }, "cost_unknown", "the amount /amount is missing"],
  ["payouts", { json: [{ amount: "1,50" }] }, "request_rejected", "must be a decimal number"],
  ["payouts", { json: {} }, "request_rejected", "the body is an object and must be a list"],
];

test.each(REFUSED)("refuses %s with %j as %s", (path, parts, code, text) => {
  const refused = exposure(path, parts);
  expect(refused).toMatchObject({ ok: false, code });
  expect((refused as NoExposure).message).toStartWith("Keybrake: ");
  expect((refused as NoExposure).message).toContain(text);
});

describe("what a call of a declared vendor did cost", () => {
  const cost = (path: string, parts: CallParts, json: JsonValue | undefined) =>
    costOf(acme, makeCall(`POST /acme-api/${path}`, parts), makeAnswer(json), makePricing(RATES));
  const charge = { json: { amount: 500, currency: "eur" } };

  const READ: readonly (readonly [
    what: string,
    path: string,
    parts: CallParts,
    json: JsonValue,
    micros: Micros,
    id: string | undefined,
  ])[] = [
    ["units", "images", { json: { n: 3 } }, { id: "img_1", made: 2 }, 80_000n, "img_1"],
    ["no units", "images", { json: { n: 3 } }, { id: 7, made: 0 }, 0n, "7"],
    ["the amount that was moved", "charges", charge, { charge: { id: "ch_1", amount: 200 } }, 2_200_000n, "ch_1"],
    ["dollars", "payouts", { json: [{ amount: "9" }] }, { total: 9.25 }, 9_250_000n, undefined],
    ["dollars, rounded up", "payouts", { json: [{ amount: "9" }] }, { total: "9.0000001" }, 9_000_001n, undefined],
  ];
  test.each(READ)("is read from %s of the answer", (_what, path, parts, json, micros, id) => {
    const expected = { micros, source: "vendor_response", ...(id === undefined ? {} : { vendorTxnId: id }) };
    expect<unknown>(cost(path, parts, json)).toEqual(expected);
  });

  test("is all that it could where the answer does not say", () => {
    for (const json of [undefined, {}, [], { made: "2.5" }, { made: -1 }, { made: null }, { id: "x\ny", made: [2] }]) {
      const told = cost("images", { json: { n: 3 } }, json);
      expect(told).toEqual({ micros: 120_000n, source: "rate_table", unreadable: true });
    }
    expect(cost("payouts", { json: [{ amount: "9" }] }, { total: 1e-7 })).toMatchObject({ unreadable: true });
    expect(cost("reports", {}, undefined)).toEqual({ micros: 2_000_000n, source: "rate_table" });
  });
});

describe("whom a call concerns", () => {
  const scope = (path: string, parts: CallParts) =>
    acme.scope(makeCall(`POST /acme-api/${path}`, parts), { accountId: "" });

  test("is read from every entry, addresses without their names", () => {
    const json = {
      account: "acc_1",
      mails: [ada, { from: "Me <me@Other.Example>", to: ["c@x.example"], bcc: "d@x.example" }],
    };
    expect(scope("mails", { json })).toEqual({
      recipients: ["ada@example.com", "c@x.example", "d@x.example"],
      senders: ["me@acme.example", "me@other.example"],
      customer: "acc_1",
    });
    expect(scope("texts", { json: { To: ["+1"], From: "+2" } })).toEqual({ recipients: ["+1"], senders: ["+2"] });
    expect(scope("charges", { form: { customer: "cus_1" } })).toEqual({ customer: "cus_1" });
    expect(scope("reports", { json: { customer: "cus_1" } })).toEqual({});
  });

  test("is out of every scope where it cannot be read", () => {
    expect(scope("mails", mails({ ...ada, to: "a@x.example;b@y.example" })).recipients).toEqual(["(unreadable)"]);
    expect(scope("mails", mails({ ...ada, From: "x@y.example", from: {} })).senders).toContain("(unreadable)");
    expect(scope("charges", { json: { Customer: "cus_2" } })).toEqual({ customer: "(unreadable)" });
    expect(scope("mails", { json: { account: "a", mails: [{ ...ada, account: "b" }] } }).customer).toBe("(unreadable)");
  });
});

test.each([
  [mails(ada), undefined],
  [{ json: { audience: "all", mails: [ada] } }, "the field /audience sends to people"],
  [{ json: { AUDIENCE: "all", mails: [ada] } }, "has to be written audience"],
  [mails({ ...ada, headers: { "X-Tag": "1" } }), undefined],
  [mails({ ...ada, headers: { BCC: "x@y.example" } }), '/headers has "BCC"'],
  [{ json: { headers: [{ Name: "Resent-To", Value: "x" }], mails: [ada] } }, '/headers has "Resent-To"'],
  [mails({ ...ada, headers: { "X-A": "1\r\nBcc: x@y.example" } }), "more than one header"],
  [mails({ ...ada, headers: "Bcc: x" }), "neither a map"],
  [mails({ ...ada, headers: [{ Value: "x" }] }), "neither a map"],
])("looks for recipients in places that are not counted: %j", (parts, text) => {
  const call = makeCall("POST /acme-api/mails", parts as CallParts);
  const refused = operationFor(acme, call).refuse!(call);
  if (text === undefined) expect(refused).toBeUndefined();
  else expect(refused).toMatchObject({ ok: false, code: "request_rejected", message: expect.stringContaining(text) });
});
