import { divideCeil, MICROS_MAX, MICROS_PER_USD, type Micros } from "./money.ts";

/** ISO 4217 code in lower case, as Stripe writes it. */
export type Currency = string;

/**
 * Decimal places of the unit in which Stripe wants amounts (docs.stripe.com/currencies). ISK and UGX are written with
 * two decimals of zeros ("to charge 5 UGX, provide an amount value of 500"), so their exponent here is 2.
 */
const ZERO_DECIMAL = "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf".split(" ");
const THREE_DECIMAL = "bhd jod kwd omr tnd".split(" ");
const TWO_DECIMAL = (
  "usd aed afn all amd ang aoa ars aud awg azn bam bbd bdt bgn bmd bnd bob brl bsd bwp byn bzd cad cdf chf cny cop crc " +
  "cve czk dkk dop dzd egp etb eur fjd fkp gbp gel gip gmd gtq gyd hkd hnl htg huf idr ils inr isk jmd kes kgs khr kyd " +
  "kzt lak lbp lkr lrd lsl mad mdl mkd mmk mnt mop mur mvr mwk mxn myr mzn nad ngn nio nok npr nzd pab pen pgk php pkr " +
  "pln qar ron rsd rub sar sbd scr sek sgd shp sle sos srd std szl thb tjs top try ttd twd tzs uah ugx uyu uzs wst xcd " +
  "xcg yer zar zmw"
).split(" ");

const EXPONENTS: ReadonlyMap<Currency, number> = new Map([
  ...ZERO_DECIMAL.map((code) => [code, 0] as const),
  ...TWO_DECIMAL.map((code) => [code, 2] as const),
  ...THREE_DECIMAL.map((code) => [code, 3] as const),
]);

/** Decimal places of `currency`'s minor unit, or undefined for a code that is not in Stripe's list. */
export function currencyExponent(currency: Currency): number | undefined {
  return EXPONENTS.get(currency);
}

const MICROS_PER_CENT = MICROS_PER_USD / 100n;

/** Dollars for one unit of a currency, in micro-dollars: EUR at 1.10 is 1_100_000n. USD needs no entry. */
export type CurrencyRates = ReadonlyMap<Currency, Micros>;

export type Conversion =
  | { readonly ok: true; readonly micros: Micros }
  | { readonly ok: false; readonly why: "unknown_currency" | "no_rate" };

/** Days on which the rates were looked up, as `2026-11-01`; a rate without one is not in it. */
export type CurrencyRateDates = ReadonlyMap<Currency, string>;

/** What `minor` units of `currency` are in micro-dollars, rounded up (against the agent). */
export function minorToMicros(minor: bigint, currency: Currency, rates: CurrencyRates): Conversion {
  if (currency === "usd") return { ok: true, micros: minor * MICROS_PER_CENT };
  const exponent = EXPONENTS.get(currency);
  if (exponent === undefined) return { ok: false, why: "unknown_currency" };
  const rate = rates.get(currency);
  if (rate === undefined) return { ok: false, why: "no_rate" };
  return { ok: true, micros: divideCeil(minor * rate, 10n ** BigInt(exponent)) };
}

/**
 * What `amountMicros` millionths of a unit of `currency` (500 euros are 500_000_000n) are in micro-dollars, rounded down:
 * for caps, where that is against the agent.
 */
export function capToMicros(amountMicros: bigint, currency: Currency, rates: CurrencyRates): Conversion {
  if (currency === "usd") return { ok: true, micros: amountMicros };
  if (!EXPONENTS.has(currency)) return { ok: false, why: "unknown_currency" };
  const rate = rates.get(currency);
  if (rate === undefined) return { ok: false, why: "no_rate" };
  const micros = (amountMicros * rate) / MICROS_PER_USD;
  if (micros > MICROS_MAX) return { ok: true, micros: MICROS_MAX };
  return { ok: true, micros };
}
