import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { makeAnswer, makeCall } from "../make-call.ts";
import { intent, PATH } from "./payment-intent.ts";
import { askExposure, costAfter, expectScenario, mostOf, type Scenario } from "./scenario.ts";

const CARD = "/v1/issuing/cards/ic_1";
const AUTHORIZATION = "/v1/issuing/authorizations/iauth_1";
const READER = "/v1/terminal/readers/tmr_1";

const limit = (amount: string, interval: string, index = 0) => ({
  [`spending_controls[spending_limits][${index}][amount]`]: amount,
  [`spending_controls[spending_limits][${index}][interval]`]: interval,
});
const card = (limits: readonly JsonValue[]) => ({
  id: "ic_1",
  currency: "usd",
  spending_controls: { spending_limits: limits },
});
const ofCard = { kind: "card", id: "ic_1" } as const;
const answered = { id: "ic_1", object: "issuing.card", status: "active" };
const reader = (status: string) => ({ id: "tmr_1", object: "terminal.reader", action: { status } });

const ROWS: Readonly<Record<string, Scenario>> = {
  "an active card: its largest limit": {
    call: "POST /v1/issuing/cards",
    form: {
      currency: "usd",
      type: "virtual",
      status: "active",
      ...limit("5000", "monthly"),
      ...limit("100", "daily", 1),
    },
    most: 50_000_000n,
    answer: answered,
    costs: 50_000_000n,
    ...ofCard,
    currency: "usd",
  },
  "an inactive card": {
    call: "POST /v1/issuing/cards",
    form: { currency: "usd", type: "virtual" },
    most: 0n,
    answer: answered,
    costs: 0n,
    ...ofCard,
  },
  "a card that becomes active": {
    call: `POST ${CARD}`,
    form: { status: "active" },
    found: { [CARD]: card([{ amount: 5000, interval: "weekly", categories: null }]) },
    most: 50_000_000n,
    source: "lookup",
    answer: answered,
    costs: 50_000_000n,
    ...ofCard,
    currency: "usd",
  },
  "a raised limit": {
    call: `POST ${CARD}`,
    form: limit("9000", "all_time"),
    found: { [CARD]: { ...card([]), currency: "eur" } },
    most: 99_000_000n,
    answer: answered,
    costs: 99_000_000n,
    ...ofCard,
    currency: "eur",
  },
  "a card that is blocked": {
    call: `POST ${CARD}`,
    form: { status: "inactive", "metadata[a]": "b" },
    most: 0n,
    answer: answered,
    costs: 0n,
    ...ofCard,
  },
  "a holder's limit": {
    call: "POST /v1/issuing/cardholders/ich_1",
    form: { ...limit("700", "daily"), "spending_controls[spending_limits_currency]": "usd" },
    most: 7_000_000n,
    answer: { id: "ich_1" },
    costs: 7_000_000n,
    kind: "card",
    id: "ich_1",
    currency: "usd",
  },
  "a new holder": {
    call: "POST /v1/issuing/cardholders",
    form: { name: "A" },
    most: 0n,
    answer: { id: "ich_1" },
    costs: 0n,
    kind: "card",
    id: "ich_1",
  },
  "an approved authorisation": {
    call: `POST ${AUTHORIZATION}/approve`,
    found: { [AUTHORIZATION]: { id: "iauth_1", amount: 0, pending_request: { amount: 1500, currency: "usd" } } },
    most: 15_000_000n,
    source: "lookup",
    answer: { id: "iauth_1", amount: 1500, currency: "usd", approved: true },
    costs: 15_000_000n,
    kind: "card",
    id: "iauth_1",
    currency: "usd",
  },
  "an authorisation that is approved in part": {
    call: `POST ${AUTHORIZATION}/approve`,
    form: { amount: "500" },
    found: { [AUTHORIZATION]: { id: "iauth_1", pending_request: { amount: 1500, currency: "usd" } } },
    most: 5_000_000n,
    source: "request",
    answer: { id: "iauth_1", amount: 500, currency: "usd", approved: true },
    costs: 5_000_000n,
    kind: "card",
    id: "iauth_1",
    currency: "usd",
  },
  ...Object.fromEntries(
    ["process_payment_intent", "confirm_payment_intent"].map((act) => [
      `a payment on a reader, ${act}`,
      {
        call: `POST ${READER}/${act}`,
        form: { payment_intent: "pi_1" },
        found: { [PATH]: intent("requires_payment_method") },
        most: 60_000_000n,
        source: "lookup",
        answer: reader("in_progress"),
        costs: 60_000_000n,
        kind: "charge",
        id: "pi_1",
        currency: "usd",
        customer: "cus_1",
        object: PATH,
      } satisfies Scenario,
    ]),
  ),
  "a payment that the reader cannot begin": {
    call: `POST ${READER}/process_payment_intent`,
    form: { payment_intent: "pi_1" },
    found: { [PATH]: intent("requires_payment_method") },
    most: 60_000_000n,
    answer: reader("failed"),
    costs: 0n,
    kind: "charge",
    id: "tmr_1",
    currency: "usd",
    customer: "cus_1",
    object: PATH,
  },
  "a refund on a reader": {
    call: `POST ${READER}/refund_payment`,
    form: { charge: "ch_1" },
    found: {
      "/v1/charges/ch_1": { id: "ch_1", amount: 2000, amount_refunded: 500, currency: "usd", customer: "cus_1" },
    },
    most: 15_000_000n,
    source: "lookup",
    answer: reader("in_progress"),
    costs: 15_000_000n,
    kind: "refund",
    id: "tmr_1",
    currency: "usd",
    customer: "cus_1",
  },
  "a card that is read on a reader, and charged by another call": {
    call: `POST ${READER}/collect_payment_method`,
    form: { payment_intent: "pi_1" },
    most: 0n,
    answer: reader("in_progress"),
    costs: 0n,
    kind: "charge",
    id: "tmr_1",
  },
};

describe("cards and card readers cost", () => {
  test.each(Object.entries(ROWS))("%s", (_what, scenario) => expectScenario(scenario));
});

describe("a card is refused that could spend without a bound", () => {
  test.each<[string, string, Record<string, string>, Record<string, JsonValue>]>([
    ["cost_unknown", "POST /v1/issuing/cards", { currency: "usd", status: "active" }, {}],
    [
      "cost_unknown",
      "POST /v1/issuing/cards",
      { currency: "usd", status: "active", ...limit("5", "per_authorization") },
      {},
    ],
    [
      "cost_unknown",
      "POST /v1/issuing/cards",
      { status: "active", ...limit("5", "daily"), "spending_controls[spending_limits][0][categories][0]": "bars" },
      {},
    ],
    ["request_rejected", "POST /v1/issuing/cards", { status: "active", ...limit("1e9", "daily") }, {}],
    ["request_rejected", "POST /v1/issuing/cards", { Status: "active" }, {}],
    ["request_rejected", `POST ${CARD}`, { "spending_controls[spending_limits]": "" }, { [CARD]: card([]) }],
    ["cost_unknown", `POST ${CARD}`, { status: "active" }, { [CARD]: card([]) }],
    [
      "cost_unknown",
      `POST ${CARD}`,
      { status: "active" },
      { [CARD]: card([{ amount: 5, interval: "daily", categories: ["bars"] }]) },
    ],
    ["request_rejected", `POST ${READER}/process_payment_intent`, {}, {}],
    ["request_rejected", `POST ${READER}/process_payment_intent`, { payment_intent: "pi_1/confirm" }, {}],
  ])("with %s for %s %j", (code, line, form, found) => {
    expect(askExposure(makeCall(line, { form }), found).exposure).toMatchObject({ ok: false, code });
  });
});

test("a payment that began on a reader counts once when it is captured, with the tip that the payer gave", () => {
  const process = makeCall(`POST ${READER}/process_payment_intent`, { form: { payment_intent: "pi_1" } });
  const exposure = mostOf(process, { [PATH]: { ...intent("requires_payment_method"), keybrake_counted: 0 } });
  const { micros, remember } = costAfter(process, exposure, makeAnswer(reader("in_progress")));
  expect(micros).toBe(60_000_000n);
  const tipped = intent("requires_capture", { amount: 7000, amount_capturable: 7000 });
  const capture = makeCall(`POST ${PATH}/capture`);
  const most = mostOf(capture, { [PATH]: remember!.object, [`${PATH}?expand[]=payment_method`]: tipped });
  const answer = makeAnswer(intent("succeeded", { amount: 7000, amount_received: 7000 }));
  expect([most.micros, costAfter(capture, most, answer).micros]).toEqual([10_000_000n, 10_000_000n]);
});

test("a payment that was counted in part and then begins on a reader is counted in whole", () => {
  const process = makeCall(`POST ${READER}/process_payment_intent`, { form: { payment_intent: "pi_1" } });
  const exposure = mostOf(process, { [PATH]: { ...intent("requires_payment_method"), keybrake_counted: 1000 } });
  const { micros, remember } = costAfter(process, exposure, makeAnswer(reader("in_progress")));
  expect(micros).toBe(50_000_000n);
  expect(remember?.object).toMatchObject({ keybrake_counted: 6000 });
});
