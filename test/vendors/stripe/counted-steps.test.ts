import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { makeAnswer, makeCall } from "../make-call.ts";
import { intent, PATH } from "./payment-intent.ts";
import { costAfter, mostOf } from "./scenario.ts";

const FRESH = `${PATH}?expand[]=payment_method`;
const confirmed = intent("succeeded");

/** One step of a payment whose memory is kept from step to step, as the proxy keeps it. */
interface Step {
  readonly call: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly answer: Record<string, JsonValue>;
  /** What Stripe says now, where memory is not enough. */
  readonly fresh?: Record<string, JsonValue>;
  readonly most: bigint;
  readonly costs: bigint;
}

function playSteps(steps: readonly Step[]): void {
  let remembered: JsonValue | undefined;
  for (const { call: line, form, answer, fresh, most, costs } of steps) {
    const call = makeCall(line, form ? { form } : {});
    const found = { ...(remembered === undefined ? {} : { [PATH]: remembered }), ...(fresh ? { [FRESH]: fresh } : {}) };
    const exposure = mostOf(call, found);
    const cost = costAfter(call, exposure, makeAnswer(answer));
    expect([line, exposure.micros, cost.micros]).toEqual([line, most, costs]);
    expect(cost.remember?.path).toBe(answer["status"] === "succeeded" ? undefined : PATH);
    remembered = cost.remember?.object;
  }
}

const create = (answer: Record<string, JsonValue>, costs: bigint): Step => ({
  call: "POST /v1/payment_intents",
  form: { amount: "6000", currency: "usd" },
  answer,
  most: 60_000_000n,
  costs,
});

describe("the money of one PaymentIntent counts once", () => {
  const partly = intent("requires_capture", { amount_received: 2500, amount_capturable: 3500 });
  test.each<[string, readonly Step[]]>([
    [
      "when it is authorised and then captured",
      [
        create(intent("requires_capture"), 60_000_000n),
        { call: `POST ${PATH}/capture`, answer: confirmed, most: 0n, costs: 0n },
      ],
    ],
    [
      "when it is captured in parts",
      [
        create(intent("requires_capture"), 60_000_000n),
        {
          call: `POST ${PATH}/capture`,
          form: { amount_to_capture: "2500", final_capture: "false" },
          answer: partly,
          most: 0n,
          costs: 0n,
        },
        { call: `POST ${PATH}/capture`, answer: confirmed, most: 0n, costs: 0n },
      ],
    ],
    [
      "when the authorisation grows",
      [
        create(intent("requires_capture"), 60_000_000n),
        {
          call: `POST ${PATH}/increment_authorization`,
          form: { amount: "7000" },
          answer: intent("requires_capture", { amount: 7000, amount_capturable: 7000 }),
          most: 10_000_000n,
          costs: 10_000_000n,
        },
        {
          call: `POST ${PATH}/capture`,
          answer: intent("succeeded", { amount: 7000, amount_received: 7000 }),
          most: 0n,
          costs: 0n,
        },
      ],
    ],
    [
      "when more is captured than was authorised",
      [
        create(intent("requires_capture"), 60_000_000n),
        {
          call: `POST ${PATH}/capture`,
          form: { amount_to_capture: "6500" },
          answer: intent("succeeded", { amount_received: 6500 }),
          most: 5_000_000n,
          costs: 5_000_000n,
        },
      ],
    ],
    [
      "when the payer fails and it is confirmed again for more",
      [
        create(intent("requires_action"), 60_000_000n),
        {
          call: `POST ${PATH}`,
          form: { amount: "9000" },
          answer: intent("requires_confirmation", { amount: 9000 }),
          most: 30_000_000n,
          costs: 0n,
        },
        {
          call: `POST ${PATH}/confirm`,
          answer: intent("succeeded", { amount: 9000, amount_received: 9000 }),
          most: 30_000_000n,
          costs: 30_000_000n,
        },
      ],
    ],
    [
      "when the payer finishes it without a call through here",
      [
        create(intent("requires_action"), 60_000_000n),
        { call: `POST ${PATH}/capture`, fresh: intent("requires_capture"), answer: confirmed, most: 0n, costs: 0n },
      ],
    ],
    [
      "when only a part of it was counted",
      [
        { ...create(intent("requires_payment_method"), 0n) },
        {
          call: `POST ${PATH}/increment_authorization`,
          form: { amount: "8000" },
          fresh: intent("requires_capture"),
          answer: intent("requires_capture", { amount: 8000, amount_capturable: 8000 }),
          most: 20_000_000n,
          costs: 20_000_000n,
        },
        {
          call: `POST ${PATH}/capture`,
          answer: intent("succeeded", { amount: 8000, amount_received: 8000 }),
          most: 60_000_000n,
          costs: 60_000_000n,
        },
      ],
    ],
    [
      "and its description changes nothing of that",
      [
        create(intent("requires_capture"), 60_000_000n),
        { call: `POST ${PATH}`, form: { description: "x" }, answer: intent("requires_capture"), most: 0n, costs: 0n },
        { call: `POST ${PATH}/capture`, answer: confirmed, most: 0n, costs: 0n },
      ],
    ],
  ])("%s", (_what, steps) => playSteps(steps));

  test("and in full where the memory is gone", () => {
    const capture = makeCall(`POST ${PATH}/capture`);
    const exposure = mostOf(capture, { [PATH]: intent("requires_capture") });
    expect([exposure.micros, costAfter(capture, exposure, makeAnswer(confirmed)).micros]).toEqual([
      60_000_000n,
      60_000_000n,
    ]);
  });

  test("and what Stripe answers is never taken for what was counted", () => {
    const call = makeCall(`POST ${PATH}/confirm`);
    const exposure = mostOf(call, {
      [PATH]: intent("requires_confirmation", { metadata: { keybrake_counted: 6000 } }),
    });
    expect(exposure.micros).toBe(60_000_000n);
  });

  test("and is not remembered from a stored answer, which is old", () => {
    const call = makeCall("POST /v1/payment_intents", { form: { amount: "6000", currency: "usd" } });
    const stored = makeAnswer(intent("requires_capture"), { "idempotent-replayed": "true" });
    expect(costAfter(call, mostOf(call), stored)).toEqual({
      micros: 0n,
      source: "vendor_response",
      vendorTxnId: "pi_1",
    });
  });

  test("and what is remembered is what the look-ups read, without the payer's secrets", () => {
    const call = makeCall("POST /v1/payment_intents", { form: { amount: "6000", currency: "usd" } });
    const answer = makeAnswer(
      intent("requires_confirmation", { client_secret: "pi_1_secret_x", customer: { id: "cus_1" } }),
    );
    const { remember } = costAfter(call, mostOf(call), answer);
    expect(remember?.object).toEqual({
      id: "pi_1",
      object: "payment_intent",
      amount: 6000,
      amount_capturable: 0,
      amount_received: 0,
      currency: "usd",
      customer: "cus_1",
      latest_charge: null,
      status: "requires_confirmation",
      keybrake_counted: 0,
    });
  });

  test("and other currencies than the remembered one count anew", () => {
    const remembered = { ...intent("requires_action"), keybrake_counted: 6000 };
    const exposure = mostOf(makeCall(`POST ${PATH}`, { form: { currency: "eur" } }), { [PATH]: remembered });
    expect(exposure.micros).toBe(66_000_000n);
  });
});
