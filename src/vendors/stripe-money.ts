import { type Answer, type Call, type Fields, field, type JsonValue } from "../core/call.ts";
import { type Currency, type CurrencyRates, currencyExponent, minorToMicros } from "../core/currency.ts";
import { divideCeil, formatUsd, MICROS_MAX, MICROS_PER_USD, type Micros } from "../core/money.ts";
import type { Cost, Exposure, NoExposure, Pricing } from "./vendor.ts";

/** An object of Stripe's as an answer carries it. */
export type StripeObject = { readonly [key: string]: JsonValue };

/** What an answer says was moved or committed, in minor units; undefined where it does not say. */
export type Moved = (object: StripeObject, call: Call) => bigint | undefined;

/**
 * Where an operation's currency is:
 * - `request`: it has to be there;
 * - `either`: Stripe takes the account's where the request has none.
 */
type CurrencyPlace = "request" | "either";

export const AMOUNT_PATTERN = /^[1-9][0-9]{0,11}$/;
const CURRENCY_PATTERN = /^[a-z]{3}$/;

/**
 * Micro-dollars that one minor unit is worth at most, in any currency with so many decimals: above KYD and GBP (2),
 * KWD (3) and every zero-decimal currency. Only for an answer in a currency that has no configured rate.
 */
const DEAREST_MINOR_UNIT_MICROS: Readonly<Record<number, Micros>> = { 0: 10_000n, 2: 20_000n, 3: 5_000n };

/** Of a call that moves and commits nothing. */
export const NOTHING: Exposure = { ok: true, micros: 0n, sends: 0, currency: undefined, source: "request" };

/**
 * The exposure of an operation whose amount is in `amountField`. Without that field the call is `cost_unknown`;
 * `unless` says, as a half sentence, what Stripe takes instead.
 */
export function amountIn(amountField: string, place: CurrencyPlace, unless: string) {
  const names = [amountField, "currency"];
  return (call: Call, pricing: Pricing): Exposure | NoExposure => {
    const misspelt = misspelling(call, names);
    if (misspelt) return misspelt;
    const amount = field(call, amountField);
    if (amount === undefined) return costUnknown(`the request has no ${amountField}; ${unless}`);
    return priced(amountField, amount, field(call, "currency"), place, pricing);
  };
}

/** Characters of an agent's parameter that a message repeats. */
const NAME_SHOWN_MAX = 80;

/** No exposure where every parameter is known to move nothing; else `cost_unknown`, naming the first that is not. */
export function nothingMovedBy(harmless: RegExp) {
  return (call: Call): Exposure | NoExposure => {
    for (const name of [...call.bodyFields.keys(), ...call.queryFields.keys()]) {
      if (harmless.test(name)) continue;
      const parameter = name.slice(0, NAME_SHOWN_MAX);
      return costUnknown(
        `Keybrake does not know the parameter ${parameter} of this operation, which may move or commit money`,
      );
    }
    return NOTHING;
  };
}

/** The cost of an operation that moved nothing by what `nothingMovedBy` let through. */
export function noCost(_call: Call, answer: Answer, exposure: Exposure): Cost {
  // Above zero only where the policy reserved an amount for a call whose cost is unknown: that is then counted.
  return exposure.micros === 0n ? nothingSpent(answer) : unreadable(answer, exposure.micros);
}

/** Reads what an answer says was moved, in the answer's own currency. A replayed answer was counted the first time. */
export function costOf(moved: Moved) {
  return (call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost => {
    if (isReplayed(answer)) return nothingSpent(answer);
    const object = objectOf(answer);
    const minor = object && moved(object, call);
    if (minor === undefined) return unreadable(answer, exposure.micros);
    if (minor === 0n) return nothingSpent(answer);
    const currency = object?.["currency"];
    if (typeof currency !== "string") return unreadable(answer, exposure.micros);
    const converted = minorToMicros(minor, currency, pricing.currencyRates);
    if (!converted.ok) return unreadable(answer, atLeast(exposure.micros, dearest(minor, currency)));
    return { micros: converted.micros, source: "vendor_response", ...txnId(answer) };
  };
}

/**
 * A PaymentIntent's money by its status (docs.stripe.com/payments/paymentintents/lifecycle). `requires_action` is only
 * reached by a confirm, and the payer finishes it without another call through here: it is committed.
 */
export const intentMoved: Moved = (intent) => {
  switch (intent["status"]) {
    case "succeeded":
      return minorUnits(intent, "amount_received") ?? minorUnits(intent, "amount");
    case "requires_capture":
      return minorUnits(intent, "amount_capturable") ?? minorUnits(intent, "amount");
    case "processing":
    case "requires_action":
      return minorUnits(intent, "amount");
    case "requires_payment_method":
    case "requires_confirmation":
    case "canceled":
      return 0n;
    default:
      return undefined;
  }
};

/** An object's `amount`, or nothing where its status is one of those in which the money stayed or came back. */
export function amountUnless(...nothingMoved: readonly string[]): Moved {
  return (object) => {
    const status = object["status"];
    return typeof status === "string" && nothingMoved.includes(status) ? 0n : minorUnits(object, "amount");
  };
}

function priced(
  amountField: string,
  amount: string,
  currency: string | undefined,
  place: CurrencyPlace,
  pricing: Pricing,
): Exposure | NoExposure {
  const minor = readAmount(amountField, amount);
  if (typeof minor !== "bigint") return minor;
  if (currency === undefined && place === "request") return costUnknown("the request has no currency");
  const stated = currency === undefined ? undefined : convert(minor, currency, pricing.currencyRates);
  if (stated && !stated.ok) return stated;
  return bounded(minor, stated?.micros ?? dearestConfigured(minor, pricing.currencyRates), currency);
}

/** An amount as a request writes it: minor units, digits only. */
export function readAmount(name: string, amount: string): bigint | NoExposure {
  if (AMOUNT_PATTERN.test(amount)) return BigInt(amount);
  return rejected(
    `${name} is ${JSON.stringify(amount.slice(0, 40))}; it has to be a whole number of the currency's minor unit from 1 to 999999999999, digits only`,
  );
}

/** What `minor` units of `currency` are, as the most that a call can cost. */
export function exposureOf(minor: bigint, currency: Currency, pricing: Pricing): Exposure | NoExposure {
  const converted = convert(minor, currency, pricing.currencyRates);
  return converted.ok ? bounded(minor, converted.micros, currency) : converted;
}

/** The same where nobody knows the currency: in the dearest among the dollar and those with a rate. */
export function dearestExposure(minor: bigint, pricing: Pricing): Exposure | NoExposure {
  return bounded(minor, dearestConfigured(minor, pricing.currencyRates), undefined);
}

function bounded(minor: bigint, micros: Micros, currency: Currency | undefined): Exposure | NoExposure {
  if (micros <= MICROS_MAX) return { ok: true, micros, sends: 0, currency, source: "request" };
  return rejected(`the amount ${minor} is more than Keybrake keeps (${formatUsd(MICROS_MAX)} USD)`);
}

function convert(minor: bigint, currency: Currency, rates: CurrencyRates): { ok: true; micros: Micros } | NoExposure {
  if (!CURRENCY_PATTERN.test(currency)) {
    return rejected(
      `currency is ${JSON.stringify(currency.slice(0, 40))}; write the three letters in lower case, as in currency=usd`,
    );
  }
  const converted = minorToMicros(minor, currency, rates);
  if (converted.ok) return converted;
  const why =
    converted.why === "unknown_currency"
      ? `"${currency}" is not a currency that Stripe documents`
      : `there is no rate for ${currency}; an operator can set currency_rates.${currency} (dollars for one ${currency}) in keybrake.yaml`;
  return { ok: false, code: "currency_denied", message: `Keybrake: ${why}.` };
}

/** Where only Stripe knows the currency: `minor` units of the dearest among the dollar and those with a rate. */
function dearestConfigured(minor: bigint, rates: CurrencyRates): Micros {
  let most = divideCeil(minor * MICROS_PER_USD, 100n);
  for (const currency of rates.keys()) {
    const converted = minorToMicros(minor, currency, rates);
    if (converted.ok) most = atLeast(most, converted.micros);
  }
  return most;
}

function dearest(minor: bigint, currency: Currency): Micros {
  const exponent = currencyExponent(currency) ?? 2;
  return minor * (DEAREST_MINOR_UNIT_MICROS[exponent] ?? 0n);
}

/** `Amount`, `amount[0]` or `amount[value]` in place of `amount`: Stripe may take for an amount what would not be counted. */
export function misspelling(call: Call, names: readonly string[]): NoExposure | undefined {
  return misspeltIn(call.bodyFields, names) ?? misspeltIn(call.queryFields, names);
}

function misspeltIn(fields: Fields, names: readonly string[]): NoExposure | undefined {
  if (fields.size === 0) return undefined;
  for (const sent of fields.keys()) {
    for (const meant of names) {
      if (sent === meant || !isRootOf(meant, sent)) continue;
      return rejected(`the parameter ${JSON.stringify(sent.slice(0, 60))} has to be written ${meant}`);
    }
  }
  return undefined;
}

/** Whether `sent` is `name` in any letter case, alone or before a bracket or dot. Its length says no to nearly all. */
function isRootOf(name: string, sent: string): boolean {
  const { length } = name;
  if (sent.length < length) return false;
  if (sent.length > length && sent[length] !== "[" && sent[length] !== ".") return false;
  return sent.slice(0, length).toLowerCase() === name;
}

/** What the answer is, where it is one object. */
export function objectOf(answer: Answer): StripeObject | undefined {
  return asObject(answer.json);
}

export function asObject(json: JsonValue | undefined): StripeObject | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json) ? (json as StripeObject) : undefined;
}

/** Amounts are JSON integers; one beyond 2^53 was rounded by the JSON reader and cannot be trusted. */
export function minorUnits(object: StripeObject, name: string): bigint | undefined {
  const value = object[name];
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? BigInt(value) : undefined;
}

/** Stripe marks a stored answer to a known idempotency key (docs.stripe.com/api/idempotent_requests). */
export function isReplayed(answer: Answer): boolean {
  return answer.headers.get("idempotent-replayed")?.toLowerCase() === "true";
}

export function nothingSpent(answer: Answer): Cost {
  return { micros: 0n, source: "vendor_response", ...txnId(answer) };
}

export function unreadable(answer: Answer, micros: Micros): Cost {
  return { micros, source: "request", unreadable: true, ...txnId(answer) };
}

function txnId(answer: Answer): { readonly vendorTxnId?: string } {
  const id = objectOf(answer)?.["id"];
  return typeof id === "string" && /^[A-Za-z0-9_]{1,255}$/.test(id) ? { vendorTxnId: id } : {};
}

export function atLeast(first: Micros, second: Micros): Micros {
  return first > second ? first : second;
}

/** `why` is a half sentence: what the request or Stripe's object does not say. */
export function costUnknown(why: string): NoExposure {
  return {
    ok: false,
    code: "cost_unknown",
    message: `Keybrake: what this call may cost at most cannot be known: ${why}.`,
  };
}

/** `why` is a sentence without its full stop. */
export function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}
