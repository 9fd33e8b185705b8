import type { DoubleAnswer, RecordedRequest } from "./vendor-double.ts";

let made = 0;

/** A PaymentIntent that succeeded, with the amount and currency that were asked for. */
export function succeededIntent(request: RecordedRequest): DoubleAnswer {
  const form = new URLSearchParams(request.body);
  const amount = Number(form.get("amount"));
  made += 1;
  return {
    status: 200,
    headers: { "request-id": `req_double_${made}` },
    body: JSON.stringify({
      id: `pi_double_${made}`,
      object: "payment_intent",
      amount,
      amount_received: amount,
      currency: form.get("currency"),
      customer: form.get("customer"),
      latest_charge: `ch_double_${made}`,
      status: "succeeded",
    }),
  };
}
