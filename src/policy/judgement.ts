import type { Micros } from "../core/money.ts";
import type { RefusalCode } from "../core/verdict.ts";
import type { Exposure, LookUp, Operation, Refusal, Scope } from "../vendors/vendor.ts";

/** What a policy says about one call, before budgets are looked at. */
export type Judgement = Admission | PolicyRefusal | Unpriced;

/** Nothing is against the call yet; what it costs at most is at the vendor. */
export interface Unpriced {
  readonly ok: false;
  readonly code: "look_up";
  readonly operation: Operation;
  readonly scope: Scope;
  readonly lookUps: readonly LookUp[];
}

export interface Admission {
  readonly ok: true;
  readonly operation: Operation;
  readonly exposure: Exposure;
  readonly scope: Scope;
  /** The rule that let the call in: `allowed_endpoints[0]`. */
  readonly rule: string;
}

export interface PolicyRefusal {
  readonly ok: false;
  readonly code: RefusalCode;
  /** A sentence that begins "Keybrake: " with the limit, the value and what to do. */
  readonly message: string;
  /** The rule that decided: `parameters.currency.in`, `max_amount_per_call_usd`, or `vendor` where the vendor's file did. */
  readonly rule: string;
  readonly operation?: Operation;
  readonly scope?: Scope;
  /** What the call would have cost at most; 0 where it was refused before that was asked. */
  readonly exposureMicros: Micros;
  readonly details: Refusal["details"];
}

/** A finding that becomes a refusal once operation and scope are added. */
export interface Finding {
  readonly code: RefusalCode;
  readonly message: string;
  readonly rule: string;
  readonly details?: Refusal["details"];
}

const SHOWN_CHARACTERS_MAX = 60;
const ENTRIES_SHOWN = 5;

/** A value from the request as a message shows it: quoted, on one line, short. */
export function quoted(value: string): string {
  const short = value.length > SHOWN_CHARACTERS_MAX ? `${value.slice(0, SHOWN_CHARACTERS_MAX)}…` : value;
  return JSON.stringify(short);
}

/** `usd, eur` or `a, b, c, d, e and 95 more`; `none` where a list is empty. */
export function listed(values: Iterable<string>): string {
  const all = [...values];
  if (all.length === 0) return "none";
  const rest = all.length - ENTRIES_SHOWN;
  return `${all.slice(0, ENTRIES_SHOWN).join(", ")}${rest > 0 ? ` and ${rest} more` : ""}`;
}
