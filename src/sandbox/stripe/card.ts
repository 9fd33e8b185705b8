import { Refusal } from "../exchange.ts";
import { createdNow, type StripeBooks, stripeId } from "./books.ts";
import { stripeError } from "./error.ts";
import type { Metadata } from "./form.ts";
import type { Charge, PaymentIntent } from "./objects.ts";

interface Decline {
  readonly code: string;
  readonly declineCode: string;
  readonly message: string;
}

/**
 * Stripe's own test cards by the last part of their names, for payment methods and tokens alike
 * (`pm_card_chargeDeclined`, `pm_card_visa_chargeDeclined`, `tok_chargeDeclined`; docs.stripe.com/testing#declined-payments).
 */
const DECLINES: ReadonlyMap<string, Decline> = new Map([
  ["chargeDeclined", decline("generic_decline", "Your card was declined.")],
  ["chargeDeclinedFraudulent", decline("fraudulent", "Your card was declined.")],
  ["chargeDeclinedInsufficientFunds", decline("insufficient_funds", "Your card has insufficient funds.")],
  ["chargeDeclinedLostCard", decline("lost_card", "Your card was declined.")],
  ["chargeDeclinedStolenCard", decline("stolen_card", "Your card was declined.")],
  ["chargeDeclinedExpiredCard", decline("expired_card", "Your card has expired.", "expired_card")],
  ["chargeDeclinedIncorrectCvc", decline("incorrect_cvc", "Your card's security code is incorrect.", "incorrect_cvc")],
  [
    "chargeDeclinedProcessingError",
    decline("processing_error", "An error occurred while processing your card.", "processing_error"),
  ],
]);

function decline(declineCode: string, message: string, code = "card_declined"): Decline {
  return { code, declineCode, message };
}

/** How the card with that name is declined, or undefined where it pays. */
export function declineOf(paymentMethod: string): Decline | undefined {
  return DECLINES.get(paymentMethod.slice(paymentMethod.lastIndexOf("_") + 1));
}

export interface CardCharge {
  readonly amount: number;
  readonly currency: string;
  readonly customer: string | null;
  readonly description: string | null;
  readonly metadata: Metadata;
  readonly paymentIntent: string | null;
  readonly paymentMethod: string;
  readonly capture: boolean;
}

/** Writes the charge of one attempt on a card, a failed one where the card is declined. */
export function chargeCard(books: StripeBooks, card: CardCharge): Charge {
  const decline = declineOf(card.paymentMethod);
  const captured = decline === undefined && card.capture;
  return books.charges.put({
    id: stripeId("ch"),
    object: "charge",
    amount: card.amount,
    amount_captured: captured ? card.amount : 0,
    amount_refunded: 0,
    balance_transaction: captured ? stripeId("txn") : null,
    captured,
    created: createdNow(books),
    currency: card.currency,
    customer: card.customer,
    description: card.description,
    disputed: false,
    failure_code: decline?.code ?? null,
    failure_message: decline?.message ?? null,
    livemode: false,
    metadata: card.metadata,
    paid: decline === undefined,
    payment_intent: card.paymentIntent,
    payment_method: card.paymentMethod,
    refunded: false,
    status: decline === undefined ? "succeeded" : "failed",
  });
}

/** What is not captured of an authorisation goes back to the card, and counts as refunded on the charge. */
export function captureCard(books: StripeBooks, charge: Charge, amount: number): Charge {
  return books.charges.put({
    ...charge,
    amount_captured: amount,
    amount_refunded: charge.amount - amount,
    balance_transaction: stripeId("txn"),
    captured: true,
  });
}

/** @throws Refusal always: 402 `card_error`; the failed charge and PaymentIntent stay in the books. */
export function refuseDeclined(decline: Decline, charge: Charge, intent?: PaymentIntent): never {
  throw new Refusal(
    stripeError(402, {
      type: "card_error",
      code: decline.code,
      decline_code: decline.declineCode,
      message: decline.message,
      charge: charge.id,
      ...(intent === undefined ? {} : { payment_intent: intent }),
    }),
  );
}
