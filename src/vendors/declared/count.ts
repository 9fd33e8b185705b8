import type { JsonValue } from "../../core/call.ts";
import { addressesOf } from "./addresses.ts";
import type { DeclaredCounter } from "./operation-schema.ts";
import { kindOf, type Place, parsePlace, quoted, type Reading, readPlace, type Subject } from "./place.ts";

/** One thing that a call's price is counted by. */
export interface Counter {
  readonly what: "number" | "items" | "addresses";
  readonly place: Place;
  /** What counts where the field is missing; undefined refuses the call. */
  readonly missing: number | undefined;
  readonly max: number;
}

export type Counted =
  | { readonly ok: true; readonly units: number }
  | { readonly ok: false; readonly code: "cost_unknown" | "request_rejected"; readonly why: string };

/** Above it a sum of counts could leave the whole numbers that a double holds exactly. */
const COUNT_MAX = 999_999_999;
const WHOLE_NUMBER = /^(?:0|[1-9][0-9]{0,8})$/;

export function compileCounter(declared: DeclaredCounter): Counter {
  const what = declared.number !== undefined ? "number" : declared.items !== undefined ? "items" : "addresses";
  return {
    what,
    place: parsePlace(declared[what]!),
    missing: declared.missing === undefined ? undefined : Number(declared.missing),
    max: declared.max === undefined ? COUNT_MAX : Number(declared.max),
  };
}

/** Counts one thing. What is not exactly what the declaration says is refused: nothing counts 0 by accident. */
export function countOne(counter: Counter, subject: Subject): Counted {
  const { place, missing, max } = counter;
  const reading = readPlace(subject, place);
  if (reading.state === "odd") return odd(reading.why);
  if (reading.state === "missing") {
    if (missing !== undefined) return { ok: true, units: missing };
    return {
      ok: false,
      code: "cost_unknown",
      why: `the field ${place.text}, by which this call is priced, is missing`,
    };
  }
  const counted = countValue(counter, reading);
  if (!counted.ok || counted.units <= max) return counted;
  return odd(`${place.text} counts ${counted.units}; at most ${max} is taken`);
}

function countValue({ what, place }: Counter, { value, text }: Reading & { state: "there" }): Counted {
  if (what === "items") {
    if (Array.isArray(value)) return { ok: true, units: value.length };
    return odd(`${place.text} is ${kindOf(value)} and must be a list`);
  }
  if (what === "addresses") {
    const found = addressesOf(value);
    return found.ok ? { ok: true, units: found.addresses.length } : odd(`${place.text} ${found.why}`);
  }
  if (isScalar(value) && WHOLE_NUMBER.test(text)) return { ok: true, units: Number(text) };
  return odd(`${place.text} is ${isScalar(value) ? quoted(text) : kindOf(value)} and must be a whole number`);
}

function isScalar(value: JsonValue): boolean {
  return typeof value === "number" || typeof value === "string";
}

function odd(why: string): Counted {
  return { ok: false, code: "request_rejected", why };
}
