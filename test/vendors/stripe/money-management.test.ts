import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { makeAnswer, makeCall } from "../make-call.ts";
import { askExposure, costAfter, expectScenario, mostOf, type Scenario } from "./scenario.ts";

const V2 = "/v2/money_management";
const INTENT = `${V2}/payout_intents/pi_v2_1`;

function moved(status: string | undefined, more: Readonly<Record<string, JsonValue>> = {}): Record<string, JsonValue> {
  return {
    id: "obp_1",
    object: "v2.money_management.outbound_payment",
    amount: { value: 2500, currency: "usd" },
    ...(status === undefined ? {} : { status }),
    ...more,
  };
}

const asked = { amount: { value: 2500, currency: "usd" }, from: { financial_account: "fa_1", currency: "usd" } };
const payout = { kind: "payout", id: "obp_1", currency: "usd" } as const;
const waiting = {
  id: "pi_v2_1",
  object: "v2.money_management.payout_intent",
  amount: { value: "2500", currency: "usd" },
};

const ROWS: Readonly<Record<string, Scenario>> = {
  "an outbound payment": {
    call: `POST ${V2}/outbound_payments`,
    json: asked,
    most: 25_000_000n,
    source: "request",
    answer: moved("processing"),
    costs: 25_000_000n,
    ...payout,
  },
  "a 64-bit amount that travels as text": {
    call: `POST ${V2}/outbound_payments`,
    json: { ...asked, amount: { value: "2500", currency: "usd" } },
    most: 25_000_000n,
    answer: moved("posted", { amount: { value: "2500", currency: "usd" } }),
    costs: 25_000_000n,
    ...payout,
  },
  "what the account is debited, where that is more": {
    call: `POST ${V2}/outbound_payments`,
    json: { ...asked, amount: { value: 2500, currency: "eur" } },
    most: 27_500_000n,
    answer: moved("processing", {
      amount: { value: 2500, currency: "eur" },
      from: { debited: { value: 2900, currency: "usd" } },
    }),
    costs: 29_000_000n,
    ...payout,
    currency: "eur",
  },
  "a payment that came back": {
    call: `POST ${V2}/outbound_payments`,
    json: asked,
    most: 25_000_000n,
    answer: moved("returned"),
    costs: 0n,
    ...payout,
  },
  "an inbound transfer": {
    call: `POST ${V2}/inbound_transfers`,
    json: { ...asked, to: { financial_account: "fa_1", currency: "usd" } },
    most: 25_000_000n,
    answer: moved(undefined, { id: "ibt_1", transfer_history: [] }),
    costs: 25_000_000n,
    ...payout,
    kind: "topup",
    id: "ibt_1",
  },
  "a payout intent that goes out by itself": {
    call: `POST ${V2}/payout_intents`,
    json: asked,
    most: 25_000_000n,
    answer: { ...waiting, status: "pending" },
    costs: 25_000_000n,
    ...payout,
    id: "pi_v2_1",
  },
  "a payout intent that waits for its confirmation": {
    call: `POST ${V2}/payout_intents`,
    json: { ...asked, confirmation_method: "manual" },
    most: 25_000_000n,
    answer: { ...waiting, status: "requires_action" },
    costs: 0n,
    ...payout,
    id: "pi_v2_1",
  },
  "its confirmation": {
    call: `POST ${INTENT}/confirm`,
    found: { [INTENT]: { ...waiting, status: "requires_action" } },
    most: 25_000_000n,
    source: "lookup",
    answer: { ...waiting, status: "processing" },
    costs: 25_000_000n,
    ...payout,
    id: "pi_v2_1",
    object: INTENT,
  },
  "a change of where it goes": {
    call: `POST ${INTENT}`,
    json: { to: { payout_method: "usba_1" } },
    most: 0n,
    answer: { ...waiting, status: "requires_action" },
    costs: 0n,
    kind: "write",
    id: "pi_v2_1",
  },
};

describe("Stripe's v2 money costs", () => {
  test.each(Object.entries(ROWS))("%s", (_what, scenario) => expectScenario(scenario));
});

test("a payout intent that waits is remembered for its confirmation", () => {
  const create = makeCall(`POST ${V2}/payout_intents`, { json: asked });
  const { remember } = costAfter(create, mostOf(create), makeAnswer({ ...waiting, status: "requires_action" }));
  expect(remember?.path).toBe(INTENT);
  const confirm = makeCall(`POST ${INTENT}/confirm`);
  expect(mostOf(confirm, { [INTENT]: remember!.object }).micros).toBe(25_000_000n);
});

test("a stored answer is not counted again", () => {
  const create = makeCall(`POST ${V2}/outbound_payments`, { json: asked });
  const stored = makeAnswer(moved("processing"), { "idempotent-replayed": "true" });
  expect(costAfter(create, mostOf(create), stored).micros).toBe(0n);
});

describe("an amount in JSON is refused", () => {
  test.each<[string, JsonValue]>([
    ["cost_unknown", {}],
    ["request_rejected", { amount: 2500 }],
    ["request_rejected", { amount: null }],
    ["request_rejected", { amount: { value: 2500 } }],
    ["request_rejected", { amount: { value: 0, currency: "usd" } }],
    ["request_rejected", { amount: { value: -1, currency: "usd" } }],
    ["request_rejected", { amount: { value: 1.5, currency: "usd" } }],
    ["request_rejected", { amount: { value: 2 ** 53, currency: "usd" } }],
    ["request_rejected", { amount: { value: "1e3", currency: "usd" } }],
    ["request_rejected", { amount: { value: 5, currency: "USD" } }],
    ["request_rejected", { amount: { value: 5, currency: "usd" }, Amount: { value: 500, currency: "usd" } }],
    ["request_rejected", { amount: { value: 5, currency: "usd" }, AMOUNT: 500 }],
    ["request_rejected", { amount: { value: 5, currency: "usd", Value: 500 } }],
    ["currency_denied", { amount: { value: 5, currency: "cad" } }],
  ])("with %s for %j", (code, json) => {
    const { exposure } = askExposure(makeCall(`POST ${V2}/outbound_payments`, { json }));
    expect({ ...exposure }).toMatchObject({ ok: false, code, message: expect.stringMatching(/^Keybrake: .+\.$/) });
  });
});
