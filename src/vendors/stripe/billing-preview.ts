import { type Call, field } from "../../core/call.ts";
import { divideCeil } from "../../core/money.ts";
import { computationOf } from "../look-up.ts";
import { costUnknown } from "../stripe-money.ts";
import type { Found } from "../vendor.ts";
import { fieldNames, formPair } from "./billing-fields.ts";
import { integerIn, larger, objectFound, type Sum, textIn, type Unsaid } from "./billing-money.ts";

/*
 * Stripe's invoice preview computes and keeps nothing (docs.stripe.com/api/invoices/create_preview). It is asked where only
 * Stripe can say the amount, as tax is in it. The request's discounts and trial are left out: the renewal is without them.
 */

const PREVIEW = "/v1/invoices/create_preview";

/** The first invoice of the subscription that `call` creates, with what `add_invoice_items` adds once. */
export function firstInvoice(call: Call, found: Found): Sum | Unsaid {
  const pairs = ["customer", "customer_account", "currency"].flatMap((name) => pair(name, field(call, name)));
  return preview(
    [...pairs, ...subscriptionDetails(call), ...renamed(call, "add_invoice_items", "invoice_items")],
    found,
  );
}

/** A full period of the subscription with this id, with the changes that `call` makes to it. */
export function nextPeriods(subscription: string, found: Found, call?: Call): Sum | Unsaid {
  return preview(
    [formPair("subscription", subscription), "preview_mode=recurring", ...(call ? subscriptionDetails(call) : [])],
    found,
  );
}

/** The invoice that a subscription cancelled now ends with. */
export function lastInvoice(subscription: string, prorates: boolean, found: Found): Sum | Unsaid {
  const behavior = prorates ? "create_prorations" : "none";
  const details = [`subscription_details[cancel_now]=true`, `subscription_details[proration_behavior]=${behavior}`];
  return preview([formPair("subscription", subscription), ...details], found);
}

function subscriptionDetails(call: Call): string[] {
  return [
    ...renamed(call, "items", "subscription_details[items]"),
    ...renamed(call, "default_tax_rates", "subscription_details[default_tax_rates]"),
    ...renamed(call, "automatic_tax", "automatic_tax"),
  ];
}

function renamed(call: Call, name: string, as: string): string[] {
  const names = fieldNames(call).filter((each) => each === name || each.startsWith(`${name}[`));
  return names
    .filter((each) => !/\[(?:metadata|discounts)\]/.test(each))
    .flatMap((each) => pair(`${as}${each.slice(name.length)}`, field(call, each)));
}

function pair(name: string, value: string | undefined): string[] {
  return value === undefined ? [] : [formPair(name, value)];
}

/**
 * The dearest, by absolute amount, of the invoice's total, of what it is before discounts, and of that with tax at the rate
 * of what is left after them.
 */
function preview(pairs: readonly string[], found: Found): Sum | Unsaid {
  const invoice = objectFound(found, computationOf(PREVIEW, pairs.join("&")));
  if (!invoice.ok) return invoice;
  const total = integerIn(invoice.object, "total");
  const subtotal = integerIn(invoice.object, "subtotal") ?? total;
  if (total === undefined || subtotal === undefined) return costUnknown("Stripe's preview says no total");
  const untaxed = integerIn(invoice.object, "subtotal_excluding_tax") ?? subtotal;
  const left = integerIn(invoice.object, "total_excluding_tax") ?? untaxed;
  const isDiscounted = left >= 0n && left < untaxed;
  if (isDiscounted && left === 0n) return costUnknown("a discount takes all of the first invoice, and hides its tax");
  const undiscounted = isDiscounted ? divideCeil(untaxed * total, left) : 0n;
  const [one, other] = [total < 0n ? -total : total, subtotal < 0n ? -subtotal : subtotal];
  return { ok: true, minor: larger(larger(one, other), undiscounted), currency: textIn(invoice.object, "currency") };
}
