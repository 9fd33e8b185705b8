import type { JsonValue } from "../../core/call.ts";
import type { Metadata } from "./form.ts";

/** What every object has; the fields are those of API version 2026-10-28 that money or scope depends on. */
export type StripeObject = {
  readonly id: string;
  readonly object: string;
  /** Epoch seconds. */
  readonly created: number;
  readonly description: string | null;
  readonly livemode: false;
  readonly metadata: Metadata;
  readonly [field: string]: JsonValue;
};

export type PaymentIntentStatus =
  | "requires_payment_method"
  | "requires_confirmation"
  | "requires_capture"
  | "canceled"
  | "succeeded";

/** Amounts are in the currency's minor unit throughout. */
export type PaymentIntent = StripeObject & {
  readonly object: "payment_intent";
  readonly amount: number;
  readonly amount_capturable: number;
  readonly amount_received: number;
  readonly canceled_at: number | null;
  readonly cancellation_reason: string | null;
  readonly capture_method: string;
  readonly currency: string;
  readonly customer: string | null;
  readonly last_payment_error: JsonValue;
  readonly latest_charge: string | null;
  readonly payment_method: string | null;
  readonly status: PaymentIntentStatus;
};

export type Charge = StripeObject & {
  readonly object: "charge";
  readonly amount: number;
  readonly amount_captured: number;
  readonly amount_refunded: number;
  readonly captured: boolean;
  readonly currency: string;
  readonly customer: string | null;
  readonly payment_intent: string | null;
  readonly refunded: boolean;
  readonly status: "succeeded" | "failed";
};

export type Refund = StripeObject & {
  readonly object: "refund";
  readonly amount: number;
  readonly charge: string;
  readonly currency: string;
  readonly payment_intent: string | null;
  readonly status: "succeeded";
};

export type Payout = StripeObject & {
  readonly object: "payout";
  /** Negative where it takes back another payout. */
  readonly amount: number;
  readonly arrival_date: number;
  readonly currency: string;
  readonly original_payout: string | null;
  readonly reversed_by: string | null;
  readonly status: "pending" | "paid" | "canceled";
};

export type Transfer = StripeObject & {
  readonly object: "transfer";
  readonly amount: number;
  readonly amount_reversed: number;
  readonly currency: string;
  readonly reversed: boolean;
};

export type TransferReversal = StripeObject & {
  readonly object: "transfer_reversal";
  readonly amount: number;
  readonly currency: string;
  readonly transfer: string;
};

export type Customer = StripeObject & { readonly object: "customer"; readonly email: string | null };

export type Product = StripeObject & { readonly object: "product"; readonly name: string };

export type Price = StripeObject & {
  readonly object: "price";
  readonly currency: string;
  readonly product: string;
  readonly unit_amount: number | null;
};
