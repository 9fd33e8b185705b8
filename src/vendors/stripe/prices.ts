import type { Micros } from "../../core/money.ts";
import type { BuiltInPrice, PriceName } from "../price-name.ts";

const TAX: Pick<BuiltInPrice, "asOf" | "source"> = {
  asOf: "2026-11",
  source: 'the Tax API in the US: support.stripe.com, "Understanding Stripe Tax pricing"',
};

/** What Stripe bills the account itself, per use, in dollars of the United States' price list where there is one. */
const PRICES = {
  tax_calculation: { unit: "a calculation by the Tax API", builtIn: { micros: 50_000n, ...TAX } },
  tax_transaction: { unit: "a transaction that the Tax API records", builtIn: { micros: 500_000n, ...TAX } },
  dispute_counter: {
    unit: "countering a dispute, given back when it is won",
    builtIn: { micros: 15_000_000n, source: "support.stripe.com/topics/disputes" },
  },
  identity_verification: {
    unit: "a document check",
    builtIn: { micros: 1_500_000n, source: "support.stripe.com/questions/billing-details-for-stripe-identity" },
  },
  financial_connections: {
    unit: "the data of a linked bank account",
    builtIn: { micros: 1_500_000n, source: "the dearest data: owners" },
  },
  microdeposits: {
    unit: "two deposits that prove who owns a bank account",
    builtIn: { micros: 2_000_000n, source: "two, each below a dollar" },
  },
  radar_evaluation: { unit: "an evaluation by Radar, by the account's contract" },
  three_d_secure: { unit: "an authentication by 3-D Secure, by the account's contract" },
} as const satisfies Record<string, Omit<PriceName, "name">>;

/** The name of a price. That each is declared is what its type says. */
export type StripePrice = keyof typeof PRICES;

/** All that an operator can set under `prices.stripe`. */
export const STRIPE_PRICES: readonly PriceName[] = Object.entries(PRICES).map(([name, price]) => ({ name, ...price }));

const BUILT_IN: ReadonlyMap<string, Micros> = new Map(
  STRIPE_PRICES.flatMap(({ name, builtIn }) => (builtIn ? [[name, builtIn.micros]] : [])),
);

/** The figure that holds without one of the operator's. */
export function builtInPrice(name: StripePrice): Micros | undefined {
  return BUILT_IN.get(name);
}

/** The price of `name`: the operator's, or else the published one. */
export function stripePrice(name: StripePrice, prices: ReadonlyMap<string, Micros>): Micros | undefined {
  return prices.get(name) ?? builtInPrice(name);
}
