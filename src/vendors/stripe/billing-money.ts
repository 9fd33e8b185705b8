import type { Answer, JsonValue } from "../../core/call.ts";
import { type Currency, minorToMicros } from "../../core/currency.ts";
import { formatUsd, MICROS_MAX } from "../../core/money.ts";
import { findingOf } from "../look-up.ts";
import type { Cost, Exposure, Found, LookUp, Missing, NoExposure, Pricing } from "../vendor.ts";

/** An object of Stripe's, as an answer or a look-up has it. */
export type StripeObject = { readonly [key: string]: JsonValue };

/** An amount in minor units; the currency is undefined only where there is nothing to add up. */
export interface Sum {
  readonly ok: true;
  readonly minor: bigint;
  readonly currency: Currency | undefined;
}

/** What cannot be said yet, or not at all. */
export type Unsaid = NoExposure | Missing;

export const NO_SUM: Sum = { ok: true, minor: 0n, currency: undefined };

/** No money, of a customer whom a look-up may have told. */
export function nothing(customer?: string): Exposure {
  return { ok: true, micros: 0n, sends: 0, currency: undefined, source: "request", ...(customer ? { customer } : {}) };
}

export function costUnknown(why: string): NoExposure {
  return {
    ok: false,
    code: "cost_unknown",
    message: `Keybrake: what this call may cost at most cannot be known: ${why}.`,
  };
}

export function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}

/** What `sum` is in micro-dollars, rounded up; its absolute value, as a credit is money as well. */
export function exposed(sum: Sum, pricing: Pricing, source: Exposure["source"], customer?: string) {
  const { minor, currency } = sum;
  if (minor === 0n) return nothing(customer);
  if (currency === undefined) return costUnknown("nothing says in which currency it is");
  const converted = convert(minor < 0n ? -minor : minor, currency, pricing);
  if (!converted.ok) return converted;
  return { ok: true, micros: converted.micros, sends: 0, currency, source, ...(customer ? { customer } : {}) } as const;
}

function convert(minor: bigint, currency: Currency, { currencyRates }: Pricing) {
  if (!/^[a-z]{3}$/.test(currency)) {
    const said = JSON.stringify(currency.slice(0, 40));
    return rejected(`currency is ${said}; write the three letters in lower case, as in currency=usd`);
  }
  const converted = minorToMicros(minor, currency, currencyRates);
  if (!converted.ok) {
    const why =
      converted.why === "unknown_currency"
        ? `"${currency}" is not a currency that Stripe documents`
        : `there is no rate for ${currency}; an operator can set currency_rates.${currency} (dollars for one ${currency}) in keybrake.yaml`;
    return { ok: false, code: "currency_denied", message: `Keybrake: ${why}.` } as const;
  }
  if (converted.micros <= MICROS_MAX) return converted;
  return rejected(`${minor} minor units of ${currency} are more than Keybrake keeps (${formatUsd(MICROS_MAX)} USD)`);
}

/** The sum of all, which Stripe takes in one currency only; else the first refusal, or everything that is missing. */
export function addUp(parts: readonly (Sum | Unsaid)[]): Sum | Unsaid {
  const lookUps: LookUp[] = [];
  let sum = NO_SUM;
  for (const part of parts) {
    if (!part.ok) {
      if (part.code !== "look_up") return part;
      lookUps.push(...part.lookUps);
      continue;
    }
    if (part.currency !== undefined && sum.currency !== undefined && part.currency !== sum.currency) {
      return rejected(`one call has amounts in ${sum.currency} and ${part.currency}; make one call for each currency`);
    }
    sum = { ok: true, minor: sum.minor + part.minor, currency: sum.currency ?? part.currency };
  }
  return lookUps.length === 0 ? sum : { ok: false, code: "look_up", lookUps };
}

export function larger(one: bigint, other: bigint): bigint {
  if (one > other) return one;
  return other;
}

/** The object that `lookUp` finds. */
export function objectFound(
  found: Found,
  lookUp: LookUp,
): { readonly ok: true; readonly object: StripeObject } | Unsaid {
  const finding = findingOf(found, lookUp);
  if (!finding.ok) return finding;
  const object = objectOf(finding.value);
  return object ? { ok: true, object } : costUnknown(`Stripe's answer to GET ${lookUp.path} is no object`);
}

export function objectOf(value: JsonValue | undefined): StripeObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value) ? (value as StripeObject) : undefined;
}

/** The entries of one of Stripe's lists; undefined where it is none, or where there are more than it shows. */
export function listOf(value: JsonValue | undefined): readonly StripeObject[] | undefined {
  const list = objectOf(value);
  const data = list?.["data"];
  if (!Array.isArray(data) || list?.["has_more"] === true) return undefined;
  const objects = data.map((entry) => objectOf(entry));
  return objects.every((entry) => entry !== undefined) ? objects : undefined;
}

/** A JSON integer; one beyond 2^53 was rounded by the JSON reader and cannot be trusted. */
export function integerIn(object: StripeObject | undefined, name: string): bigint | undefined {
  const value = object?.[name];
  return typeof value === "number" && Number.isSafeInteger(value) ? BigInt(value) : undefined;
}

export function textIn(object: StripeObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  return typeof value === "string" ? value : undefined;
}

/** The id at `name`, which Stripe writes alone or within the object. */
export function idIn(object: StripeObject | undefined, name: string): string | undefined {
  return textIn(object, name) ?? textIn(objectOf(object?.[name]), "id");
}

/** Whether Stripe adds tax to what `object` (an invoice, a subscription, an item) comes to. */
export function isTaxed(object: StripeObject): boolean {
  const automatic = objectOf(object["automatic_tax"])?.["enabled"];
  return automatic === true || holdsAny(object["default_tax_rates"]) || holdsAny(object["tax_rates"]);
}

function holdsAny(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** The whole ceiling, where the answer tells no amount of its own. A replayed answer was counted the first time. */
export function countedInFull(_call: unknown, answer: Answer, exposure: Exposure): Cost {
  const id = textIn(objectOf(answer.json), "id");
  const txnId = id !== undefined && /^[A-Za-z0-9_]{1,255}$/.test(id) ? { vendorTxnId: id } : {};
  const isReplayed = answer.headers.get("idempotent-replayed")?.toLowerCase() === "true";
  if (isReplayed || exposure.micros === 0n) return { micros: 0n, source: "vendor_response", ...txnId };
  return { micros: exposure.micros, source: exposure.source, ...txnId };
}
