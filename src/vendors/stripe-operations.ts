import { DISPUTES, PAYOUTS, TRANSFERS } from "./stripe/balance.ts";
import { STRIPE_BILLING } from "./stripe/billing.ts";
import { CHARGES, REFUNDS } from "./stripe/charges.ts";
import { CLOSED } from "./stripe/closed.ts";
import { CUSTOMERS } from "./stripe/customers.ts";
import { FEES_PER_USE } from "./stripe/fees.ts";
import { FREE_WRITES } from "./stripe/free-writes.ts";
import { ISSUING } from "./stripe/issuing.ts";
import { MONEY_MANAGEMENT } from "./stripe/money-management.ts";
import { operation, unknown } from "./stripe/operation.ts";
import { PAYMENT_INTENTS } from "./stripe/payment-intents.ts";
import { TERMINAL } from "./stripe/terminal.ts";
import { TREASURY } from "./stripe/treasury.ts";
import type { Operation } from "./vendor.ts";

/** Reads last, so that those which hand out something stand before them; then everything else, which may move money. */
const REST: readonly Operation[] = [
  operation("reads", "free", "read", "GET /v1/**"),
  operation("reads", "free", "read", "GET /v2/**"),
  ...unknown("writes", "write", "may move or commit money, and Keybrake does not know how much", [
    ...["POST", "DELETE", "PUT", "PATCH"].map((method) => `${method} /v2/**`),
    "* /v1/**",
  ]),
];

/** Every operation of Stripe's, the deciding one first. Each area is a table of its own in `stripe/`. */
export const STRIPE_OPERATIONS: readonly Operation[] = [
  ...CLOSED,
  ...PAYMENT_INTENTS,
  ...CHARGES,
  ...REFUNDS,
  ...PAYOUTS,
  ...TRANSFERS,
  ...DISPUTES,
  ...TREASURY,
  ...ISSUING,
  ...TERMINAL,
  ...MONEY_MANAGEMENT,
  ...CUSTOMERS,
  ...STRIPE_BILLING,
  ...FEES_PER_USE,
  ...FREE_WRITES,
  ...REST,
];
