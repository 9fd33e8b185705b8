import type { JsonValue } from "../../../src/core/call.ts";

export const PATH = "/v1/payment_intents/pi_1";

/** A PaymentIntent as Stripe shows it: $60 of cus_1's, unless said otherwise. */
export function intent(status: string, more: Readonly<Record<string, JsonValue>> = {}): Record<string, JsonValue> {
  return {
    id: "pi_1",
    object: "payment_intent",
    amount: 6000,
    amount_capturable: status === "requires_capture" ? 6000 : 0,
    amount_received: status === "succeeded" ? 6000 : 0,
    currency: "usd",
    customer: "cus_1",
    latest_charge: null,
    status,
    ...more,
  };
}
