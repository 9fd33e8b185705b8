import {
  amountIn,
  amountUnless,
  captureMoved,
  costOf,
  intentMoved,
  noCost,
  nothingMovedBy,
  updateCost,
  updatedAmount,
} from "./stripe-money.ts";
import type { MoneyKind, Operation, OperationClass } from "./vendor.ts";

const V1_BODIES = ["none", "form"] as const;
const V2_BODIES = ["none", "json"] as const;

/** Largest file that Stripe takes (docs.stripe.com/file-upload), with room for the multipart frame. */
const FILE_BYTES_MAX = 16 * 1024 * 1024 + 64 * 1024;

const LOOK_UP = "Keybrake would have to look it up at Stripe and does not do that yet";
/** Parameters that describe and move nothing, on every object. */
const DESCRIPTION = /^(?:metadata(?:\[.+)?|description|expand\[[0-9]+\])$/;

/** Operations that hand out credentials, or access to an account, or Keybrake's own way around itself. */
const CLOSED: readonly Operation[] = [
  ...family("ephemeral_keys", "closed", "returns a key that reads card and customer data", [
    "* /v1/ephemeral_keys",
    "* /v1/ephemeral_keys/**",
  ]),
  ...family("webhook_endpoints", "closed", "returns a signing secret and decides who is told of every event", [
    "POST /v1/webhook_endpoints",
    "POST /v1/webhook_endpoints/*",
    "DELETE /v1/webhook_endpoints/*",
    "* /v2/core/event_destinations",
    "* /v2/core/event_destinations/**",
  ]),
  ...family("connection_tokens", "closed", "returns a secret for card readers", ["* /v1/terminal/connection_tokens"]),
  ...family("oauth", "closed", "returns an access token that is a live secret key", ["* /oauth/**"]),
  ...family("forwarding", "closed", "sends stored card data to an address in the request", [
    "POST /v1/forwarding/requests",
  ]),
  ...family("apps.secrets", "closed", "stores and returns an app's secrets", [
    "* /v1/apps/secrets",
    "* /v1/apps/secrets/**",
  ]),
  ...family("account_access", "closed", "returns a link or a session that logs in to an account", [
    "POST /v1/account_links",
    "POST /v1/account_sessions",
    "POST /v1/accounts/*/login_links",
    "POST /v2/core/account_links",
  ]),
  ...family("meter_event_session", "closed", "returns a token for the meter event stream", [
    "POST /v2/billing/meter_event_session",
  ]),
];

const PAYMENT_INTENTS: readonly Operation[] = [
  {
    ...money("payment_intents.create", "charge", "POST /v1/payment_intents"),
    exposure: amountIn("amount", "request", "a PaymentIntent needs one"),
    cost: costOf(intentMoved),
  },
  {
    ...money("payment_intents.update", "charge", "POST /v1/payment_intents/*"),
    exposure: updatedAmount,
    cost: updateCost,
  },
  {
    ...money("payment_intents.confirm", "charge", "POST /v1/payment_intents/*/confirm"),
    exposure: amountIn("amount_to_confirm", "object", `Stripe then takes the PaymentIntent's amount, and ${LOOK_UP}`),
    cost: costOf(intentMoved),
  },
  {
    ...money("payment_intents.capture", "charge", "POST /v1/payment_intents/*/capture"),
    exposure: amountIn("amount_to_capture", "object", `Stripe then takes all that can be captured, and ${LOOK_UP}`),
    cost: costOf(captureMoved("amount_to_capture", "amount_received")),
  },
  {
    // Its amount is the new total, not what is added: counting all of it errs against the agent.
    ...money("payment_intents.increment_authorization", "charge", "POST /v1/payment_intents/*/increment_authorization"),
    exposure: amountIn("amount", "object", "an increment needs the new total"),
    cost: costOf(intentMoved),
  },
  {
    ...money("payment_intents.apply_customer_balance", "charge", "POST /v1/payment_intents/*/apply_customer_balance"),
    exposure: amountIn("amount", "object", `Stripe then applies all it can, and ${LOOK_UP}`),
    cost: costOf(intentMoved),
  },
];

const CHARGES_AND_REFUNDS: readonly Operation[] = [
  {
    ...money("charges.create", "charge", "POST /v1/charges"),
    exposure: amountIn("amount", "request", "a charge needs one"),
    cost: costOf(amountUnless("failed")),
  },
  {
    ...money("charges.capture", "charge", "POST /v1/charges/*/capture"),
    exposure: amountIn("amount", "object", `Stripe then takes the whole charge, and ${LOOK_UP}`),
    cost: costOf(captureMoved("amount", "amount_captured")),
  },
  ...["POST /v1/refunds", "POST /v1/charges/*/refunds"].map((route) => ({
    ...money("refunds.create", "refund", route),
    exposure: amountIn("amount", "object", `Stripe then refunds all that is left of the charge, and ${LOOK_UP}`),
    cost: costOf(amountUnless("failed", "canceled")),
  })),
  {
    ...money("application_fees.refund", "refund", "POST /v1/application_fees/*/refunds"),
    exposure: amountIn("amount", "object", `Stripe then refunds the whole fee, and ${LOOK_UP}`),
    cost: costOf(amountUnless()),
  },
];

const BALANCE: readonly Operation[] = [
  {
    ...money("payouts.create", "payout", "POST /v1/payouts"),
    exposure: amountIn("amount", "request", "a payout needs one"),
    cost: costOf(amountUnless("failed", "canceled")),
  },
  {
    ...money("transfers.create", "transfer", "POST /v1/transfers"),
    exposure: amountIn("amount", "request", `Stripe then transfers all of source_transaction, and ${LOOK_UP}`),
    cost: costOf(amountUnless()),
  },
  {
    ...money("transfers.reverse", "transfer", "POST /v1/transfers/*/reversals"),
    exposure: amountIn("amount", "object", `Stripe then reverses the whole transfer, and ${LOOK_UP}`),
    cost: costOf(amountUnless()),
  },
  {
    ...money("topups.create", "topup", "POST /v1/topups"),
    exposure: amountIn("amount", "request", "a top-up needs one"),
    cost: costOf(amountUnless("failed", "canceled", "reversed")),
  },
];

/**
 * Updates that move nothing as long as they only describe. A customer's `balance` is money, and a new `source` makes
 * Stripe retry the open invoices of past-due subscriptions, so neither is among the harmless fields.
 */
const DESCRIPTIVE: readonly Operation[] = [
  ...descriptive(
    "customers",
    ["POST /v1/customers", "POST /v1/customers/*"],
    [
      "address|business_name|email|individual_name|invoice_prefix|invoice_settings|name|next_invoice_sequence",
      "payment_method|phone|preferred_locales|shipping|tax|tax_exempt|tax_id_data|test_clock",
    ],
  ),
  ...descriptive(
    "charges.update",
    ["POST /v1/charges/*"],
    ["customer|fraud_details|receipt_email|shipping|transfer_group"],
  ),
  ...descriptive("updates", [
    "POST /v1/refunds/*",
    "POST /v1/payouts/*",
    "POST /v1/transfers/*",
    "POST /v1/transfers/*/reversals/*",
    "POST /v1/topups/*",
    "POST /v1/application_fees/*/refunds/*",
    "POST /v1/customers/*/balance_transactions/*",
  ]),
];

/**
 * Everyday writes that move and commit nothing: definitions, payment methods without a payment, previews, cancellations
 * before money moved. Each path by itself: what Stripe adds below one of them is unknown until it stands here.
 */
const FREE_WRITES: readonly Operation[] = [
  ...family("catalogue", "free", undefined, [
    ..."products prices plans coupons shipping_rates tax_rates entitlements/features"
      .split(" ")
      .flatMap((name) => [`POST /v1/${name}`, `POST /v1/${name}/*`]),
    ..."products plans coupons".split(" ").map((name) => `DELETE /v1/${name}/*`),
    "POST /v1/products/*/features",
    "DELETE /v1/products/*/features/*",
  ]),
  ...family("customers.tax_ids", "free", undefined, [
    "POST /v1/customers/*/tax_ids",
    "DELETE /v1/customers/*/tax_ids/*",
  ]),
  ...family("payment_methods", "free", undefined, [
    ...["", "/*", "/*/attach", "/*/detach"].map((below) => `POST /v1/payment_methods${below}`),
    "POST /v1/tokens",
  ]),
  // A SetupIntent saves a payment method; what its confirm authorises is nothing or is given back at once.
  ...family("setup_intents", "free", undefined, [
    ...["", "/*", "/*/cancel", "/*/confirm", "/*/verify_microdeposits"].map(
      (below) => `POST /v1/setup_intents${below}`,
    ),
  ]),
  ...family("cancellations", "free", undefined, [
    "POST /v1/payment_intents/*/cancel",
    "POST /v1/checkout/sessions/*/expire",
  ]),
  ...family("invoices.preview", "free", undefined, [
    "POST /v1/invoices/create_preview",
    "POST /v1/invoice_rendering_templates/*/archive",
    "POST /v1/invoice_rendering_templates/*/unarchive",
  ]),
  ...family("file_links", "free", undefined, ["POST /v1/file_links", "POST /v1/file_links/*"]),
  { ...operation("files", "free", "write", "POST /v1/files"), bodyKinds: ["multipart"], bodyBytesMax: FILE_BYTES_MAX },
];

/** Why the best-known operations without a ceiling are refused; all others share the last entries' reasons. */
const UNKNOWN: readonly Operation[] = [
  ...family("invoices", "unknown", `charges what the invoice comes to, and ${LOOK_UP}`, [
    ...everyWrite("invoices invoiceitems"),
  ]),
  ...family("subscriptions", "unknown", "charges now and every period, by prices that only Stripe knows", [
    ...everyWrite("subscriptions subscription_items subscription_schedules quotes"),
  ]),
  ...family("checkout", "unknown", "asks a payer for line items whose prices only Stripe knows", [
    ...everyWrite("checkout payment_links"),
  ]),
  ...family("accounts", "unknown", "changes an account, where it is paid out, or what it may do", [
    ...everyWrite("accounts"),
  ]),
  ...family("payouts.undo", "unknown", `moves a whole payout back, and ${LOOK_UP}`, [
    "POST /v1/payouts/*/cancel",
    "POST /v1/payouts/*/reverse",
  ]),
  ...family("disputes.close", "unknown", `gives up the disputed amount, and ${LOOK_UP}`, ["POST /v1/disputes/*/close"]),
];

/** Reads last, so that those which hand out something stand before them; then everything else, which may move money. */
const REST: readonly Operation[] = [
  { ...operation("reads", "free", "read", "GET /v1/**") },
  { ...operation("reads", "free", "read", "GET /v2/**"), bodyKinds: V2_BODIES },
  ...["POST", "DELETE", "PUT", "PATCH"].map((method) => ({
    ...operation("v2_writes", "unknown", "write", `${method} /v2/**`),
    bodyKinds: V2_BODIES,
    reason: "belongs to Stripe's v2 API, whose amounts Keybrake does not read yet",
  })),
  {
    ...operation("writes", "unknown", "write", "* /v1/**"),
    reason: "may move or commit money, and the request does not say how much",
  },
];

/** Every operation of Stripe's, the deciding one first. */
export const STRIPE_OPERATIONS: readonly Operation[] = [
  ...CLOSED,
  ...PAYMENT_INTENTS,
  ...CHARGES_AND_REFUNDS,
  ...BALANCE,
  ...DESCRIPTIVE,
  ...FREE_WRITES,
  ...UNKNOWN,
  ...REST,
];

function operation(name: string, opClass: OperationClass, kind: MoneyKind, route: string): Operation {
  return { name, route, class: opClass, kind, bodyKinds: V1_BODIES };
}

function money(name: string, kind: MoneyKind, route: string): Operation {
  return operation(name, "priced", kind, route);
}

/** One name and class for several routes. */
function family(
  name: string,
  opClass: OperationClass,
  reason: string | undefined,
  routes: readonly string[],
): Operation[] {
  return routes.map((route) => ({
    ...operation(name, opClass, "write", route),
    ...(route.includes(" /v2/") ? { bodyKinds: V2_BODIES } : {}),
    ...(reason === undefined ? {} : { reason }),
  }));
}

/** POST and DELETE on each of the resources and all below it. */
function everyWrite(resources: string): string[] {
  const paths = resources.split(" ").flatMap((resource) => [`/v1/${resource}`, `/v1/${resource}/**`]);
  return paths.flatMap((path) => [`POST ${path}`, `DELETE ${path}`]);
}

/** Operations that are priced at nothing as long as only `fields` (regular expressions) and descriptions are sent. */
function descriptive(name: string, routes: readonly string[], fields: readonly string[] = []): Operation[] {
  const harmless = new RegExp(`${DESCRIPTION.source}${fields.map((some) => `|^(?:${some})(?:\\[.+)?$`).join("")}`);
  return routes.map((route) => ({
    ...operation(name, "priced", "write", route),
    exposure: nothingMovedBy(harmless),
    cost: noCost,
  }));
}
