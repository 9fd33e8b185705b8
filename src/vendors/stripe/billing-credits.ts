import { type Call, field } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { asObject, costUnknown, noCost, nothingMovedBy, type StripeObject } from "../stripe-money.ts";
import type { Exposure, Found, NoExposure, Operation, Pricing } from "../vendor.ts";
import {
  fieldNames,
  flag,
  formPair,
  idField,
  isId,
  known,
  objectPath,
  refuseUnknown,
  setField,
} from "./billing-fields.ts";
import { lineSum } from "./billing-lines.ts";
import {
  addUp,
  exposed,
  idIn,
  integerIn,
  larger,
  nothing,
  objectFound,
  ofKind,
  textIn,
  type Unsaid,
} from "./billing-money.ts";
import { lookedUp, priced, settledBy } from "./billing-operation.ts";
import { magnitude, objectInField } from "./found-object.ts";

/*
 * Value given to a customer counts as `credit` at its full amount, whenever it is used. Taking it back makes its customer
 * pay more, and counts as `charge`.
 */

const DESCRIPTION = /^(?:metadata(?:\[.+)?|description|memo|expand\[[0-9]+\])$/;
const BALANCE = /^(?:amount|currency|description|metadata(?:\[.+)?|expand\[[0-9]+\])$/;
const FUNDING = /^(?:bank_transfer(?:\[.+)?|currency|funding_type|expand\[[0-9]+\])$/;
const NOTES = known(
  "invoice|amount|credit_amount|effective_at|email_type|lines|memo|out_of_band_amount|reason|refund|refund_amount|refunds|shipping_cost",
);
const GRANTS = known(
  "amount|applicability_config|category|customer|customer_account|effective_at|expires_at|name|priority",
);
const CODES = known("active|code|coupon|customer|customer_account|expires_at|max_redemptions|promotion|restrictions");

export const CREDITS: readonly Operation[] = [
  lookedUp("credit_notes.create", "credit", "POST /v1/credit_notes", noteCreated, {
    cost: settledBy((note) => integerIn(note, "total") ?? integerIn(note, "amount")),
    object: objectInField("/v1/invoices", "invoice"),
  }),
  lookedUp("credit_notes.void", "charge", "POST /v1/credit_notes/*/void", noteVoided),
  priced("credit_notes.update", "write", "POST /v1/credit_notes/*", nothingMovedBy(DESCRIPTION), noCost),
  priced(
    "customer_balance.create",
    "credit",
    "POST /v1/customers/*/balance_transactions",
    balanceMoved,
    settledBy((balance) => magnitude(balance, "amount")),
  ),
  priced(
    "customer_balance.update",
    "write",
    "POST /v1/customers/*/balance_transactions/*",
    nothingMovedBy(DESCRIPTION),
    noCost,
  ),
  lookedUp("cash_balance.update", "charge", "POST /v1/customers/*/cash_balance", cashBalanceSet, {
    object: (call) => objectPath(call, 4),
  }),
  // Bank details to which a customer can send money. What comes is kept for the customer until a payment takes it.
  priced(
    "funding_instructions.create",
    "write",
    "POST /v1/customers/*/funding_instructions",
    nothingMovedBy(FUNDING),
    noCost,
  ),
  priced("credit_grants.create", "credit", "POST /v1/billing/credit_grants", grantCreated),
  lookedUp("credit_grants.update", "credit", "POST /v1/billing/credit_grants/*", grantUpdated, { object: grantPath }),
  ...["expire", "void"].map((verb) =>
    lookedUp(`credit_grants.${verb}`, "charge", `POST /v1/billing/credit_grants/*/${verb}`, grantEnded, {
      object: grantPath,
    }),
  ),
  lookedUp("promotion_codes.create", "credit", "POST /v1/promotion_codes", codeCreated),
  lookedUp("promotion_codes.update", "credit", "POST /v1/promotion_codes/*", codeUpdated),
];

function grantPath(call: Call): string {
  return objectPath(call, 4);
}

/** Stripe computes the note without making it (docs.stripe.com/api/credit_notes/preview): its lines, tax and shipping. */
function noteCreated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, NOTES);
  if (strange) return strange;
  const invoice = idField(call, "invoice");
  if (!invoice.ok) return invoice;
  if (invoice.id === undefined) return costUnknown("the request names no invoice");
  const asked = fieldNames(call).filter((name) => !/^(?:expand|metadata)(?:\[|$)/.test(name));
  const query = asked.map((name) => formPair(name, field(call, name)!)).join("&");
  const note = objectFound(found, readOf(`/v1/credit_notes/preview?${query}`));
  if (!note.ok) return note;
  // What goes back to the card is a refund like any other.
  const refunds = isSome(call, "refund_amount");
  if (refunds && (isSome(call, "credit_amount") || isSome(call, "out_of_band_amount")))
    return costUnknown("it refunds one part and credits another; make a credit note for each");
  return ofKind(refunds ? "refund" : "credit", noteExposed(note.object, pricing));
}

function isSome(call: Call, name: string): boolean {
  return !/^0*$/.test(field(call, name) ?? "");
}

function noteVoided(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const note = objectFound(found, readOf(objectPath(call)));
  return note.ok ? noteExposed(note.object, pricing) : note;
}

/** The larger of what it takes off with tax and shipping, and what it moves. */
function noteExposed(note: StripeObject, pricing: Pricing): Exposure | NoExposure {
  const amount = integerIn(note, "amount");
  const total = integerIn(note, "total") ?? amount;
  if (amount === undefined || total === undefined) return costUnknown("Stripe's credit note says no amount");
  const sum = { ok: true, minor: larger(amount, total), currency: textIn(note, "currency") } as const;
  return exposed(sum, pricing, "lookup", idIn(note, "customer"));
}

/** A balance's transaction by its absolute amount: what is below zero is given, what is above is owed. */
function balanceMoved(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, BALANCE);
  if (strange) return strange;
  return requested(field(call, "amount"), field(call, "currency"), pricing, found);
}

function requested(
  amount: string | undefined,
  currency: string | undefined,
  pricing: Pricing,
  found: Found,
): Exposure | Unsaid {
  if (amount === undefined) return costUnknown("the request has no amount");
  if (!/^-?[1-9][0-9]{0,11}$/.test(amount))
    return costUnknown(`${JSON.stringify(amount.slice(0, 40))} is no whole amount`);
  const sum = lineSum(new Map([["amount", amount]]), currency, found);
  return sum.ok ? exposed(sum, pricing, "request") : sum;
}

/** All that the customer has at hand, where Stripe is told to use it for open invoices and payments by itself. */
function cashBalanceSet(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, known("settings"));
  if (strange) return strange;
  const balance = objectFound(found, readOf(objectPath(call, 4)));
  if (!balance.ok) return balance;
  const customer = idIn(balance.object, "customer");
  const mode = field(call, "settings[reconciliation_mode]");
  if (fieldNames(call).every((name) => !name.startsWith("settings")) || mode === "manual") return nothing(customer);
  const available = Object.entries(asObject(balance.object["available"]) ?? {});
  if (available.length === 0) return nothing(customer);
  const sum = addUp(
    available.map(([currency, amount]) =>
      typeof amount === "number" && Number.isSafeInteger(amount)
        ? { ok: true, minor: BigInt(amount), currency }
        : costUnknown("Stripe's cash balance says no amount"),
    ),
  );
  return sum.ok ? exposed(sum, pricing, "lookup", customer) : sum;
}

function grantCreated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, GRANTS);
  if (strange) return strange;
  const other = fieldNames(call).find(
    (name) => /^amount/.test(name) && !/^amount\[(?:type|monetary\]\[(?:value|currency))\]$/.test(name),
  );
  if (other !== undefined) return costUnknown(`the parameter ${other.slice(0, 80)} is no amount of money`);
  return requested(field(call, "amount[monetary][value]"), field(call, "amount[monetary][currency]"), pricing, found);
}

/** A new date of expiry gives the grant again, as what was over is usable once more. */
function grantUpdated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, known("expires_at"));
  if (strange) return strange;
  const grant = objectFound(found, readOf(grantPath(call)));
  if (!grant.ok) return grant;
  return field(call, "expires_at") === undefined
    ? nothing(idIn(grant.object, "customer"))
    : grantWhole(grant.object, pricing);
}

function grantEnded(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const grant = objectFound(found, readOf(grantPath(call)));
  return grant.ok ? grantWhole(grant.object, pricing) : grant;
}

function grantWhole(grant: StripeObject, pricing: Pricing): Exposure | Unsaid {
  const monetary = asObject(asObject(grant["amount"])?.["monetary"]);
  const minor = integerIn(monetary, "value");
  if (minor === undefined) return costUnknown("Stripe's grant says no amount of money");
  return exposed(
    { ok: true, minor, currency: textIn(monetary, "currency") },
    pricing,
    "lookup",
    idIn(grant, "customer"),
  );
}

/** A code gives its coupon's amount to everyone who redeems it: `max_redemptions` times. Percentages have no amount. */
function codeCreated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CODES);
  if (strange) return strange;
  const active = flag(call, "active");
  if (!active.ok) return active;
  const id = field(call, "promotion[coupon]") ?? field(call, "coupon");
  if (id === undefined || !isId(id)) return costUnknown("the request names no coupon");
  const times = field(call, "max_redemptions");
  if (active.value === false) return nothing();
  return redeemed(`/v1/coupons/${id}`, times, pricing, found);
}

function redeemed(coupon: string, times: string | undefined, pricing: Pricing, found: Found): Exposure | Unsaid {
  if (times === undefined || !/^[1-9][0-9]{0,6}$/.test(times)) {
    return costUnknown("the code can be redeemed any number of times; set max_redemptions to how often it may be");
  }
  const coupons = objectFound(found, readOf(`${coupon}?expand[]=currency_options`));
  if (!coupons.ok) return coupons;
  const { object } = coupons;
  const minor = integerIn(object, "amount_off");
  if (minor === undefined) return costUnknown("the coupon takes off a percentage of what nobody knows yet");
  const currency = textIn(object, "currency");
  const others = Object.keys(asObject(object["currency_options"]) ?? {}).filter((option) => option !== currency);
  if (others.length > 0) return costUnknown("the coupon has amounts in several currencies");
  if (object["duration"] !== undefined && object["duration"] !== "once") {
    return costUnknown("the coupon takes off its amount from more than one invoice");
  }
  return exposed({ ok: true, minor: minor * BigInt(times), currency }, pricing, "lookup");
}

/** Closing a code gives nothing; opening it again gives all that is in it. */
function codeUpdated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, known("active|restrictions"));
  if (strange) return strange;
  const code = objectFound(found, readOf(objectPath(call)));
  if (!code.ok) return code;
  const customer = idIn(code.object, "customer");
  if (setField(call, /^(?:active|restrictions)(?:\[.+)?$/) === undefined) return nothing(customer);
  const coupon = idIn(asObject(code.object["promotion"]), "coupon") ?? idIn(code.object, "coupon");
  if (coupon === undefined || !isId(coupon)) return costUnknown("Stripe's promotion code names no coupon");
  return redeemed(`/v1/coupons/${coupon}`, integerIn(code.object, "max_redemptions")?.toString(), pricing, found);
}
