import { randomAlphanumeric } from "../credential.ts";
import type { Routes } from "../route.ts";
import { createdNow, list, mustFind, ok, retrieve, type StripeBooks, type StripeCall, stripeId } from "./books.ts";
import { captureCard, chargeCard, declineOf, refuseDeclined } from "./card.ts";
import { refuse } from "./error.ts";
import type { StripeForm } from "./form.ts";
import type { PaymentIntent, PaymentIntentStatus } from "./objects.ts";

const CAPTURE_METHODS = ["automatic", "automatic_async", "manual"] as const;
const CANCELLATION_REASONS = ["duplicate", "fraudulent", "requested_by_customer", "abandoned"] as const;

/**
 * requires_payment_method → requires_confirmation → succeeded, or by `capture_method=manual` → requires_capture → succeeded;
 * canceled from anywhere but succeeded. Customers need not exist: any `cus_…` is taken, so that a policy's scope can be tried.
 */
export const paymentIntentRoutes: Routes<StripeCall> = {
  "POST /v1/payment_intents": create,
  "GET /v1/payment_intents": list((books) => books.intents, ["customer"]),
  "GET /v1/payment_intents/*": retrieve((books) => books.intents, "payment_intent"),
  "POST /v1/payment_intents/*": update,
  "POST /v1/payment_intents/*/confirm": confirm,
  "POST /v1/payment_intents/*/capture": capture,
  "POST /v1/payment_intents/*/increment_authorization": increment,
  "POST /v1/payment_intents/*/cancel": cancel,
};

function create({ books, form }: StripeCall) {
  const id = stripeId("pi");
  const paymentMethod = readPaymentMethod(form);
  const confirmed = form.flag("confirm") ?? false;
  if (confirmed && paymentMethod === null) refuseNoMethod();
  const intent: PaymentIntent = {
    id,
    object: "payment_intent",
    amount: form.requiredAmount("amount"),
    amount_capturable: 0,
    amount_received: 0,
    canceled_at: null,
    cancellation_reason: null,
    capture_method: form.choice("capture_method", CAPTURE_METHODS) ?? "automatic_async",
    client_secret: `${id}_secret_${randomAlphanumeric(24)}`,
    confirmation_method: "automatic",
    created: createdNow(books),
    currency: form.requiredCurrency(),
    customer: form.text("customer") ?? null,
    description: form.text("description") ?? null,
    last_payment_error: null,
    latest_charge: null,
    livemode: false,
    metadata: form.metadata(),
    next_action: null,
    payment_method: paymentMethod,
    payment_method_types: ["card"],
    receipt_email: form.text("receipt_email") ?? null,
    status: paymentMethod === null ? "requires_payment_method" : "requires_confirmation",
    transfer_group: form.text("transfer_group") ?? null,
  };
  books.intents.put(intent);
  return ok(confirmed ? pay(books, intent, paymentMethod!, intent.amount) : intent);
}

function update({ books, form }: StripeCall, id: string) {
  const intent = mustFind(books.intents, "payment_intent", id, "intent");
  const amount = form.amount("amount") ?? intent.amount;
  const paymentMethod = readPaymentMethod(form) ?? intent.payment_method;
  const open = isOpen(intent.status);
  if (!open && (amount !== intent.amount || paymentMethod !== intent.payment_method)) {
    refuseState(intent, "update the amount or payment method of");
  }
  return ok(
    books.intents.put({
      ...intent,
      amount,
      customer: form.text("customer") ?? intent.customer,
      description: form.text("description") ?? intent.description,
      metadata: form.metadata(intent.metadata),
      payment_method: paymentMethod,
      status: open && paymentMethod !== null ? "requires_confirmation" : intent.status,
    }),
  );
}

function confirm({ books, form }: StripeCall, id: string) {
  const intent = mustFind(books.intents, "payment_intent", id, "intent");
  if (!isOpen(intent.status)) refuseState(intent, "confirm");
  const paymentMethod = readPaymentMethod(form) ?? intent.payment_method ?? refuseNoMethod();
  const amount = form.amount("amount_to_confirm") ?? intent.amount;
  if (amount > intent.amount) {
    const message = `The provided amount_to_confirm (${amount}) is greater than the amount (${intent.amount}).`;
    refuse(message, "amount_to_confirm", "amount_too_large");
  }
  return ok(pay(books, intent, paymentMethod, amount));
}

/** Charges the card: the money is received, or only authorised by `capture_method=manual`. */
function pay(books: StripeBooks, intent: PaymentIntent, paymentMethod: string, amount: number): PaymentIntent {
  const manual = intent.capture_method === "manual";
  const charge = chargeCard(books, {
    amount,
    currency: intent.currency,
    customer: intent.customer,
    description: intent.description,
    metadata: intent.metadata,
    paymentIntent: intent.id,
    paymentMethod,
    capture: !manual,
  });
  const attempted = { ...intent, latest_charge: charge.id };
  const decline = declineOf(paymentMethod);
  if (decline !== undefined) {
    const { code, declineCode, message } = decline;
    const error = { type: "card_error", code, decline_code: declineCode, message, charge: charge.id };
    const status = "requires_payment_method" as const;
    const failed = books.intents.put({ ...attempted, last_payment_error: error, payment_method: null, status });
    refuseDeclined(decline, charge, failed);
  }
  return books.intents.put({
    ...attempted,
    amount_capturable: manual ? amount : 0,
    amount_received: manual ? 0 : amount,
    last_payment_error: null,
    payment_method: paymentMethod,
    status: manual ? "requires_capture" : "succeeded",
  });
}

function capture({ books, form }: StripeCall, id: string) {
  const intent = mustFind(books.intents, "payment_intent", id, "intent");
  if (intent.status !== "requires_capture") refuseState(intent, "capture");
  const amount = form.amount("amount_to_capture") ?? intent.amount_capturable;
  if (amount > intent.amount_capturable) {
    const message = `The provided amount_to_capture (${amount}) is greater than the capturable amount (${intent.amount_capturable}).`;
    refuse(message, "amount_to_capture", "amount_too_large");
  }
  const charge = intent.latest_charge === null ? undefined : books.charges.get(intent.latest_charge);
  if (charge) captureCard(books, charge, amount);
  return ok(books.intents.put({ ...intent, amount_capturable: 0, amount_received: amount, status: "succeeded" }));
}

/** `amount` is the new total, not what is added (docs.stripe.com/payments/incremental-authorization). */
function increment({ books, form }: StripeCall, id: string) {
  const intent = mustFind(books.intents, "payment_intent", id, "intent");
  if (intent.status !== "requires_capture") refuseState(intent, "increment the authorization of");
  const amount = form.requiredAmount("amount");
  if (amount <= intent.amount_capturable) {
    refuse(
      `The new amount (${amount}) must be greater than the authorized one (${intent.amount_capturable}).`,
      "amount",
    );
  }
  const charge = intent.latest_charge === null ? undefined : books.charges.get(intent.latest_charge);
  if (charge) books.charges.put({ ...charge, amount });
  return ok(books.intents.put({ ...intent, amount, amount_capturable: amount }));
}

function cancel({ books, form }: StripeCall, id: string) {
  const intent = mustFind(books.intents, "payment_intent", id, "intent");
  if (intent.status === "succeeded" || intent.status === "canceled") refuseState(intent, "cancel");
  const reason = form.choice("cancellation_reason", CANCELLATION_REASONS) ?? null;
  const charge = intent.latest_charge === null ? undefined : books.charges.get(intent.latest_charge);
  if (charge?.status === "succeeded") books.charges.put({ ...charge, amount_refunded: charge.amount, refunded: true });
  return ok(
    books.intents.put({
      ...intent,
      amount_capturable: 0,
      canceled_at: createdNow(books),
      cancellation_reason: reason,
      status: "canceled",
    }),
  );
}

function isOpen(status: PaymentIntentStatus): boolean {
  return status === "requires_payment_method" || status === "requires_confirmation";
}

function readPaymentMethod(form: StripeForm): string | null {
  const name = form.text("payment_method");
  if (name !== undefined && !/^(pm|card|src)_/.test(name)) {
    refuse(`No such PaymentMethod: '${name}'`, "payment_method", "resource_missing");
  }
  if (name !== undefined) return name;
  return form.text("payment_method_data[type]") === undefined ? null : stripeId("pm");
}

function refuseNoMethod(): never {
  refuse(
    "You cannot confirm this PaymentIntent because it's missing a payment method. You can either update the " +
      "PaymentIntent with a payment method and then confirm it again, or confirm it again directly with a payment method.",
    "payment_method",
    "payment_intent_unexpected_state",
  );
}

function refuseState(intent: PaymentIntent, verb: string): never {
  const message = `You cannot ${verb} this PaymentIntent because it has a status of ${intent.status}.`;
  refuse(message, undefined, "payment_intent_unexpected_state");
}
