/**
 * The permissions of Stripe's restricted keys (rk_…) by the paths that they open.
 *
 * Where the names are from:
 * - docs.stripe.com/stripe-apps/reference/permissions, and before it stripe.com/docs/security/permissions: `charge_read`,
 *   `charge_write`, … by resource, which of them imply others, and their titles here. Prices are `plan`, payment links
 *   are plural, top-ups are `top_up`.
 * - A restricted key's permission is that name with `rak_` before it, as Stripe's own errors say it: "Having the
 *   'rak_invoice_write' permission would allow this request to continue" (github.com/stripe/stripe-cli/issues/570),
 *   `rak_subscription_read` (github.com/tylerjrichards/st-paywall/issues/36), `rak_plan_write`
 *   (github.com/WWBN/AVideo/issues/8516), `rak_customer_portal_write` (github.com/t3dotgg/stripe-recommendations/issues/23).
 * - docs.stripe.com/keys/restricted-api-keys: each resource is set to None, Read or Write. Write lets a key read, too
 *   (keybrake.com/seo/stripe-restricted-api-key-permissions).
 *
 * `documented` are paths of the very objects that Stripe names; `derived` those that lie under one of them, or that
 * belong to it by their name: there Stripe's error message has the last word. A path without a line is known to neither.
 */
export interface StripePermission {
  /** `rak_charge`: with `_read` or `_write` after it, it is the permission. */
  readonly stem: string;
  /** The resource as Stripe's form calls it. */
  readonly resource: string;
  /** Paths without a method, in the grammar of `allowed_endpoints`; each covers what lies under it. */
  readonly documented: readonly string[];
  readonly derived: readonly string[];
  /** The one level that Stripe has for it; undefined where there are both. */
  readonly only?: "Read" | "Write";
}

function line(
  name: string,
  resource: string,
  documented: readonly string[],
  derived: readonly string[] = [],
): StripePermission {
  return { stem: `rak_${name}`, resource, documented, derived };
}

/** The longest path that covers a call decides. */
export const STRIPE_PERMISSIONS: readonly StripePermission[] = [
  // Core payments. Refunds have no line of their own in Stripe's reference: its form has one row, "Charges and Refunds".
  line("charge", "Charges and Refunds", ["/v1/charges"], ["/v1/refunds"]),
  line("payment_intent", "PaymentIntents", ["/v1/payment_intents"]),
  line("setup_intent", "SetupIntents", ["/v1/setup_intents"], ["/v1/setup_attempts"]),
  line("dispute", "Disputes", ["/v1/disputes"]),
  line("review", "Reviews", ["/v1/reviews"]),
  line("mandate", "Mandates", ["/v1/mandates"]),
  line("checkout_session", "Checkout Sessions", ["/v1/checkout/sessions"]),
  line("payment_links", "Payment Links", ["/v1/payment_links"]),
  // Customers and their payment methods.
  line("customer", "Customers", ["/v1/customers"]),
  line("payment_method", "PaymentMethods", ["/v1/payment_methods"], ["/v1/customers/*/payment_methods"]),
  line("source", "Sources", ["/v1/sources"], ["/v1/customers/*/sources"]),
  line("token", "Tokens", ["/v1/tokens"]),
  line("customer_portal", "Customer portal", ["/v1/billing_portal"]),
  // Subscriptions and invoices.
  line(
    "subscription",
    "Subscriptions",
    ["/v1/subscriptions"],
    ["/v1/subscription_items", "/v1/subscription_schedules"],
  ),
  line("invoice", "Invoices", ["/v1/invoices"], ["/v1/invoiceitems", "/v1/invoice_payments"]),
  line("credit_note", "Credit Notes", ["/v1/credit_notes"]),
  line("quote", "Quotes", ["/v1/quotes"]),
  line("coupon", "Coupons", ["/v1/coupons"]),
  line("promotion_code", "Promotion Codes", ["/v1/promotion_codes"]),
  line("usage_record", "Usage Records", ["/v1/subscription_items/*/usage_records"]),
  line("billing_meter", "Billing meters", [], ["/v1/billing/meters"]),
  line("product", "Products", ["/v1/products"]),
  line("plan", "Prices", ["/v1/prices", "/v1/plans"]),
  line("shipping_rate", "Shipping Rates", ["/v1/shipping_rates"]),
  line("tax_rate", "Tax Rates", ["/v1/tax_rates"]),
  line("tax_settings", "Tax Settings", ["/v1/tax/settings"]),
  line("tax_calculations_and_transactions", "Tax Calculations and Transactions", [
    "/v1/tax/calculations",
    "/v1/tax/transactions",
  ]),
  line("order", "Orders", ["/v1/orders"]),
  // The balance, and money that leaves it.
  line("balance", "Balance", ["/v1/balance"]),
  line("balance_transaction_source", "Balance transaction sources", [], ["/v1/balance_transactions"]),
  line("payout", "Payouts", ["/v1/payouts"]),
  line("transfer", "Transfers", ["/v1/transfers"]),
  line("top_up", "Top-ups", ["/v1/topups"]),
  line("application_fee", "Application Fees", ["/v1/application_fees"]),
  // Connect.
  line("connected_account", "Accounts", ["/v1/accounts"]),
  { ...line("account_link", "Account Links", ["/v1/account_links"]), only: "Write" },
  { ...line("edit_link", "Login Links", ["/v1/accounts/*/login_links"]), only: "Write" },
  // Cards, and readers.
  line("issuing_authorization", "Issuing Authorizations", ["/v1/issuing/authorizations"]),
  line("issuing_card", "Issuing Cards", ["/v1/issuing/cards"]),
  line("issuing_cardholder", "Issuing Cardholders", ["/v1/issuing/cardholders"]),
  line("issuing_dispute", "Issuing Disputes", ["/v1/issuing/disputes"]),
  line("issuing_transaction", "Issuing Transactions", ["/v1/issuing/transactions"]),
  line("terminal_configuration", "Terminal Configurations", ["/v1/terminal/configurations"]),
  {
    ...line("terminal_connection_token", "Terminal Connection Tokens", ["/v1/terminal/connection_tokens"]),
    only: "Write",
  },
  line("terminal_location", "Terminal Locations", ["/v1/terminal/locations"]),
  line("terminal_reader", "Terminal Readers", ["/v1/terminal/readers"]),
  // Whatever supports the rest.
  { ...line("event", "Events", ["/v1/events"]), only: "Read" },
  line("file", "Files", ["/v1/files"], ["/v1/file_links"]),
  { ...line("report_runs_and_report_types", "Report Runs and Report Types", ["/v1/reporting"]), only: "Read" },
  line("secret", "Secrets", ["/v1/apps/secrets"]),
  line("webhook", "Webhook Endpoints", ["/v1/webhook_endpoints"], ["/v2/core/event_destinations"]),
  line("apple_pay_domain", "Apple Pay Domains", ["/v1/apple_pay/domains"]),
  line("billing_clock", "Test clocks", ["/v1/test_helpers/test_clocks"]),
];
