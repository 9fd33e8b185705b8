import type { Currency } from "../../core/currency.ts";
import { divideCeil } from "../../core/money.ts";
import { readOf } from "../look-up.ts";
import { asObject, costUnknown, rejected, type StripeObject } from "../stripe-money.ts";
import type { Found, NoExposure } from "../vendor.ts";
import { type Entry, isId } from "./billing-fields.ts";
import { integerIn, objectFound, type Sum, textIn, type Unsaid } from "./billing-money.ts";

/** Stripe's unit amounts and decimal quantities have up to twelve decimals; both are counted in 10^-12. */
const DECIMALS = 12;
const ONE = 10n ** BigInt(DECIMALS);
const DECIMAL = /^(-?)(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,12}))?$/;
/** What a payer may choose at most where `adjustable_quantity[maximum]` is absent (docs.stripe.com/api/checkout/sessions). */
const ADJUSTABLE_MAX = "99";

/** Where a line's amount is written; exactly one of them may be there. */
const SOURCES = [
  "amount",
  "unit_amount",
  "unit_amount_decimal",
  "price",
  "plan",
  "pricing[price]",
  "price_data[unit_amount]",
  "price_data[unit_amount_decimal]",
] as const;

interface Unit {
  readonly ok: true;
  /** In 10^-12 of the minor unit. */
  readonly amount: bigint;
  readonly currency: Currency | undefined;
}

/**
 * What a line comes to without tax: its amount, or its unit amount or its price's, times its quantity (1 where absent; the
 * most that a payer can choose where it is adjustable), rounded up to the minor unit. What is below zero is a credit, and
 * comes to as much: taken off the other lines, it would hide a renewal that is billed without it.
 * `currency` is what the request, or the object that the line is added to, is in.
 */
export function lineSum(entry: Entry, currency: Currency | undefined, found: Found): Sum | Unsaid {
  const sources = SOURCES.filter((name) => (entry.get(name) ?? "") !== "");
  if (sources.length === 0) return costUnknown(`a line has none of ${SOURCES.join(", ")}`);
  if (sources.length > 1) return rejected(`a line has ${sources.join(" and ")}; it can have one of them only`);
  const quantity = quantityOf(entry);
  if (!quantity.ok) return quantity;
  const unit = unitOf(sources[0]!, entry, currency, found);
  if (!unit.ok) return unit;
  if (unit.currency === undefined) return costUnknown("a line has no currency");
  const product = unit.amount * quantity.amount;
  const minor = divideCeil(product < 0n ? -product : product, ONE * ONE);
  return { ok: true, minor, currency: unit.currency };
}

/** Whether a line gives money instead of asking for it. */
export function isCredit(entry: Entry): boolean {
  return SOURCES.some((name) => entry.get(name)?.startsWith("-"));
}

/** The most of the line that can be bought. */
function quantityOf(entry: Entry): Unit | NoExposure {
  if (entry.has("quantity_decimal") && entry.has("quantity"))
    return rejected("a line has quantity and quantity_decimal; it can have one of them only");
  const asked = entry.get("quantity_decimal") ?? entry.get("quantity") ?? "1";
  const quantity = decimal("quantity", asked);
  if (!quantity.ok || quantity.amount < 0n)
    return rejected(`quantity is ${JSON.stringify(asked.slice(0, 40))}; it has to be a number`);
  if ((entry.get("adjustable_quantity[enabled]") ?? "false") === "false") return quantity;
  const most = decimal("adjustable_quantity[maximum]", entry.get("adjustable_quantity[maximum]") ?? ADJUSTABLE_MAX);
  if (!most.ok) return most;
  return most.amount > quantity.amount ? most : quantity;
}

function unitOf(
  source: (typeof SOURCES)[number],
  entry: Entry,
  currency: Currency | undefined,
  found: Found,
): Unit | Unsaid {
  const value = entry.get(source)!;
  if (source === "price" || source === "plan" || source === "pricing[price]") return priceUnit(value, currency, found);
  const unit = decimal(source, value);
  if (!unit.ok) return unit;
  const own = source.startsWith("price_data") ? entry.get("price_data[currency]") : (entry.get("currency") ?? currency);
  return { ...unit, currency: own };
}

function decimal(name: string, text: string): Unit | NoExposure {
  const match = DECIMAL.exec(text);
  if (!match)
    return rejected(
      `${name} is ${JSON.stringify(text.slice(0, 40))}; it has to be a number below 10^12, digits only, with up to ${DECIMALS} decimals`,
    );
  const amount = BigInt(match[2]!) * ONE + BigInt((match[3] ?? "").padEnd(DECIMALS, "0"));
  return { ok: true, amount: match[1] === "-" ? -amount : amount, currency: undefined };
}

/**
 * The unit amount of a price (or plan, which Stripe answers at the same address). The amount can never change, but
 * `currency_options` can: the look-up is made every time.
 */
function priceUnit(id: string, currency: Currency | undefined, found: Found): Unit | Unsaid {
  if (!isId(id)) return rejected(`${JSON.stringify(id.slice(0, 40))} is no id of a price`);
  const price = objectFound(found, readOf(`/v1/prices/${id}?expand[]=currency_options`));
  return price.ok ? unitOfPrice(id, price.object, currency) : price;
}

function unitOfPrice(id: string, price: StripeObject, currency: Currency | undefined): Unit | NoExposure {
  if (asObject(price["recurring"])?.["usage_type"] === "metered")
    return costUnknown(`the price ${id} is billed by usage`);
  const own = textIn(price, "currency");
  const options = asObject(price["currency_options"]) ?? {};
  const isOwn = currency === undefined || currency === own;
  if (currency === undefined && Object.keys(options).some((option) => option !== own)) {
    return costUnknown(`the price ${id} has several currencies; name one with the parameter currency`);
  }
  const option = isOwn ? price : asObject(options[currency]);
  if (!option) return costUnknown(`the price ${id} has no amount in ${currency}`);
  if ((price["billing_scheme"] ?? "per_unit") !== "per_unit") return costUnknown(`the price ${id} has tiers`);
  const custom = asObject(option["custom_unit_amount"]);
  const whole = custom ? integerIn(custom, "maximum") : integerIn(option, "unit_amount");
  if (whole !== undefined && whole >= 0n) return { ok: true, amount: whole * ONE, currency: isOwn ? own : currency };
  const text = custom ? undefined : textIn(option, "unit_amount_decimal");
  const unit = text === undefined ? undefined : decimal("unit_amount_decimal", text);
  if (!unit?.ok) return costUnknown(`the price ${id} says no amount${custom ? ", as its payer chooses it" : ""}`);
  return { ...unit, currency: isOwn ? own : currency };
}
