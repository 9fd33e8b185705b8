import { type Call, field } from "../../core/call.ts";
import {
  amountIn,
  amountUnless,
  asObject,
  costOf,
  costUnknown,
  minorUnits,
  misspelling,
  rejected,
  type StripeObject,
} from "../stripe-money.ts";
import type { Exposure, Found, Missing, NoExposure, Operation, Pricing } from "../vendor.ts";
import { type Before, countedIn, lookedAtNow, stepCost, stepExposure } from "./counted-steps.ts";
import {
  exposureIn,
  idOf,
  type Looked,
  less,
  lookedAt,
  objectInField,
  objectInPath,
  onObject,
  statedIn,
  told,
} from "./found-object.ts";
import { costless, descriptive, lookedUp, priced } from "./operation.ts";

const FAMILY = "/v1/charges";
const chargeInPath = objectInPath(FAMILY);
const chargeInField = objectInField(FAMILY, "charge");
const intentInField = objectInField("/v1/payment_intents", "payment_intent");
const feeInPath = objectInPath("/v1/application_fees");

/** Charges by themselves, and what is given back of any charge. */
export const CHARGES: readonly Operation[] = [
  priced("charges.create", "charge", "POST /v1/charges", {
    exposure: amountIn("amount", "request", "a charge needs one"),
    cost: stepCost(FAMILY, amountUnless("failed")),
    counts: "the amount",
  }),
  lookedUp("charges.capture", "charge", "POST /v1/charges/*/capture", {
    exposure: stepExposure({ path: chargeInPath, amounts: ["amount"], most: captured }),
    cost: stepCost(FAMILY, takenByCapture),
    object: chargeInPath,
    counts: "what is captured; nothing where the authorisation was counted",
  }),
  ...descriptive(
    "charges.update",
    ["POST /v1/charges/*"],
    ["customer|fraud_details|receipt_email|shipping|transfer_group"],
  ),
];

/**
 * Refunds: what leaves the account, as much as was asked for or all that is left. Stripe gives back no charge twice, so that
 * two refunds at once need not wait for each other.
 */
export const REFUNDS: readonly Operation[] = [
  lookedUp("refunds.create", "refund", "POST /v1/refunds", {
    exposure: refunded,
    cost: costOf(amountUnless("failed", "canceled")),
    counts: "the amount, or what is left of the charge",
  }),
  lookedUp("charges.refund", "refund", "POST /v1/charges/*/refunds", {
    exposure: onObject({ amountField: "amount", path: chargeInPath, remaining: leftOfCharge }),
    cost: costOf(amountUnless("failed", "canceled")),
    counts: "the amount, or what is left of the charge",
  }),
  lookedUp("application_fees.refund", "refund", "POST /v1/application_fees/*/refunds", {
    exposure: onObject({
      amountField: "amount",
      path: feeInPath,
      remaining: (fee) => less(minorUnits(fee, "amount"), minorUnits(fee, "amount_refunded")),
    }),
    cost: costOf(amountUnless()),
    counts: "the amount, or what is left of the fee",
  }),
  ...costless("refunds.cancel", "refund", "nothing more: the money stays", ["POST /v1/refunds/*/cancel"]),
  ...descriptive("refunds.update", ["POST /v1/refunds/*", "POST /v1/application_fees/*/refunds/*"]),
];

function captured(call: Call, { object, countedMinor }: Before): bigint | NoExposure | undefined {
  const stated = statedIn(call, "amount");
  if (stated !== undefined && typeof stated !== "bigint") return stated;
  return less(stated ?? leftOfCharge(object), countedMinor);
}

function takenByCapture(charge: StripeObject, call: Call, before: Before | undefined): bigint | undefined {
  const stated = statedIn(call, "amount");
  const taken = typeof stated === "bigint" ? stated : minorUnits(charge, "amount_captured");
  return less(taken, countedIn(before, charge));
}

/** A partial capture shows what was not captured as refunded; where a version does not, `amount_captured` bounds it. */
export function leftOfCharge(charge: StripeObject): bigint | undefined {
  const left = less(minorUnits(charge, "amount"), minorUnits(charge, "amount_refunded"));
  const taken = charge["captured"] === true ? minorUnits(charge, "amount_captured") : undefined;
  return left !== undefined && taken !== undefined && taken < left ? taken : left;
}

/** The exposure of a refund by charge, by PaymentIntent, or from a customer's cash balance. */
export function refunded(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const named = [field(call, "charge"), field(call, "payment_intent"), field(call, "origin")];
  if (named.filter((value) => value !== undefined).length > 1) {
    return rejected("the request names more than one of charge, payment_intent and origin; name one");
  }
  if (named[0] !== undefined) return ofCharge(call, pricing, found);
  if (named[1] !== undefined) return ofIntent(call, pricing, found);
  if (named[2] !== undefined) return ofCashBalance(call, pricing, found);
  return costUnknown("the request names neither a charge nor a payment_intent");
}

const ofCharge = onObject({ amountField: "amount", path: chargeInField, remaining: leftOfCharge });

/** By the charge that took the PaymentIntent's money; before API version 2022-11-15 that stands in a list. */
function ofIntent(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const misspelt = misspelling(call, ["amount", "currency"]);
  if (misspelt) return misspelt;
  const path = intentInField(call);
  if (path === undefined) return rejected("payment_intent has other characters than letters, digits and _");
  const intent = lookedAtNow(path, found);
  if (!intent.ok) return intent;
  const charge = chargeOf(intent.object, path, found);
  if (!charge.ok) return charge;
  const asked = statedIn(call, "amount");
  if (asked !== undefined && typeof asked !== "bigint") return asked;
  const minor = asked ?? leftOfCharge(charge.object);
  if (minor === undefined) return costUnknown(`the charge of ${path} has no amount`);
  const customer = idOf(charge.object, "customer") ?? idOf(intent.object, "customer");
  return told(exposureIn(minor, charge.object["currency"], pricing), asked === undefined, customer);
}

function chargeOf(intent: StripeObject, path: string, found: Found): Looked {
  const { latest_charge: latest, charges } = intent;
  const listed = asObject(charges)?.["data"];
  const object = asObject(latest) ?? (Array.isArray(listed) ? listed.map(asObject).find(hasMoney) : undefined);
  if (object) return { ok: true, object };
  const id = idOf(intent, "latest_charge");
  return id === undefined
    ? rejected(`${path} has no charge that could be refunded`)
    : lookedAt(found, `${FAMILY}/${id}`);
}

function hasMoney(charge: StripeObject | undefined): boolean {
  return charge !== undefined && charge["status"] !== "failed";
}

const stated = amountIn("amount", "request", "a refund from a cash balance needs one");

function ofCashBalance(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  if (field(call, "amount") !== undefined) return stated(call, pricing);
  const misspelt = misspelling(call, ["amount", "currency"]);
  if (misspelt) return misspelt;
  const customer = objectInField("/v1/customers", "customer")(call);
  const currency = field(call, "currency");
  if (customer === undefined || currency === undefined) {
    return costUnknown("a refund from a cash balance needs a customer and a currency");
  }
  const looked = lookedAt(found, `${customer}/cash_balance`);
  if (!looked.ok) return looked;
  const available = asObject(looked.object["available"]) ?? {};
  return told(exposureIn(minorUnits(available, currency) ?? 0n, currency, pricing), true, undefined);
}
