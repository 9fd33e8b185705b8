import type { Answer, Call } from "../../core/call.ts";
import {
  costOf,
  costUnknown,
  isReplayed,
  minorUnits,
  misspelling,
  nothingSpent,
  objectOf,
  rejected,
  type StripeObject,
} from "../stripe-money.ts";
import type { Cost, Exposure, Found, Missing, NoExposure, Pricing } from "../vendor.ts";
import { exposureIn, idOf, type Looked, lookedAt, told } from "./found-object.ts";

/**
 * A PaymentIntent or charge takes its money once, in steps that Keybrake sees one by one: confirmed, authorised, captured
 * in parts. So that a payer's $60 counts as $60 and not once per step, what has been counted of an object is remembered
 * with it, and a later step counts what exceeds that. The figure is written here alone, from a call that was counted;
 * where it is not known (the object was made elsewhere, or its memory is gone) each step counts in full.
 */
const COUNTED = "keybrake_counted";
/** What the look-ups of later steps read. */
const REMEMBERED = [
  "id",
  "object",
  "amount",
  "amount_capturable",
  "amount_captured",
  "amount_received",
  "amount_refunded",
  "captured",
  "currency",
  "status",
] as const;
/** Any `expand` makes Stripe answer itself; this one is taken by every version of the API and tells least. */
const FRESH = "expand[]=payment_method";

/** An object before a step of it. */
export interface Before {
  readonly path: string;
  readonly object: StripeObject;
  /** Minor units of it that earlier calls have counted, in its own currency. */
  readonly countedMinor: bigint;
}

/** An exposure that carries to the cost what was known of the object; a repeat after a crash comes without. */
export interface StepExposure extends Exposure {
  readonly before: Before;
  /** What the call takes at most, in minor units. */
  readonly mostMinor: bigint;
}

interface Step {
  readonly path: (call: Call) => string | undefined;
  /** Parameters that state money, by their right spelling. */
  readonly amounts: readonly string[];
  /**
   * The status in which what is remembered can be relied on for this step. A payer may finish a payment without a call
   * through here, so that from any other the object is read anew.
   */
  readonly status?: string;
  /** What the step takes at most. */
  readonly most: (call: Call, before: Before) => bigint | NoExposure | undefined;
  /** Where the call may change the currency. */
  readonly currency?: (call: Call) => string | undefined;
}

/** The exposure of a step of an object that Stripe has. */
export function stepExposure(step: Step) {
  const names = [...step.amounts, "currency"];
  return (call: Call, pricing: Pricing, found: Found): StepExposure | NoExposure | Missing => {
    const misspelt = misspelling(call, names);
    if (misspelt) return misspelt;
    const path = step.path(call);
    if (path === undefined)
      return rejected("the id of the object is missing, or has other characters than letters, digits and _");
    const before = beforeStep(path, found, step.status);
    if (!before.ok) return before;
    const most = step.most(call, before);
    if (typeof most !== "bigint") return most ?? costUnknown(`Stripe's answer to GET ${path} has no amount`);
    const stated = step.amounts.some((name) => call.bodyFields.has(name) || call.queryFields.has(name));
    const currency = step.currency?.(call) ?? before.object["currency"];
    const exposure = told(exposureIn(most, currency, pricing), !stated, idOf(before.object, "customer"));
    return exposure.ok ? { ...exposure, before, mostMinor: most } : exposure;
  };
}

function beforeStep(
  path: string,
  found: Found,
  status: string | undefined,
): ({ readonly ok: true } & Before) | Missing | NoExposure {
  const known = lookedAt(found, path);
  if (!known.ok) return known;
  const countedMinor = minorUnits(known.object, COUNTED) ?? 0n;
  const isReliable = status === undefined || known.object["status"] === status;
  const now = isReliable ? known : lookedAtNow(path, found);
  return now.ok ? { ok: true, path, object: now.object, countedMinor } : now;
}

/** The object as Stripe has it now, whatever is remembered of it. */
export function lookedAtNow(path: string, found: Found): Looked {
  const known = lookedAt(found, path);
  return known.ok && COUNTED in known.object ? lookedAt(found, `${path}?${FRESH}`) : known;
}

/** What was known of the object before the call that `exposure` was for. */
export function beforeOf(exposure: Exposure): Before | undefined {
  if (!("before" in exposure)) return undefined;
  return (exposure as StepExposure).before;
}

/** What of `before` has been counted already, as far as the answer is in the same currency. */
export function countedIn(before: Before | undefined, answer: StripeObject): bigint {
  return before && before.object["currency"] === answer["currency"] ? before.countedMinor : 0n;
}

/**
 * The cost of a step: `taken` reads from the answer what the step took, given what was known before. While another step
 * can follow, the object is remembered as the answer shows it, with what is now counted of it. Of a repeat whose first
 * call's outcome was lost, nothing before it is known, and what was held for that first call is the most that it took.
 */
export function stepCost(
  family: string,
  taken: (object: StripeObject, call: Call, before: Before | undefined) => bigint | undefined,
) {
  return (call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost => {
    if (isReplayed(answer)) return nothingSpent(answer);
    const before = beforeOf(exposure);
    const object = objectOf(answer);
    const minor = object && taken(object, call, before);
    const read = costOf(() => minor)(call, answer, exposure, pricing);
    const isHeldEarlier = before === undefined && !exposure.unpriced;
    const isBounded = isHeldEarlier && call.path !== family && read.micros > exposure.micros && !read.unreadable;
    const cost = isBounded ? { ...read, micros: exposure.micros } : read;
    if (!object || minor === undefined || cost.unreadable || cost.vendorTxnId === undefined) return cost;
    if (isOver(object)) return cost;
    const counted = countedIn(before, object) + minor;
    return { ...cost, remember: { path: `${family}/${cost.vendorTxnId}`, object: remembered(object, counted) } };
  };
}

/** Whether no money can be taken by another step: a charge that succeeds may still have to be captured. */
function isOver({ captured, status }: StripeObject): boolean {
  return status === "canceled" || status === "failed" || (status === "succeeded" && captured !== false);
}

/** `object` as later look-ups need it. */
export function remembered(object: StripeObject, countedMinor: bigint): StripeObject {
  const kept = REMEMBERED.filter((name) => object[name] !== undefined).map((name) => [name, object[name]!] as const);
  const customer = idOf(object, "customer") ?? null;
  const latestCharge = idOf(object, "latest_charge") ?? null;
  return { ...Object.fromEntries(kept), customer, latest_charge: latestCharge, [COUNTED]: Number(countedMinor) };
}
