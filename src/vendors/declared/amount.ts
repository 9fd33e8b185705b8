import { type Currency, currencyExponent } from "../../core/currency.ts";
import { divideCeil, MICROS_PER_USD, type Micros } from "../../core/money.ts";
import type { NoExposure, Pricing } from "../vendor.ts";
import type { DeclaredAmount } from "./operation-schema.ts";
import { kindOf, type Place, parsePlace, quoted, readPlace, type Subject } from "./place.ts";

/** Where a request says what it moves. */
export interface Amount {
  readonly at: Place;
  readonly unit: "minor" | "decimal";
  readonly currency: { readonly fixed: Currency } | { readonly place: Place };
}

type Moved = { readonly ok: true; readonly micros: Micros; readonly currency: Currency } | NoExposure;

/** Twelve digits before the point, as Stripe's largest amounts have; a sign, an exponent and leading zeros are no amount. */
const MINOR = /^(?:0|[1-9][0-9]{0,11})$/;
const DECIMAL = /^(0|[1-9][0-9]{0,11})(?:\.([0-9]{1,18}))?$/;

/**
 * Currencies that Stripe alone writes with two decimals (core/currency.ts). By ISO 4217 they have none, and that is what
 * another vendor's minor unit is taken for: the dearer reading.
 */
const WITHOUT_DECIMALS: ReadonlySet<Currency> = new Set(["isk", "ugx"]);

export function compileAmount({ at, unit, currency }: DeclaredAmount): Amount {
  const bracketed = /^\[(.+)\]$/.exec(currency)?.[1];
  const isPlace = bracketed !== undefined || currency.startsWith("/");
  return {
    at: parsePlace(at),
    unit,
    currency: isPlace ? { place: parsePlace(bracketed ?? currency) } : { fixed: currency },
  };
}

/** The amount of one entry. `body` is the whole request: its currency holds for all entries. */
export function amountOf(amount: Amount, subject: Subject, body: Subject, pricing: Pricing): Moved {
  const { at } = amount;
  const reading = readPlace(subject, at);
  if (reading.state === "odd") return refused("request_rejected", reading.why);
  if (reading.state === "missing") return refused("cost_unknown", `the amount ${at.text} is missing`);
  const { value, text } = reading;
  const currency = currencyOf(amount, body);
  if (typeof currency !== "string") return currency;
  const pattern = amount.unit === "minor" ? MINOR : DECIMAL;
  if ((typeof value !== "string" && typeof value !== "number") || !pattern.test(text)) {
    const got = typeof value === "string" || typeof value === "number" ? quoted(text) : kindOf(value);
    const wanted =
      amount.unit === "minor" ? "a whole number of the currency's minor unit" : "a decimal number like 10.50";
    return refused("request_rejected", `${at.text} is ${got} and must be ${wanted}`);
  }
  const micros = toMicros(amount, text, currency, pricing);
  if (micros !== undefined) return { ok: true, micros, currency };
  const hint = "the operator can give a rate under currency_rates";
  return refused("currency_denied", `there is no rate for ${currency.toUpperCase()}; ${hint}`);
}

function currencyOf({ currency }: Amount, body: Subject): Currency | NoExposure {
  if ("fixed" in currency) return currency.fixed;
  const reading = readPlace(body, currency.place);
  if (reading.state === "odd") return refused("request_rejected", reading.why);
  if (reading.state === "missing") return refused("cost_unknown", `the currency ${currency.place.text} is missing`);
  const code = reading.text.toLowerCase();
  if (currencyExponent(code) !== undefined) return code;
  return refused("currency_denied", `${quoted(reading.text)} is no currency that Keybrake knows`);
}

/** What an amount as it is written is in micro-dollars, rounded up; undefined for what is no amount or has no rate. */
export function toMicros({ unit }: Amount, text: string, currency: Currency, pricing: Pricing): Micros | undefined {
  const exponent = currencyExponent(currency);
  const rateMicros = currency === "usd" ? MICROS_PER_USD : pricing.currencyRates.get(currency);
  if (exponent === undefined || rateMicros === undefined) return undefined;
  if (unit === "minor") {
    const decimals = WITHOUT_DECIMALS.has(currency) ? 0 : exponent;
    return MINOR.test(text) ? divideCeil(BigInt(text) * rateMicros, 10n ** BigInt(decimals)) : undefined;
  }
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const decimals = match[2] ?? "";
  return divideCeil(BigInt(match[1]! + decimals) * rateMicros, 10n ** BigInt(decimals.length));
}

/** Dollars with any number of decimals, rounded up to a micro-dollar; undefined for what is no such text. */
export function decimalToMicros(text: string): Micros | undefined {
  const match = DECIMAL.exec(text);
  if (!match) return undefined;
  const decimals = match[2] ?? "";
  return divideCeil(BigInt(match[1]! + decimals) * MICROS_PER_USD, 10n ** BigInt(decimals.length));
}

function refused(code: NoExposure["code"], why: string): NoExposure {
  return { ok: false, code, message: `Keybrake: ${why}.` };
}
