import type { Answer, JsonValue } from "../../core/call.ts";
import type { Currency } from "../../core/currency.ts";
import { findingOf } from "../look-up.ts";
import {
  asObject,
  costUnknown,
  exposureOf,
  isReplayed,
  nothingSpent,
  rejected,
  type StripeObject,
} from "../stripe-money.ts";
import type { CappedKind, Cost, Exposure, Found, LookUp, Missing, NoExposure, Pricing } from "../vendor.ts";

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

/** What `sum` is in micro-dollars, rounded up; its absolute value, as a credit is money as well. */
export function exposed(
  sum: Sum,
  pricing: Pricing,
  source: Exposure["source"],
  customer?: string,
): Exposure | NoExposure {
  const { minor, currency } = sum;
  if (minor === 0n) return nothing(customer);
  if (currency === undefined) return costUnknown("nothing says in which currency it is");
  const exposure = exposureOf(minor < 0n ? -minor : minor, currency, pricing);
  return exposure.ok ? { ...exposure, source, ...(customer ? { customer } : {}) } : exposure;
}

/** The same money under another kind than its operation's, so that no cap of that kind is passed by it. */
export function ofKind(kind: CappedKind, exposure: Exposure | NoExposure): Exposure | NoExposure {
  return exposure.ok && exposure.micros > 0n ? { ...exposure, kind } : exposure;
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
  const object = asObject(finding.value);
  return object ? { ok: true, object } : costUnknown(`Stripe's answer to GET ${lookUp.path} is no object`);
}

/** The entries of one of Stripe's lists; undefined where it is none, or where there are more than it shows. */
export function listOf(value: JsonValue | undefined): readonly StripeObject[] | undefined {
  const list = asObject(value);
  const data = list?.["data"];
  if (!Array.isArray(data) || list?.["has_more"] === true) return undefined;
  const objects = data.map((entry) => asObject(entry));
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
  return textIn(object, name) ?? textIn(asObject(object?.[name]), "id");
}

/** Whether Stripe adds tax to what `object` (an invoice, a subscription, an item) comes to. */
export function isTaxed(object: StripeObject): boolean {
  const automatic = asObject(object["automatic_tax"])?.["enabled"];
  return automatic === true || holdsAny(object["default_tax_rates"]) || holdsAny(object["tax_rates"]);
}

function holdsAny(value: JsonValue | undefined): boolean {
  return Array.isArray(value) && value.length > 0;
}

/** The whole ceiling, where the answer tells no amount of its own. A replayed answer was counted the first time. */
export function countedInFull(_call: unknown, answer: Answer, exposure: Exposure): Cost {
  const nothing = nothingSpent(answer);
  if (isReplayed(answer) || exposure.micros === 0n) return nothing;
  return { ...nothing, micros: exposure.micros, source: exposure.source };
}
