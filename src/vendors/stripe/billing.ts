import type { Operation } from "../vendor.ts";
import { CATALOGUE } from "./billing-catalogue.ts";
import { CHECKOUT } from "./billing-checkout.ts";
import { CREDITS } from "./billing-credits.ts";
import { INVOICE_ITEMS } from "./billing-invoice-items.ts";
import { INVOICES } from "./billing-invoices.ts";
import { family } from "./billing-operation.ts";
import { SUBSCRIPTION_SCHEDULES } from "./billing-schedules.ts";
import { SUBSCRIPTION_ITEMS } from "./billing-subscription-items.ts";
import { SUBSCRIPTIONS } from "./billing-subscriptions.ts";

/**
 * The writes of Stripe Billing: invoices, subscriptions, quotes, checkout, credits, catalogue and taxes
 * (docs.stripe.com/api). What a payer pays is `charge`, what is given away is `credit`; both count once they are
 * committed, also where Stripe collects later. Reads are not among them.
 */
export const STRIPE_BILLING: readonly Operation[] = [
  // Before `POST /v1/invoices/*`, which its path would match too.
  ...family("invoices.preview", "free", "write", ["POST /v1/invoices/create_preview"]),
  ...INVOICES,
  ...INVOICE_ITEMS,
  ...SUBSCRIPTIONS,
  ...SUBSCRIPTION_ITEMS,
  ...SUBSCRIPTION_SCHEDULES,
  ...CHECKOUT,
  ...CREDITS,
  ...CATALOGUE,
];
