import type { Currency, CurrencyRates } from "../core/currency.ts";
import { readMoney } from "./cap-values.ts";

/** A value of a policy that says nothing until its currency has a rate. */
export interface Unrated {
  readonly path: readonly (string | number)[];
  readonly currency: Currency;
}

/** The caps in currencies that nobody has configured a rate for. `fields` may be canonical, or as a template has them. */
export function unratedCaps(fields: Readonly<Record<string, unknown>>, rates: CurrencyRates): readonly Unrated[] {
  return ["daily_cap", "total_cap"].flatMap((field) => {
    const money = fields[field] === undefined ? undefined : readMoney(fields[field], [field], () => {});
    return money && !isRated(money.currency, rates) ? [{ path: [field], currency: money.currency }] : [];
  });
}

/** The allowed currencies without a rate: calls in them are refused. */
export function unratedCurrencies(fields: Readonly<Record<string, unknown>>, rates: CurrencyRates): readonly Unrated[] {
  const field = "allowed_currencies";
  const given = fields[field];
  const entries: readonly Unrated[] =
    typeof given === "string"
      ? given.split(",").map((text) => ({ path: [field], currency: codeOf(text) }))
      : Array.isArray(given)
        ? given.map((text, index) => ({ path: [field, index], currency: codeOf(text) }))
        : [];
  // What is no code is an error of its own, or an input that is filled later.
  return entries.filter(({ currency }) => /^[a-z]{3}$/.test(currency) && !isRated(currency, rates));
}

function codeOf(text: unknown): string {
  return String(text).trim().toLowerCase();
}

function isRated(currency: Currency, rates: CurrencyRates): boolean {
  return currency === "usd" || rates.has(currency);
}
