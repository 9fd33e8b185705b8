import { type Answer, type Call, type Fields, field, type JsonValue } from "../../core/call.ts";
import { divideCeil, MICROS_PER_USD, type Micros } from "../../core/money.ts";
import type { Cost, Exposure, NoExposure, Pricing } from "../vendor.ts";
import { type FlatPrice, flatRate } from "./prices.ts";

/** E.164, and all ten digits after +1: `+1876` with fewer would be read as another country. */
const E164 = /^\+(?:1[2-9][0-9]{9}|[2-9][0-9]{6,14})$/;

/** The most that a call can cost by the tables, or nothing. */
export function ceiling(micros: Micros, sends = 0): Exposure {
  return { ok: true, micros, sends, currency: undefined, source: micros === 0n ? "none" : "rate_table" };
}

export function costUnknown(why: string): NoExposure {
  const message = `Keybrake: what this call may cost at most cannot be known: ${why}.`;
  return { ok: false, code: "cost_unknown", message };
}

export function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}

/** That something has no price, and by which setting it gets one. */
export function noPrice(what: string, name: string): NoExposure {
  return costUnknown(`${what} has no known price; an operator can set "${name}" under prices.twilio in keybrake.yaml`);
}

export type Priced = { readonly ok: true; readonly micros: Micros } | NoExposure;

/** `units` of what `name` prices. */
export function priced(name: FlatPrice, what: string, pricing: Pricing, units = 1n): Priced {
  const micros = flatRate(name, pricing.prices);
  return micros === undefined ? noPrice(what, name) : { ok: true, micros: micros * units };
}

/** As `priced`, as the most that a whole call can cost. */
export function flat(name: FlatPrice, what: string, pricing: Pricing, units = 1n): Exposure | NoExposure {
  const price = priced(name, what, pricing, units);
  return price.ok ? ceiling(price.micros) : price;
}

/** The sum of what is known, or the first that is not. */
export function sumOf(parts: readonly Priced[]): Priced {
  let micros = 0n;
  for (const part of parts) {
    if (!part.ok) return part;
    micros += part.micros;
  }
  return { ok: true, micros };
}

/** The number in `name` that a message or call goes to, or why there is none. */
export function numberIn(call: Call, name: string): { readonly ok: true; readonly number: string } | NoExposure {
  const number = field(call, name);
  if (number === undefined) return rejected(`the request has no ${name}; it needs a number like +14155550100`);
  if (E164.test(number)) return { ok: true, number };
  const shown = JSON.stringify(number.slice(0, 40));
  return rejected(`${name} is ${shown}; write the number in E.164, as in +14155550100`);
}

/** The parameters that are lists (`StatusCallbackEvent[0]`). An index on any other could hide `Record[0]=true`. */
const LIST_MEMBER = /(?<=CallbackEvent)\[[0-9]+\]$/;

/** A parameter in query or body that is not in `known`. */
export function strangeField(call: Call, known: ReadonlySet<string>): string | undefined {
  return strangeIn(call.bodyFields, known) ?? strangeIn(call.queryFields, known);
}

function strangeIn(fields: Fields, known: ReadonlySet<string>): string | undefined {
  for (const sent of fields.keys()) {
    const name = sent.replace(LIST_MEMBER, "");
    if (!known.has(name)) return name.slice(0, 60);
  }
  return undefined;
}

/** An exposure that is counted in full, as the answer has no price of its own. */
export function inFull(_call: Call, answer: Answer, exposure: Exposure): Cost {
  return { micros: exposure.micros, source: exposure.source, ...txnOf(answer.json, "sid") };
}

/** Twilio's id of what was made, where the answer has one. */
export function txnOf(json: JsonValue | undefined, name: string): { readonly vendorTxnId?: string } {
  const sid = objectOf(json)?.[name];
  return typeof sid === "string" && /^[A-Z]{2}[0-9a-f]{32}$/.test(sid) ? { vendorTxnId: sid } : {};
}

/** Where Twilio will tell its own price of what was made at this call's account. */
export function pricedLater(call: Call, resource: "Messages" | "Calls", sid: string): string | undefined {
  const account = /^\/2010-04-01\/Accounts\/(AC[0-9a-fA-F]{32})\//.exec(call.path)?.[1];
  return account && `/2010-04-01/Accounts/${account}/${resource}/${sid}.json`;
}

/** `-0.00750` USD → 7500n, without its sign and rounded up; another currency by the operator's rate, else undefined. */
export function twilioPrice(price: JsonValue, unit: JsonValue | undefined, pricing: Pricing): Micros | undefined {
  if (typeof price !== "string" || typeof unit !== "string") return undefined;
  const match = /^-?([0-9]{1,9})(?:\.([0-9]{1,12}))?$/.exec(price);
  const currency = unit.toLowerCase();
  const rate = currency === "usd" ? MICROS_PER_USD : pricing.currencyRates.get(currency);
  if (!match || rate === undefined) return undefined;
  return divideCeil(BigInt(match[1]! + (match[2] ?? "").padEnd(12, "0")) * rate, 1_000_000_000_000n);
}

export function objectOf(json: JsonValue | undefined): { readonly [key: string]: JsonValue } | undefined {
  return typeof json === "object" && json !== null && !Array.isArray(json)
    ? (json as { readonly [key: string]: JsonValue })
    : undefined;
}

/** Calls that were never connected are not billed, and have no price, for ever. */
const NEVER_CONNECTED = new Set(["busy", "failed", "no-answer", "canceled"]);

/**
 * What a message or call did cost, once Twilio says so: up to 24 hours later, negative, carrier fees included
 * (support.twilio.com 46871410243099). A message that ends as `failed` costs a fee of its own that is in no price; one that
 * is `undelivered` was sent, and is billed (support.twilio.com 223181728, 27502337507483); one that was `canceled` is not.
 */
export function reconciledTwilioCost(json: JsonValue, pricing: Pricing): Cost | undefined {
  const found = objectOf(json);
  const sid = found?.["sid"];
  if (!found || typeof sid !== "string") return undefined;
  const status = String(found["status"]);
  const price = found["price"] ?? null;
  const known = price === null ? undefined : twilioPrice(price, found["price_unit"], pricing);
  const final = price === null ? unbilled(sid, status, pricing) : known;
  if (final === undefined) return undefined;
  const fee = sid.startsWith("CA") ? undefined : unbilled(sid, status, pricing);
  const micros = fee !== undefined && fee > final ? fee : final;
  return { micros, source: "reconciled", ...txnOf(json, "sid") };
}

/** The whole cost of what ended in a status that Twilio gives no price for. */
function unbilled(sid: string, status: string, pricing: Pricing): Micros | undefined {
  if (sid.startsWith("CA")) return NEVER_CONNECTED.has(status) ? 0n : undefined;
  if (status === "failed") return flatRate("twilio.sms.failed", pricing.prices);
  return status === "canceled" ? 0n : undefined;
}
