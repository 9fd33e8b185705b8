import type { CallState } from "../../src/core/hold.ts";
import type { DoubleAnswer } from "../harness/vendor-double.ts";

/**
 * What a vendor can do with a PaymentIntent of `cents`, what it means for the hold, and what it leaves on the books. A
 * vendor that cannot be reached sees nothing, so that it is tried in test/proxy/outcomes.test.ts instead.
 */
export const VENDOR_ANSWERS = {
  at_cost: { state: "settled", costCents: (cents) => cents, answer: (cents) => intent(cents, "succeeded", cents) },
  below: {
    state: "settled",
    costCents: (cents) => Math.floor(cents / 2),
    answer: (cents) => intent(cents, "succeeded", Math.floor(cents / 2)),
  },
  above: {
    state: "settled",
    costCents: (cents) => cents * 2,
    answer: (cents) => intent(cents * 2, "succeeded", cents * 2),
  },
  moved_nothing: {
    state: "settled",
    costCents: () => 0,
    answer: (cents) => intent(cents, "requires_payment_method", 0),
  },
  unreadable: { state: "settled", costCents: (cents) => cents, answer: () => ({ status: 200, body: "<html>" }) },
  declined: { state: "released", costCents: () => 0, answer: () => failure(402) },
  refused: { state: "released", costCents: () => 0, answer: () => failure(400) },
  limited: { state: "released", costCents: () => 0, answer: () => failure(429) },
  conflict: { state: "unresolved", costCents: (cents) => cents, answer: () => failure(409) },
  redirected: { state: "unresolved", costCents: (cents) => cents, answer: () => failure(302) },
  failed: { state: "unresolved", costCents: (cents) => cents, answer: () => failure(500) },
  reset: { state: "unresolved", costCents: (cents) => cents, answer: () => "reset" },
  cut_off: {
    state: "unresolved",
    costCents: (cents) => cents,
    answer: () => ({ truncated: '{"id":"pi_1","amount":' }),
  },
  silent: { state: "unresolved", costCents: (cents) => cents, answer: () => "hang" },
} as const satisfies Record<string, AnswerMeaning>;

interface AnswerMeaning {
  readonly state: CallState;
  readonly costCents: (cents: number) => number;
  readonly answer: (cents: number) => DoubleAnswer;
}

export type VendorAnswer = keyof typeof VENDOR_ANSWERS;

function intent(cents: number, status: string, received: number): DoubleAnswer {
  const body = {
    id: "pi_1",
    object: "payment_intent",
    amount: cents,
    amount_received: received,
    currency: "usd",
    status,
  };
  return { status: 200, body: JSON.stringify(body) };
}

function failure(status: number): DoubleAnswer {
  return { status, headers: { location: "https://elsewhere.example/" }, body: '{"error":{"message":"no"}}' };
}
