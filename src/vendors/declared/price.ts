import type { Answer, Call, JsonValue } from "../../core/call.ts";
import { divideCeil, formatUsd, MICROS_MAX, type Micros, parseUsd } from "../../core/money.ts";
import { isObject } from "../resend-emails.ts";
import type { Cost, Exposure, MoneyKind, NoExposure, Operation, Pricing } from "../vendor.ts";
import { type Amount, amountOf, compileAmount, decimalToMicros, toMicros } from "./amount.ts";
import { type Counter, compileCounter, countOne } from "./count.ts";
import type { DeclaredAnswer, DeclaredOperation } from "./operation-schema.ts";
import {
  kindOf,
  type Place,
  parsePlace,
  pointerSegments,
  readPlace,
  type Subject,
  subjectOf,
  valueAt,
} from "./place.ts";
import { priceNameOf } from "./price-names.ts";

/** A price as it is asked for with every call: nothing in it is parsed any more. */
interface Price {
  /** Under `prices` of the configuration. */
  readonly name: string;
  readonly usdMicros: Micros | undefined;
  readonly per: bigint;
  readonly each: Place | undefined;
  readonly eachMax: number;
  readonly counters: readonly Counter[];
  readonly amount: Amount | undefined;
  /** Whether the units are sends, which `daily_send_cap` counts. */
  readonly sends: boolean;
}

const EACH_MAX = 10_000;
/** Kinds whose units are recipients. */
const SENT: ReadonlySet<MoneyKind> = new Set<MoneyKind>(["email", "message"]);

type Subjects = { readonly ok: true; readonly subjects: readonly Subject[] } | NoExposure;

/** `exposure` and `cost` of a priced operation. */
export function priced(
  vendor: string,
  declared: DeclaredOperation,
  kind: MoneyKind,
): Required<Pick<Operation, "exposure" | "cost" | "counts">> {
  const price = compilePrice(vendor, declared, kind);
  const answer = compileAnswer(declared.answer ?? {});
  return {
    exposure: (call, pricing) => exposureOf(price, call, pricing),
    cost: (call, answered, exposure, pricing) => costOf(price, answer, call, answered, exposure, pricing),
    counts: countsOf(declared),
  };
}

function compilePrice(vendor: string, declared: DeclaredOperation, kind: MoneyKind): Price {
  const { price = {} } = declared;
  return {
    name: priceNameOf(vendor, declared),
    usdMicros: price.usd === undefined ? undefined : parseUsd(price.usd),
    per: BigInt(price.per ?? "1"),
    each: price.each === undefined ? undefined : parsePlace(price.each),
    eachMax: price.each_max === undefined ? EACH_MAX : Number(price.each_max),
    counters: (price.count ?? []).map(compileCounter),
    amount: price.amount && compileAmount(price.amount),
    sends: SENT.has(kind),
  };
}

/** The entries that a price is counted over, one by one; without `each` the body as a whole. */
function subjectsOf({ each, eachMax }: Price, call: Call): Subjects {
  const body = subjectOf(call);
  if (each === undefined) return { ok: true, subjects: [body] };
  const where = each.text === "" ? "the body" : each.text;
  const missing = unknown(`${where}, by which this call is priced, is missing`);
  if (call.json === undefined) return missing;
  const reading = readPlace(body, each);
  if (reading.state === "odd") return rejected(reading.why);
  if (reading.state === "missing") return missing;
  if (!Array.isArray(reading.value)) return rejected(`${where} is ${kindOf(reading.value)} and must be a list`);
  const list = reading.value as readonly JsonValue[];
  if (list.length === 0) return rejected(`${where} is empty`);
  if (list.length > eachMax) return rejected(`${where} has ${list.length} entries; at most ${eachMax} are taken`);
  if (!list.every(isObject)) return rejected(`${where} has an entry that is no object`);
  const name = fieldName(each);
  return { ok: true, subjects: list.map((value, index) => ({ call, value, name: `${name}[${index}]` })) };
}

function fieldName(each: Place): string {
  const [first = "", ...rest] = each.kind === "pointer" ? each.segments : [each.text];
  return first + rest.map((segment) => `[${segment}]`).join("");
}

function exposureOf(price: Price, call: Call, pricing: Pricing): Exposure | NoExposure {
  const exposure = countedExposure(price, call, pricing);
  if (!exposure.ok || exposure.micros <= MICROS_MAX) return exposure;
  return rejected(`the call comes to $${formatUsd(exposure.micros)}; at most $${formatUsd(MICROS_MAX)} is kept`);
}

function countedExposure(price: Price, call: Call, pricing: Pricing): Exposure | NoExposure {
  const found = subjectsOf(price, call);
  if (!found.ok) return found;
  if (price.amount) return amountExposure(price.amount, found.subjects, call, pricing);
  const units = unitsOf(price, found.subjects);
  if (typeof units !== "number") return units;
  const sends = price.sends ? units : 0;
  return { ok: true, micros: priceOf(price, units, pricing), sends, currency: undefined, source: "rate_table" };
}

function unitsOf({ counters }: Price, subjects: readonly Subject[]): number | NoExposure {
  if (counters.length === 0) return subjects.length;
  let units = 0;
  for (const subject of subjects) {
    let own = 0;
    for (const counter of counters) {
      const counted = countOne(counter, subject);
      if (!counted.ok) return { ok: false, code: counted.code, message: `Keybrake: ${counted.why}.` };
      own += counted.units;
    }
    // A vendor that takes 0 for "the usual number" would send for free.
    if (own === 0) return rejected(`${counters.map(({ place }) => place.text).join(" and ")} count to 0`);
    units += own;
  }
  return Number.isSafeInteger(units) ? units : rejected(`the call counts to ${units} units`);
}

function priceOf({ name, usdMicros, per }: Price, units: number, pricing: Pricing): Micros {
  return divideCeil(BigInt(units) * (pricing.prices.get(name) ?? usdMicros ?? 0n), per);
}

function amountExposure(
  amount: Amount,
  subjects: readonly Subject[],
  call: Call,
  pricing: Pricing,
): Exposure | NoExposure {
  let sumMicros = 0n;
  let currency: string | undefined;
  for (const subject of subjects) {
    const moved = amountOf(amount, subject, subjectOf(call), pricing);
    if (!moved.ok) return moved;
    sumMicros += moved.micros;
    currency = moved.currency;
  }
  return { ok: true, micros: sumMicros, sends: 0, currency, source: "request" };
}

interface AnswerPlaces {
  readonly id: readonly string[] | undefined;
  readonly cost: { readonly what: "units" | "usd" | "amount"; readonly segments: readonly string[] } | undefined;
}

function compileAnswer(declared: DeclaredAnswer): AnswerPlaces {
  const what = (["units", "usd", "amount"] as const).find((each) => declared[each] !== undefined);
  return {
    id: declared.id === undefined ? undefined : pointerSegments(declared.id),
    cost: what && { what, segments: pointerSegments(declared[what]!) },
  };
}

/** What the answer says it did cost; where it should and does not, the most that the call could. */
function costOf(
  price: Price,
  { id, cost }: AnswerPlaces,
  _call: Call,
  answer: Answer,
  exposure: Exposure,
  pricing: Pricing,
): Cost {
  const txn = id && idOf(valueAt(answer.json, id));
  const vendorTxnId = txn === undefined ? {} : { vendorTxnId: txn };
  const { source } = exposure;
  if (!cost) return { micros: exposure.micros, source, ...vendorTxnId };
  const value = valueAt(answer.json, cost.segments);
  const micros = value === undefined ? undefined : answeredMicros(price, cost.what, value, exposure, pricing);
  if (micros === undefined || micros > MICROS_MAX) {
    return { micros: exposure.micros, source, unreadable: true, ...vendorTxnId };
  }
  return { micros, source: "vendor_response", ...vendorTxnId };
}

function answeredMicros(
  price: Price,
  what: "units" | "usd" | "amount",
  value: JsonValue,
  exposure: Exposure,
  pricing: Pricing,
): Micros | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const text = String(value);
  if (what === "usd") return decimalToMicros(text);
  if (what === "units") return /^(?:0|[1-9][0-9]{0,8})$/.test(text) ? priceOf(price, Number(text), pricing) : undefined;
  return price.amount && toMicros(price.amount, text, exposure.currency ?? "usd", pricing);
}

function idOf(value: JsonValue | undefined): string | undefined {
  const text = typeof value === "number" ? String(value) : value;
  return typeof text === "string" && /^[\w.:@<>+/=-]{1,200}$/.test(text) ? text : undefined;
}

/** What is counted, for people: a half sentence. */
function countsOf({ price = {} }: DeclaredOperation): string {
  if (price.amount) return `the amount in ${price.amount.at}${price.each === undefined ? "" : " of each entry"}`;
  const counted = (price.count ?? []).map((each) => each.number ?? each.items ?? each.addresses);
  const unit = `$${price.usd}${price.per === undefined ? "" : ` per ${price.per}`}`;
  return counted.length === 0 ? `${unit} for each call` : `${unit} by ${counted.join(" + ")}`;
}

function rejected(why: string): NoExposure {
  return { ok: false, code: "request_rejected", message: `Keybrake: ${why}.` };
}

function unknown(why: string): NoExposure {
  return { ok: false, code: "cost_unknown", message: `Keybrake: ${why}.` };
}
