import type { Answer, Call, Fields, JsonValue, Method } from "../../src/core/call.ts";
import type { CurrencyRates } from "../../src/core/currency.ts";
import type { Micros } from "../../src/core/money.ts";
import { operationOf } from "../../src/vendors/operations.ts";
import type {
  Cost,
  Exposure,
  Found,
  Missing,
  NoExposure,
  Operation,
  Pricing,
  Vendor,
} from "../../src/vendors/vendor.ts";

export interface CallParts {
  /** Fields by their canonical names: `MediaUrl[0]`, `expand[0]`. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: JsonValue;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A parsed call from `POST /v1/charges` and what it carries. */
export function makeCall(line: string, parts: CallParts = {}): Call {
  const [method, path] = line.split(" ") as [Method, string];
  const query = new URLSearchParams(parts.query ?? {}).toString();
  const text = parts.json !== undefined ? JSON.stringify(parts.json) : new URLSearchParams(parts.form ?? {}).toString();
  const bodyFields: Fields = parts.json !== undefined ? flatten(parts.json) : new Map(Object.entries(parts.form ?? {}));
  return {
    method,
    path,
    query,
    queryFields: new Map(Object.entries(parts.query ?? {})),
    body: new TextEncoder().encode(text),
    bodyKind: parts.json !== undefined ? "json" : text === "" ? "none" : "form",
    bodyFields,
    json: parts.json,
    headers: new Map(Object.entries(parts.headers ?? {})),
  };
}

export function makeAnswer(json: JsonValue | undefined, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status: 200, headers: new Map(Object.entries(headers)), json };
}

export function makePricing(
  rates: Readonly<Record<string, Micros>> = {},
  prices: Readonly<Record<string, Micros>> = {},
): Pricing {
  const currencyRates: CurrencyRates = new Map(Object.entries(rates));
  return { currencyRates, prices: new Map(Object.entries(prices)) };
}

export function operationFor(vendor: Vendor, call: Call): Operation {
  return operationOf(vendor, call.method, call.path);
}

/** The exposure of a call whose operation is priced, given what look-ups have found. */
export function exposureOf(
  vendor: Vendor,
  call: Call,
  pricing = makePricing(),
  found: Found = new Map(),
): Exposure | NoExposure | Missing {
  const operation = operationFor(vendor, call);
  if (!operation.exposure) throw new Error(`${operation.name} (${operation.class}) has no exposure`);
  return operation.exposure(call, pricing, found);
}

/** The cost of an answered call, its exposure taken from the call or given. */
export function costOf(vendor: Vendor, call: Call, answer: Answer, pricing = makePricing(), held?: Exposure): Cost {
  const exposure = held ?? exposureOf(vendor, call, pricing);
  if (!exposure.ok) throw new Error(`no exposure: ${exposure.code}`);
  const cost = operationFor(vendor, call).cost;
  if (!cost) throw new Error("the operation has no cost");
  return cost(call, answer, exposure, pricing);
}

function flatten(json: JsonValue, name = "", into = new Map<string, string>()): Map<string, string> {
  if (typeof json !== "object" || json === null) {
    into.set(name, json === null ? "" : String(json));
    return into;
  }
  for (const [key, value] of Object.entries(json)) {
    flatten(value as JsonValue, name === "" && !Array.isArray(json) ? key : `${name}[${key}]`, into);
  }
  return into;
}
