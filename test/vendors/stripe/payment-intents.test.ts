import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { makeAnswer, makeCall } from "../make-call.ts";
import { intent, PATH } from "./payment-intent.ts";
import { askExposure, costAfter, expectScenario, PRICING, type Scenario } from "./scenario.ts";

const kind = "charge";
const id = "pi_1";
const object = PATH;
const customer = "cus_1";
const dollars = { kind, id, currency: "usd" } as const;
const known = { ...dollars, customer, object } as const;
const confirmed = intent("succeeded");
const open = { [PATH]: intent("requires_confirmation") };
const authorised = { [PATH]: intent("requires_capture") };

const ROWS: Readonly<Record<string, Scenario>> = {
  "a new one, which is only an intent": {
    call: "POST /v1/payment_intents",
    form: { amount: "6000", currency: "usd", customer: "cus_1" },
    most: 60_000_000n,
    source: "request",
    answer: intent("requires_payment_method"),
    costs: 0n,
    ...dollars,
    customer,
  },
  "a new one that is paid at once": {
    call: "POST /v1/payment_intents",
    form: { amount: "6000", currency: "usd", confirm: "true" },
    most: 60_000_000n,
    answer: confirmed,
    costs: 60_000_000n,
    ...dollars,
  },
  "a new one that is authorised, in euros": {
    call: "POST /v1/payment_intents",
    form: { amount: "6000", currency: "eur", confirm: "true", capture_method: "manual" },
    most: 66_000_000n,
    answer: intent("requires_capture", { currency: "eur" }),
    costs: 66_000_000n,
    ...dollars,
    currency: "eur",
  },
  "a raised amount": {
    call: `POST ${PATH}`,
    form: { amount: "9000" },
    found: open,
    most: 90_000_000n,
    source: "request",
    answer: intent("requires_confirmation", { amount: 9000 }),
    costs: 0n,
    ...known,
  },
  "another currency, which keeps the amount": {
    call: `POST ${PATH}`,
    form: { currency: "eur" },
    found: open,
    most: 66_000_000n,
    answer: intent("requires_confirmation", { currency: "eur" }),
    costs: 0n,
    ...known,
    currency: "eur",
  },
  "a description of what was paid elsewhere": {
    call: `POST ${PATH}`,
    form: { "metadata[a]": "b" },
    found: { [PATH]: confirmed },
    most: 0n,
    answer: confirmed,
    costs: 0n,
    ...known,
  },
  "a confirmation": {
    call: `POST ${PATH}/confirm`,
    found: open,
    most: 60_000_000n,
    source: "lookup",
    answer: confirmed,
    costs: 60_000_000n,
    ...known,
  },
  "a confirmation of a part": {
    call: `POST ${PATH}/confirm`,
    form: { amount_to_confirm: "2000" },
    found: open,
    most: 20_000_000n,
    source: "request",
    answer: intent("succeeded", { amount_received: 2000 }),
    costs: 20_000_000n,
    ...known,
  },
  "a confirmation that the payer has to finish": {
    call: `POST ${PATH}/confirm`,
    found: open,
    most: 60_000_000n,
    answer: intent("requires_action"),
    costs: 60_000_000n,
    ...known,
  },
  "a capture of what was authorised elsewhere": {
    call: `POST ${PATH}/capture`,
    found: authorised,
    most: 60_000_000n,
    source: "lookup",
    answer: confirmed,
    costs: 60_000_000n,
    ...known,
  },
  "a capture of a part": {
    call: `POST ${PATH}/capture`,
    form: { amount_to_capture: "1500", final_capture: "false" },
    found: authorised,
    most: 15_000_000n,
    source: "request",
    answer: intent("requires_capture", { amount_received: 1500, amount_capturable: 4500 }),
    costs: 15_000_000n,
    ...known,
  },
  "the last of several captures": {
    call: `POST ${PATH}/capture`,
    found: { [PATH]: intent("requires_capture", { amount_received: 4000, amount_capturable: 2000 }) },
    most: 20_000_000n,
    answer: confirmed,
    costs: 20_000_000n,
    ...known,
  },
  "an increment of what was authorised elsewhere: what it adds": {
    call: `POST ${PATH}/increment_authorization`,
    form: { amount: "8000" },
    found: authorised,
    most: 20_000_000n,
    source: "request",
    answer: intent("requires_capture", { amount: 8000, amount_capturable: 8000 }),
    costs: 20_000_000n,
    ...known,
  },
  "an increment after a part was captured": {
    call: `POST ${PATH}/increment_authorization`,
    form: { amount: "8000" },
    found: { [PATH]: intent("requires_capture", { amount_received: 1500, amount_capturable: 4500 }) },
    most: 20_000_000n,
    answer: intent("requires_capture", { amount: 8000, amount_received: 1500, amount_capturable: 6500 }),
    costs: 20_000_000n,
    ...known,
  },
  "a capture that the payer's bank may allow any moment": {
    call: `POST ${PATH}/capture`,
    found: { [PATH]: intent("requires_action") },
    most: 60_000_000n,
    answer: confirmed,
    costs: 60_000_000n,
    ...known,
  },
  "a customer's balance, as far as it is asked for": {
    call: `POST ${PATH}/apply_customer_balance`,
    form: { amount: "1000", currency: "usd" },
    found: open,
    most: 10_000_000n,
    answer: intent("succeeded", { amount_received: 1000 }),
    costs: 10_000_000n,
    ...known,
  },
  "a customer's balance, all that it needs": {
    call: `POST ${PATH}/apply_customer_balance`,
    found: open,
    most: 60_000_000n,
    answer: confirmed,
    costs: 60_000_000n,
    ...known,
  },
  "a debit that begins with verified microdeposits": {
    call: `POST ${PATH}/verify_microdeposits`,
    form: { "amounts[0]": "32", "amounts[1]": "45" },
    found: { [PATH]: intent("requires_action") },
    most: 60_000_000n,
    answer: intent("processing"),
    costs: 60_000_000n,
    ...known,
  },
};

describe("a PaymentIntent costs", () => {
  test.each(Object.entries(ROWS))("%s", (_what, scenario) => expectScenario(scenario));
});

describe("a PaymentIntent's ceiling", () => {
  test.each<[string, string, Record<string, string>, Record<string, JsonValue> | undefined]>([
    ["request_rejected", `POST ${PATH}/confirm`, { amount_to_confirm: "1e9" }, intent("requires_confirmation")],
    ["request_rejected", `POST ${PATH}/capture`, { "amount_to_capture[0]": "5" }, undefined],
    ["request_rejected", `POST ${PATH}`, { Amount: "5" }, undefined],
    ["cost_unknown", `POST ${PATH}/increment_authorization`, {}, intent("requires_capture")],
    ["request_rejected", "POST /v1/payment_intents/pi%2B1/confirm", {}, undefined],
    ["currency_denied", `POST ${PATH}/confirm`, {}, intent("requires_confirmation", { currency: "cad" })],
    ["cost_unknown", `POST ${PATH}/confirm`, {}, { id: "pi_1" }],
  ])("is refused with %s for %s %j", (code, line, form, found) => {
    const { exposure } = askExposure(makeCall(line, { form }), found ? { [PATH]: found } : {});
    expect({ ...exposure }).toMatchObject({ ok: false, code, message: expect.stringMatching(/^Keybrake: .+\.$/) });
  });

  test("is what a repeat is counted at whose first call was lost, however much the answer shows", () => {
    const call = makeCall(`POST ${PATH}/increment_authorization`, { form: { amount: "6000" } });
    const held = { ok: true, micros: 20_000_000n, sends: 0, currency: "usd", source: "request" } as const;
    expect(costAfter(call, held, makeAnswer(intent("requires_capture")))).toMatchObject({ micros: 20_000_000n });
  });

  test.each([
    ["capture", {}, intent("succeeded")],
    ["increment_authorization", { amount: "6000" }, intent("requires_capture")],
  ] as const)("of a repeated %s is not nothing because the look-up saw what the first call did", (act, form, now) => {
    const call = makeCall(`POST ${PATH}/${act}`, { form });
    const { exposure } = askExposure(call, { [PATH]: now });
    if (!exposure.ok) throw new Error(exposure.message);
    expect(costAfter(call, exposure, makeAnswer(now))).toMatchObject({ micros: 60_000_000n });
  });

  test("says of a repeat after a crash, whose look-up is gone, what the answer says", () => {
    const call = makeCall(`POST ${PATH}/capture`);
    const bare = { ok: true, micros: 60_000_000n, sends: 0, currency: "usd", source: "lookup" } as const;
    expect(costAfter(call, bare, makeAnswer(confirmed), PRICING)).toMatchObject({ micros: 60_000_000n });
  });
});
