import type { Routes } from "../route.ts";
import {
  annotate,
  createdNow,
  list,
  mustFind,
  ok,
  retrieve,
  type StripeBooks,
  type StripeCall,
  stripeId,
} from "./books.ts";
import { captureCard, chargeCard, declineOf, refuseDeclined } from "./card.ts";
import { refuse } from "./error.ts";
import type { StripeForm } from "./form.ts";
import type { Charge } from "./objects.ts";

const REFUND_REASONS = ["duplicate", "fraudulent", "requested_by_customer"] as const;

export const chargeRoutes: Routes<StripeCall> = {
  "POST /v1/charges": createCharge,
  "GET /v1/charges": list((books) => books.charges, ["customer", "payment_intent"]),
  "GET /v1/charges/*": retrieve((books) => books.charges, "charge"),
  "POST /v1/charges/*": annotate((books) => books.charges, "charge"),
  "POST /v1/charges/*/capture": captureCharge,
  "POST /v1/charges/*/refunds": (call, id = "") => refund(call, mustFind(call.books.charges, "charge", id)),
  "POST /v1/refunds": (call) => refund(call, namedCharge(call.books, call.form)),
  "GET /v1/refunds": list((books) => books.refunds, ["charge", "payment_intent"]),
  "GET /v1/refunds/*": retrieve((books) => books.refunds, "refund"),
  "POST /v1/refunds/*": annotate((books) => books.refunds, "refund"),
};

function createCharge({ books, form }: StripeCall) {
  const amount = form.requiredAmount("amount");
  const currency = form.requiredCurrency();
  const customer = form.text("customer") ?? null;
  const source = form.text("source") ?? customer;
  if (source === null) refuse("Must provide source or customer.", "source", "parameter_missing");
  const charge = chargeCard(books, {
    amount,
    currency,
    customer,
    description: form.text("description") ?? null,
    metadata: form.metadata(),
    paymentIntent: null,
    paymentMethod: source,
    capture: form.flag("capture") ?? true,
  });
  const decline = declineOf(source);
  if (decline !== undefined) refuseDeclined(decline, charge);
  return ok(charge);
}

function captureCharge({ books, form }: StripeCall, id: string) {
  const charge = mustFind(books.charges, "charge", id);
  if (charge.payment_intent !== null) {
    refuse(`Charge ${id} belongs to ${charge.payment_intent}: capture that PaymentIntent instead.`, "charge");
  }
  if (charge.captured) refuse(`Charge ${id} has already been captured.`, undefined, "charge_already_captured");
  if (charge.status === "failed" || charge.refunded) refuse(`Charge ${id} cannot be captured.`, "charge");
  const amount = form.amount("amount") ?? charge.amount;
  if (amount > charge.amount) {
    refuse(`You cannot capture more than was authorized: ${amount} of ${charge.amount}.`, "amount", "amount_too_large");
  }
  return ok(captureCard(books, charge, amount));
}

/** Gives back `amount`, or all that is left of the charge. */
function refund({ books, form }: StripeCall, charge: Charge) {
  refuseUnpaid(books, charge);
  const remaining = charge.amount - charge.amount_refunded;
  if (charge.refunded || remaining === 0) {
    refuse(`Charge ${charge.id} has already been refunded.`, undefined, "charge_already_refunded");
  }
  const amount = form.amount("amount") ?? remaining;
  if (amount > remaining) {
    refuse(`Refund amount (${amount}) is greater than unrefunded amount on charge (${remaining})`, "amount");
  }
  if (!charge.captured && amount < remaining) {
    refuse(`Charge ${charge.id} is not captured yet: it can only be refunded in full.`, "amount");
  }
  const reason = form.choice("reason", REFUND_REASONS) ?? null;
  const refunded = charge.amount_refunded + amount;
  books.charges.put({ ...charge, amount_refunded: refunded, refunded: refunded === charge.amount });
  return ok(
    books.refunds.put({
      id: stripeId("re"),
      object: "refund",
      amount,
      balance_transaction: stripeId("txn"),
      charge: charge.id,
      created: createdNow(books),
      currency: charge.currency,
      description: null,
      livemode: false,
      metadata: form.metadata(),
      payment_intent: charge.payment_intent,
      reason,
      status: "succeeded",
    }),
  );
}

/** The charge that `charge` or `payment_intent` names. */
function namedCharge(books: StripeBooks, form: StripeForm): Charge {
  const intentId = form.text("payment_intent");
  const chargeId = form.text("charge");
  if (intentId === undefined && chargeId === undefined) {
    refuse("One of the following params should be provided for this request: payment_intent or charge.");
  }
  const intent =
    intentId === undefined ? undefined : mustFind(books.intents, "payment_intent", intentId, "payment_intent");
  const charge = mustFind(books.charges, "charge", chargeId ?? intent?.latest_charge ?? "", "charge");
  if (intent !== undefined && charge.payment_intent !== intent.id) {
    refuse(`Charge ${charge.id} does not belong to PaymentIntent ${intent.id}.`, "charge");
  }
  return charge;
}

function refuseUnpaid(books: StripeBooks, charge: Charge): void {
  if (charge.status === "failed") refuse(`Charge ${charge.id} failed: there is nothing to refund.`, "charge");
  const held = charge.payment_intent === null ? undefined : books.intents.get(charge.payment_intent);
  if (held?.status === "requires_capture") {
    refuse(`PaymentIntent ${held.id} has no captured charge to refund: cancel it instead.`, "payment_intent");
  }
}
