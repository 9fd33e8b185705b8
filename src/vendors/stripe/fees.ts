import { type Call, field } from "../../core/call.ts";
import { formatUsd } from "../../core/money.ts";
import {
  amountIn,
  asObject,
  costOf,
  costUnknown,
  exposureOf,
  minorUnits,
  misspelling,
  NOTHING,
  nothingSpent,
  rejected,
} from "../stripe-money.ts";
import type { Exposure, Found, Missing, MoneyKind, NoExposure, Operation, Pricing } from "../vendor.ts";
import { lookedAt, objectInField, told } from "./found-object.ts";
import { costless, lookedUp, priced } from "./operation.ts";
import { builtInPrice, type StripePrice, stripePrice } from "./prices.ts";

/** Calls that are billed by themselves, whatever they do; without a price they are `cost_unknown`. */
export const FEES_PER_USE: readonly Operation[] = [
  lessOften("disputes.update", "dispute_counter", "POST /v1/disputes/*", (call) => field(call, "submit") === "false"),
  fee("identity.verify", "identity_verification", "POST /v1/identity/verification_sessions"),
  fee("financial_connections.refresh", "financial_connections", "POST /v1/financial_connections/accounts/*/refresh"),
  fee(
    "financial_connections.subscribe",
    "financial_connections",
    "POST /v1/financial_connections/accounts/*/subscribe",
  ),
  fee("radar.evaluate", "radar_evaluation", "POST /v1/radar/payment_evaluations"),
  fee("three_d_secure.authenticate", "three_d_secure", "POST /v1/three_d_secure/authentications"),
  fee("v2.microdeposits", "microdeposits", "POST /v2/core/vault/us_bank_accounts/*/send_microdeposits", "payout"),
  lookedUp("climate.order", "other", "POST /v1/climate/orders", {
    exposure: climateOrder,
    cost: costOf((order) => (order["status"] === "canceled" ? 0n : minorUnits(order, "amount_total"))),
    counts: "the amount, or the tons at their price",
  }),
  ...costless("climate.cancel", "other", "nothing: the order is paid back", ["POST /v1/climate/orders/*/cancel"]),
];

function fee(name: string, of: StripePrice, route: string, kind: MoneyKind = "other"): Operation {
  return lessOften(name, of, route, () => false, kind);
}

/** A fee that a call of the kind `isFree` does not cost. */
function lessOften(
  name: string,
  of: StripePrice,
  route: string,
  isFree: (call: Call) => boolean,
  kind: MoneyKind = "other",
): Operation {
  const builtIn = builtInPrice(of);
  return priced(name, kind, route, {
    exposure: (call, pricing) => misspelling(call, ["submit"]) ?? (isFree(call) ? NOTHING : feeOf(of, pricing)),
    cost: (_call, answer, exposure) => ({ ...nothingSpent(answer), micros: exposure.micros, source: exposure.source }),
    counts: `the fee, prices.stripe.${of}${builtIn === undefined ? "" : ` (default $${formatUsd(builtIn)})`}`,
  });
}

/** What one call is billed: the operator's price, or else the published one. */
export function feeOf(of: StripePrice, { prices }: Pricing): Exposure | NoExposure {
  const micros = stripePrice(of, prices);
  if (micros !== undefined) return { ...NOTHING, micros, source: "rate_table" };
  return costUnknown(
    `Stripe bills it by the account's contract; an operator can set prices.stripe.${of} in keybrake.yaml`,
  );
}

const climateProduct = objectInField("/v1/climate/products", "product");
const TONS = /^(?:0|[1-9][0-9]{0,8})(?:\.([0-9]{1,6}))?$/;
const orderAmount = amountIn("amount", "either", "climate orders have an amount or metric_tons");

/** Tons are ordered at the product's price in the account's currency; where the request names none, at the dearest. */
function climateOrder(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const misspelt = misspelling(call, ["amount", "currency", "metric_tons"]);
  if (misspelt) return misspelt;
  const tons = field(call, "metric_tons");
  if (tons === undefined) return orderAmount(call, pricing);
  if (field(call, "amount") !== undefined)
    return rejected("the request has an amount and metric_tons; send one of them");
  const match = TONS.exec(tons);
  if (!match)
    return rejected(`metric_tons is ${JSON.stringify(tons.slice(0, 40))}; it has to be a decimal such as 1.5`);
  const path = climateProduct(call);
  if (path === undefined) return rejected("product is missing, or has other characters than letters, digits and _");
  const looked = lookedAt(found, path);
  if (!looked.ok) return looked;
  const perTon = asObject(looked.object["current_prices_per_metric_ton"]);
  const millionths = BigInt(tons.split(".")[0]!) * 1_000_000n + BigInt((match[1] ?? "").padEnd(6, "0"));
  return dearestOrder(perTon, field(call, "currency"), millionths, pricing);
}

function dearestOrder(
  perTon: ReturnType<typeof asObject>,
  currency: string | undefined,
  millionths: bigint,
  pricing: Pricing,
): Exposure | NoExposure {
  let most: Exposure | undefined;
  for (const [code, price] of Object.entries(perTon ?? {})) {
    if (currency !== undefined && code !== currency) continue;
    const total = minorUnits(asObject(price) ?? {}, "amount_total");
    const one =
      total === undefined ? undefined : exposureOf((total * millionths + 999_999n) / 1_000_000n, code, pricing);
    if (one?.ok && (!most || one.micros > most.micros)) most = one;
  }
  return most ? told(most, true, undefined) : costUnknown("Stripe has no price per ton in a currency with a rate");
}
