import { type Call, field } from "../../core/call.ts";
import { amountIn, costUnknown, intentMoved, minorUnits, type StripeObject } from "../stripe-money.ts";
import type { NoExposure, Operation } from "../vendor.ts";
import { type Before, countedIn, stepCost, stepExposure } from "./counted-steps.ts";
import { less, objectInPath, statedIn } from "./found-object.ts";
import { free, lookedUp, priced } from "./operation.ts";

const FAMILY = "/v1/payment_intents";
const path = objectInPath(FAMILY);
/** Where a payer need not act again and money is only to be taken (docs.stripe.com/payments/paymentintents/lifecycle). */
const AUTHORISED = "requires_capture";

type Most = bigint | NoExposure | undefined;

/** What is committed beyond what has been counted: the money of one PaymentIntent is never more than its amount. */
function beyondCounted(intent: StripeObject, call: Call, before: Before | undefined): bigint | undefined {
  return less(committedOf(intent, call), countedIn(before, intent));
}

/** As `intentMoved`; where a part was captured, with that part. */
function committedOf(intent: StripeObject, call: Call): bigint | undefined {
  const moved = intentMoved(intent, call);
  return moved !== undefined && isAuthorised(intent) ? moved + received(intent) : moved;
}

const committed = stepCost(FAMILY, beyondCounted);

const exposureOfStep = (amounts: readonly string[], most: (call: Call, before: Before) => Most, status?: string) =>
  stepExposure({ path, amounts, most, ...(status === undefined ? {} : { status }) });

/**
 * PaymentIntents. Money counts when it is committed: authorised, processing, waiting for the payer's bank, or taken. A
 * PaymentIntent without a payment method or a confirmation costs nothing yet. Each step counts what exceeds the steps that
 * were counted before it: $60 authorised and then captured are $60.
 */
export const PAYMENT_INTENTS: readonly Operation[] = [
  priced("payment_intents.create", "charge", "POST /v1/payment_intents", {
    exposure: amountIn("amount", "request", "a PaymentIntent needs one"),
    cost: committed,
    counts: "the amount; nothing until it is confirmed",
  }),
  lookedUp("payment_intents.update", "charge", "POST /v1/payment_intents/*", {
    exposure: stepExposure({ path, amounts: ["amount"], most: updated, currency: (call) => field(call, "currency") }),
    // A description of what was paid elsewhere moves nothing, whatever its status is.
    cost: stepCost(FAMILY, (intent, call, before) => (changesMoney(call) ? beyondCounted(intent, call, before) : 0n)),
    object: path,
    counts: "its new amount; nothing until it is confirmed",
  }),
  lookedUp("payment_intents.confirm", "charge", "POST /v1/payment_intents/*/confirm", {
    exposure: exposureOfStep(["amount_to_confirm"], confirmed("amount_to_confirm")),
    cost: committed,
    object: path,
    counts: "its amount",
  }),
  lookedUp("payment_intents.capture", "charge", "POST /v1/payment_intents/*/capture", {
    exposure: exposureOfStep(["amount_to_capture"], captured, AUTHORISED),
    cost: stepCost(FAMILY, takenByCapture),
    object: path,
    counts: "what is captured; nothing where the authorisation was counted",
  }),
  lookedUp("payment_intents.increment_authorization", "charge", "POST /v1/payment_intents/*/increment_authorization", {
    exposure: exposureOfStep(["amount"], incremented, AUTHORISED),
    cost: stepCost(FAMILY, addedByIncrement),
    object: path,
    counts: "what the new total adds",
  }),
  lookedUp("payment_intents.apply_customer_balance", "charge", "POST /v1/payment_intents/*/apply_customer_balance", {
    exposure: exposureOfStep(["amount"], confirmed("amount")),
    cost: committed,
    object: path,
    counts: "the amount, or that of the PaymentIntent",
  }),
  lookedUp("payment_intents.verify_microdeposits", "charge", "POST /v1/payment_intents/*/verify_microdeposits", {
    exposure: exposureOfStep([], confirmed(undefined)),
    cost: committed,
    object: path,
    counts: "its amount: the debit begins",
  }),
  // Gives back what is authorised; what was committed stays counted.
  ...free("payment_intents.cancel", ["POST /v1/payment_intents/*/cancel"]),
];

function changesMoney(call: Call): boolean {
  return field(call, "amount") !== undefined || field(call, "currency") !== undefined;
}

function updated(call: Call, { object, countedMinor }: Before): Most {
  if (!changesMoney(call)) return 0n;
  const amount = statedIn(call, "amount") ?? minorUnits(object, "amount");
  const currency = field(call, "currency");
  if (typeof amount !== "bigint" || (currency !== undefined && currency !== object["currency"])) return amount;
  return less(amount, countedMinor);
}

/** Also where the request names less: the rest of the amount is all that can still be taken. */
function confirmed(amountField: string | undefined) {
  return (call: Call, { object, countedMinor }: Before): Most => {
    const stated = statedIn(call, amountField);
    if (stated !== undefined && typeof stated !== "bigint") return stated;
    const rest = less(minorUnits(object, "amount"), countedMinor);
    return stated === undefined || rest === undefined ? (rest ?? stated) : lesser(stated, rest);
  };
}

/** An explicit amount may exceed the authorisation (overcapture), so that it bounds by itself. */
function captured(call: Call, { object, countedMinor }: Before): Most {
  const stated = statedIn(call, "amount_to_capture");
  if (stated !== undefined && typeof stated !== "bigint") return stated;
  const asked = stated ?? capturable(object);
  return asked === undefined ? undefined : lesser(asked, less(received(object) + asked, countedMinor)!);
}

function capturable(object: StripeObject): bigint | undefined {
  const authorised = isAuthorised(object) ? minorUnits(object, "amount_capturable") : undefined;
  return authorised ?? minorUnits(object, "amount");
}

function isAuthorised(object: StripeObject): boolean {
  return object["status"] === AUTHORISED;
}

function received(object: StripeObject | undefined): bigint {
  return (object && minorUnits(object, "amount_received")) ?? 0n;
}

/** What one capture took: `amount_received` is the sum over all partial captures. */
function takenByCapture(intent: StripeObject, call: Call, before: Before | undefined): bigint | undefined {
  const total = minorUnits(intent, "amount_received");
  const stated = statedIn(call, "amount_to_capture");
  const added = less(total, before && isAuthorised(before.object) ? received(before.object) : 0n);
  // Nothing added: the look-up of a repeat has already seen what the first call captured.
  const asked = typeof stated === "bigint" ? stated : added === 0n ? total : added;
  const uncounted = less(total ?? asked, countedIn(before, intent));
  return asked === undefined || uncounted === undefined ? undefined : lesser(asked, uncounted);
}

/** The parameter is the new total. What was authorised elsewhere is counted when it is captured. */
function incremented(call: Call, before: Before): Most {
  const stated = statedIn(call, "amount");
  if (typeof stated !== "bigint") return stated ?? costUnknown("an increment needs the new total as amount");
  return less(stated, committedBefore(before, before.object));
}

function addedByIncrement(intent: StripeObject, call: Call, before: Before | undefined): bigint | undefined {
  const total = committedOf(intent, call);
  const earlier = committedBefore(before, intent);
  // No increment adds nothing: the look-up of a repeat has already seen the new total.
  return less(total, total !== undefined && total <= earlier ? countedIn(before, intent) : earlier);
}

function committedBefore(before: Before | undefined, intent: StripeObject): bigint {
  if (!before) return 0n;
  const { object } = before;
  const counted = countedIn(before, intent);
  const authorised = isAuthorised(object) ? received(object) + (minorUnits(object, "amount_capturable") ?? 0n) : 0n;
  return counted > authorised ? counted : authorised;
}

function lesser(first: bigint, second: bigint): bigint {
  return first < second ? first : second;
}
