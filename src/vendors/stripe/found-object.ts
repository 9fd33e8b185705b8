import { type Call, field } from "../../core/call.ts";
import { findingOf, readOf } from "../look-up.ts";
import {
  asObject,
  costUnknown,
  dearestExposure,
  exposureOf,
  minorUnits,
  misspelling,
  readAmount,
  rejected,
  type StripeObject,
} from "../stripe-money.ts";
import type { Exposure, Found, Missing, NoExposure, Pricing } from "../vendor.ts";

/** Ids as Stripe writes them. What a form names is put into a path, and must not be able to name another path. */
const ID_PATTERN = /^[A-Za-z0-9_]{1,255}$/;

/** What Stripe says of an object, or why it cannot be said. */
export type Looked = { readonly ok: true; readonly object: StripeObject } | Missing | NoExposure;

/** Reads `pathAndQuery` at Stripe. */
export function lookedAt(found: Found, pathAndQuery: string): Looked {
  const finding = findingOf(found, readOf(pathAndQuery));
  if (!finding.ok) return finding;
  const object = asObject(finding.value);
  return object ? { ok: true, object } : costUnknown(`Stripe's answer to GET ${pathAndQuery} is no object`);
}

/** The path of the object whose id is in `call.path` right after `family`: `/v1/charges/ch_1` of its capture. */
export function objectInPath(family: string) {
  return (call: Call): string | undefined => {
    const id = call.path.slice(family.length + 1).split("/", 1)[0] ?? "";
    return ID_PATTERN.test(id) ? `${family}/${id}` : undefined;
  };
}

/** The path of the object whose id a parameter gives: `source_transaction=ch_1` → `/v1/charges/ch_1`. */
export function objectInField(family: string, name: string) {
  return (call: Call): string | undefined => {
    const id = field(call, name);
    return id !== undefined && ID_PATTERN.test(id) ? `${family}/${id}` : undefined;
  };
}

/** An id, whether the object that it names is expanded or not. */
export function idOf(object: StripeObject | undefined, name: string): string | undefined {
  const value = object?.[name];
  const id = typeof value === "string" ? value : asObject(value)?.["id"];
  return typeof id === "string" && ID_PATTERN.test(id) ? id : undefined;
}

/** An amount that Stripe writes negative where it goes the other way (payouts that are debits): what moved, without sign. */
export function magnitude(object: StripeObject, name: string): bigint | undefined {
  const value = object[name];
  return minorUnits(typeof value === "number" ? { [name]: Math.abs(value) } : object, name);
}

/** `all - part`, never below nothing. */
export function less(all: bigint | undefined, part: bigint | undefined): bigint | undefined {
  if (all === undefined) return undefined;
  return all > (part ?? 0n) ? all - (part ?? 0n) : 0n;
}

interface ObjectTerms {
  /** The parameter that bounds what Stripe takes, where the operation has one. */
  readonly amountField?: string;
  readonly path: (call: Call) => string | undefined;
  /** As Stripe wants it, `expand[]=charge`; an expanded object is never taken from memory. */
  readonly query?: string;
  /** The object whose money it is, where it lies within what is read. */
  readonly within?: (object: StripeObject) => StripeObject | undefined;
  /** What Stripe takes where the request has no amount. */
  readonly remaining: (object: StripeObject) => bigint | undefined;
  readonly customer?: (object: StripeObject) => string | undefined;
}

/**
 * The exposure of an operation on an object that Stripe has: the amount of the request, where it has one, else what
 * remains of the object; in the object's own currency either way.
 */
export function onObject(terms: ObjectTerms) {
  const names = [...(terms.amountField === undefined ? [] : [terms.amountField]), "currency"];
  return (call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing => {
    const misspelt = misspelling(call, names);
    if (misspelt) return misspelt;
    const path = terms.path(call);
    if (path === undefined)
      return rejected("the id of the object is missing, or has other characters than letters, digits and _");
    const looked = lookedAt(found, terms.query === undefined ? path : `${path}?${terms.query}`);
    if (!looked.ok) return looked;
    const stated = statedIn(call, terms.amountField);
    if (stated !== undefined && typeof stated !== "bigint") return stated;
    const object = terms.within ? terms.within(looked.object) : looked.object;
    const minor = stated ?? (object && terms.remaining(object));
    if (minor === undefined) return costUnknown(`Stripe's answer to GET ${path} has no amount`);
    const customer = terms.customer ? terms.customer(looked.object) : idOf(looked.object, "customer");
    return told(exposureIn(minor, object?.["currency"], pricing), stated === undefined, customer);
  };
}

/** The amount in `name`, where the operation takes one and the request has it. */
export function statedIn(call: Call, name: string | undefined): bigint | NoExposure | undefined {
  const amount = name === undefined ? undefined : field(call, name);
  return amount === undefined || name === undefined ? undefined : readAmount(name, amount);
}

/** `minor` units of a currency as Stripe's JSON has it; where it has none, of the dearest one. */
export function exposureIn(minor: bigint, currency: unknown, pricing: Pricing): Exposure | NoExposure {
  return typeof currency === "string" ? exposureOf(minor, currency, pricing) : dearestExposure(minor, pricing);
}

/** `exposure` with what a look-up has told: where its figure comes from, and whose money it is. */
export function told(
  exposure: Exposure | NoExposure,
  isLookedUp: boolean,
  customer: string | undefined,
): Exposure | NoExposure {
  if (!exposure.ok) return exposure;
  const source = isLookedUp ? "lookup" : exposure.source;
  return customer === undefined ? { ...exposure, source } : { ...exposure, source, customer };
}
