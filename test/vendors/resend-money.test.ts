import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../src/core/call.ts";
import { resend } from "../../src/vendors/resend.ts";
import type { Cost } from "../../src/vendors/vendor.ts";
import { costOf, makeAnswer, makeCall, makePricing, operationFor } from "./make-call.ts";

const ID = "49a3999c-0ce1-4ea6-ab68-afcd6dc2e794";
const PERMISSIVE = { "x-batch-validation": "permissive" };
const STRICT = { "x-batch-validation": "strict" };

function mail(to: JsonValue, more: Readonly<Record<string, JsonValue>> = {}): Readonly<Record<string, JsonValue>> {
  return { from: "Acme <a@acme.test>", to, subject: "hi", ...more };
}

const ids = (count: number): JsonValue => Array.from({ length: count }, (_, index) => ({ id: `id-${index}` }));

interface MoneyRow {
  readonly line: string;
  readonly request: JsonValue;
  readonly headers?: Readonly<Record<string, string>>;
  readonly answer: JsonValue;
  /** In units of $0.0009. */
  readonly ceiling: number;
  readonly cost: number;
  readonly sends: number;
  /** Full cost, because the answer does not say what became of the emails. */
  readonly unreadable?: true;
}

/** Requests and answers as in resend.com/docs/api-reference/emails and its pages on batches; kind `email` for all of them. */
const MONEY: Readonly<Record<string, MoneyRow>> = {
  "one email": {
    line: "POST /emails",
    request: mail(["delivered@resend.dev"]),
    answer: { id: ID },
    ceiling: 1,
    cost: 1,
    sends: 1,
  },
  "one email with cc and bcc": {
    line: "POST /emails",
    request: mail(["a@example.com", "b@example.com"], { cc: "c@example.com", bcc: ["d@example.com", "e@example.com"] }),
    answer: { id: ID },
    ceiling: 5,
    cost: 5,
    sends: 5,
  },
  "one email to sixty blind copies": {
    line: "POST /emails",
    request: mail("a@example.com", { bcc: Array.from({ length: 60 }, (_, index) => `u${index}@example.com`) }),
    answer: { id: ID },
    ceiling: 61,
    cost: 61,
    sends: 61,
  },
  "a scheduled email": {
    line: "POST /emails",
    request: mail("a@example.com", { scheduled_at: "2030-08-05T11:52:01.858Z" }),
    answer: { id: ID },
    ceiling: 1,
    cost: 1,
    sends: 1,
  },
  "an email by a template, within a topic": {
    line: "POST /emails",
    request: mail(["a@example.com", "b@example.com"], { template: { id: "welcome" }, topic_id: ID }),
    answer: { id: ID },
    ceiling: 2,
    cost: 2,
    sends: 2,
  },
  "an email whose answer is not an email's": {
    line: "POST /emails",
    request: mail("a@example.com"),
    answer: { message: "ok" },
    ceiling: 1,
    cost: 1,
    sends: 1,
    unreadable: true,
  },
  "a batch": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail(["b@example.com", "c@example.com"], { cc: "d@example.com" })],
    answer: { data: ids(2) },
    ceiling: 4,
    cost: 4,
    sends: 4,
  },
  "a batch that says that it is strict": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com")],
    headers: STRICT,
    answer: { data: ids(2) },
    ceiling: 2,
    cost: 2,
    sends: 2,
  },
  "a strict batch that names refused emails all the same": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com")],
    headers: STRICT,
    answer: { data: ids(1), errors: [{ index: 1, message: "no" }] },
    ceiling: 2,
    cost: 2,
    sends: 2,
    unreadable: true,
  },
  "a permissive batch that is sent whole": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com")],
    headers: PERMISSIVE,
    answer: { data: ids(2), errors: [] },
    ceiling: 2,
    cost: 2,
    sends: 2,
  },
  "a permissive batch without its third email": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com"), mail(["c@example.com", "d@example.com"])],
    headers: PERMISSIVE,
    answer: { data: ids(2), errors: [{ index: 2, message: "The `html` field is missing." }] },
    ceiling: 4,
    cost: 2,
    sends: 4,
  },
  "a permissive batch of which nothing is sent": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com")],
    headers: PERMISSIVE,
    answer: {
      data: [],
      errors: [
        { index: 0, message: "no" },
        { index: 1, message: "no" },
      ],
    },
    ceiling: 2,
    cost: 0,
    sends: 2,
  },
  "a permissive batch that accounts for one email too few": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com"), mail("c@example.com")],
    headers: PERMISSIVE,
    answer: { data: ids(1), errors: [{ index: 2, message: "no" }] },
    ceiling: 3,
    cost: 3,
    sends: 3,
    unreadable: true,
  },
  "a batch whose emails have no ids": {
    line: "POST /emails/batch",
    request: [mail("a@example.com"), mail("b@example.com")],
    answer: { data: [null, {}] },
    ceiling: 2,
    cost: 2,
    sends: 2,
    unreadable: true,
  },
};

const PRICES = { "the default price": undefined, "the operator's price": 400n, "a price of 0 within the quota": 0n };

describe.each(Object.entries(PRICES))("at %s", (_price, unitMicros) => {
  const pricing = makePricing({}, unitMicros === undefined ? {} : { "resend.email": unitMicros });
  const unit = unitMicros ?? 900n;

  test.each(Object.entries(MONEY))("%s has its ceiling, its sends and its cost", (_what, row) => {
    const call = makeCall(row.line, { json: row.request, ...(row.headers ? { headers: row.headers } : {}) });
    const operation = operationFor(resend, call);
    expect([operation.class, operation.kind]).toEqual(["priced", "email"]);
    expect(operation.exposure!(call, pricing, new Map())).toEqual({
      ok: true,
      micros: BigInt(row.ceiling) * unit,
      sends: row.sends,
      currency: undefined,
      source: "rate_table",
    });
    const cost: Cost = costOf(resend, call, makeAnswer(row.answer), pricing);
    expect(cost.micros).toBe(BigInt(row.cost) * unit);
    expect(cost.source).toBe("rate_table");
    expect(cost.unreadable).toBe(row.unreadable);
  });
});
