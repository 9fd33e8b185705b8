import type { Call } from "../../core/call.ts";
import { noCost, nothingMovedBy } from "../stripe-money.ts";
import type { Operation, Pricing } from "../vendor.ts";
import { family, priced } from "./billing-operation.ts";
import { feeOf } from "./fees.ts";
import type { StripePrice } from "./prices.ts";

const PRICE_TEXTS =
  /^(?:active|lookup_key|metadata(?:\[.+)?|nickname|tax_behavior|transfer_lookup_key|expand\[[0-9]+\])$/;
const COUPON_TEXTS = /^(?:metadata(?:\[.+)?|name|expand\[[0-9]+\])$/;
const RATE_TEXTS = /^(?:active|metadata(?:\[.+)?|tax_behavior|expand\[[0-9]+\])$/;
const BILLING_MODE = /^(?:billing_mode(?:\[.+)?|expand\[[0-9]+\])$/;

/** What moves or commits nothing by itself: definitions, settings, previews, reports, and money that is only test money. */
const FREE: readonly Operation[] = [
  ...family("catalogue", "free", "write", [
    ...everyWrite("products plans"),
    "POST /v1/coupons",
    "DELETE /v1/coupons/*",
    "POST /v1/products/*/features",
    "DELETE /v1/products/*/features/*",
    "POST /v1/prices",
    "POST /v1/shipping_rates",
    ...writes("tax_rates entitlements/features product_catalog/trial_offers"),
    "POST /v2/commerce/product_catalog/imports",
  ]),
  ...family("tax_ids", "free", "write", [
    "POST /v1/tax_ids",
    "DELETE /v1/tax_ids/*",
    "POST /v1/customers/*/tax_ids",
    "DELETE /v1/customers/*/tax_ids/*",
  ]),
  // Records of tax for a report of the operator's own; nothing is charged by them.
  ...family("tax.records", "free", "write", ["POST /v1/tax/locations", "POST /v1/tax/transactions/create_reversal"]),
  ...family("invoice_rendering_templates", "free", "write", [
    "POST /v1/invoice_rendering_templates/*/archive",
    "POST /v1/invoice_rendering_templates/*/unarchive",
  ]),
  // It leaves the subscription, already counted, as it is.
  ...family("subscription_schedules.release", "free", "write", ["POST /v1/subscription_schedules/*/release"]),
  ...family("billing.alerts", "free", "write", [
    "POST /v1/billing/alerts",
    ...["activate", "archive", "deactivate"].map((verb) => `POST /v1/billing/alerts/*/${verb}`),
  ]),
  ...family("billing.meters", "free", "write", [
    ...writes("billing/meters"),
    ...["deactivate", "reactivate"].map((verb) => `POST /v1/billing/meters/*/${verb}`),
  ]),
  ...family("billing.feedback_options", "free", "write", [
    ...writes("billing/feedback_options"),
    "POST /v1/billing/feedback_options/*/deactivate",
  ]),
  ...family("billing_portal.configurations", "free", "write", writes("billing_portal/configurations")),
  ...family("reporting.report_runs", "free", "write", ["POST /v1/reporting/report_runs"]),
  ...family("radar.value_lists", "free", "write", [
    ...everyWrite("radar/value_lists"),
    "POST /v1/radar/value_list_items",
    "DELETE /v1/radar/value_list_items/*",
  ]),
  // Stripe takes test_helpers with test keys only, so what a clock makes due or a helper pays in is never money.
  ...family("test_helpers.billing", "free", "write", [
    "POST /v1/test_helpers/test_clocks",
    "POST /v1/test_helpers/test_clocks/*/advance",
    "DELETE /v1/test_helpers/test_clocks/*",
    "POST /v1/test_helpers/customers/*/fund_cash_balance",
  ]),
];

const USAGE =
  "is billed later by prices and tiers that Keybrake cannot see; let the operator's own system report usage";

/** What nobody can say before the call. */
const UNKNOWN: readonly Operation[] = [
  ...family(
    "usage",
    "unknown",
    "charge",
    [
      "POST /v1/billing/meter_events",
      "POST /v1/billing/meter_event_adjustments",
      "POST /v2/billing/meter_events",
      "POST /v2/billing/meter_event_adjustments",
      "POST /v2/billing/meter_event_stream",
      "POST /v1/subscription_items/*/usage_records",
    ],
    USAGE,
  ),
  ...family(
    "customers.discount",
    "unknown",
    "charge",
    ["DELETE /v1/customers/*/discount"],
    "raises every later invoice of the customer; DELETE /v1/subscriptions/*/discount can be counted",
  ),
  ...family(
    "tax.settings",
    "unknown",
    "write",
    ["POST /v1/tax/settings", ...writes("tax/registrations")],
    "changes the tax on every later payment of the account, which is the operator's to decide",
  ),
  ...family(
    "orders",
    "unknown",
    "charge",
    ["POST /v1/orders", "POST /v1/orders/**"],
    "belongs to Stripe's Orders, which no current version of the API documents",
  ),
];

const CLOSED: readonly Operation[] = [
  ...family(
    "billing_portal.sessions",
    "closed",
    "write",
    ["POST /v1/billing_portal/sessions"],
    "returns a link that acts as the customer, whose stored payment methods it can charge without passing here",
  ),
  ...family(
    "meter_event_session",
    "closed",
    "write",
    ["POST /v2/billing/meter_event_session"],
    "returns a token for the meter event stream",
  ),
];

/** Billing beside invoices, subscriptions, checkout and credits. */
export const CATALOGUE: readonly Operation[] = [
  ...CLOSED,
  ...FREE,
  ...UNKNOWN,
  // New amounts in `currency_options` would reach subscriptions and links that were counted at the old ones.
  priced("prices.update", "write", "POST /v1/prices/*", nothingMovedBy(PRICE_TEXTS), noCost),
  priced("coupons.update", "write", "POST /v1/coupons/*", nothingMovedBy(COUPON_TEXTS), noCost),
  priced("shipping_rates.update", "write", "POST /v1/shipping_rates/*", nothingMovedBy(RATE_TEXTS), noCost),
  priced("subscriptions.migrate", "write", "POST /v1/subscriptions/*/migrate", nothingMovedBy(BILLING_MODE), noCost),
  priced("tax.calculations.create", "other", "POST /v1/tax/calculations", fee("tax_calculation")),
  priced(
    "tax.transactions.create",
    "other",
    "POST /v1/tax/transactions/create_from_calculation",
    fee("tax_transaction"),
  ),
];

/** What Stripe bills the account itself for the call. */
function fee(name: StripePrice) {
  return (_call: Call, pricing: Pricing) => feeOf(name, pricing);
}

/** Create and update of each. */
function writes(resources: string): string[] {
  return resources.split(" ").flatMap((name) => [`POST /v1/${name}`, `POST /v1/${name}/*`]);
}

/** Create, update and delete of each. */
function everyWrite(resources: string): string[] {
  return resources.split(" ").flatMap((name) => [...writes(name), `DELETE /v1/${name}/*`]);
}
