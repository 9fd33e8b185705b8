import { type Call, field } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { costUnknown, rejected, type StripeObject } from "../stripe-money.ts";
import type { Exposure, Found, Operation, Pricing } from "../vendor.ts";
import {
  type Entry,
  entriesOf,
  fieldNames,
  flag,
  known,
  objectPath,
  refuseUnknown,
  setField,
} from "./billing-fields.ts";
import { isCredit, lineSum } from "./billing-lines.ts";
import { addUp, exposed, idIn, isTaxed, nothing, objectFound, type Sum, textIn, type Unsaid } from "./billing-money.ts";
import { lookedUp } from "./billing-operation.ts";
import { firstInvoice, lastInvoice, nextPeriods } from "./billing-preview.ts";
import { itemsOf, kept, type SubscriptionItem } from "./billing-subscription-items.ts";

/*
 * A subscription is counted at one full period of all its items when it is made, and again whenever a call changes what it
 * bills: whatever a trial, a discount or a proration takes off, as the renewal takes the full price without another call.
 * Renewals themselves are Stripe's own calls and counted nowhere. Where Stripe adds tax, its preview is asked.
 */

const DESCRIPTIVE =
  "application_fee_percent|cancellation_details|days_until_due|default_payment_method|default_source|description|" +
  "invoice_settings|off_session|on_behalf_of|payment_behavior|payment_settings|proration_behavior|proration_date|" +
  "transfer_data|trial_settings";
const BILLING =
  "add_invoice_items|automatic_tax|billing_cycle_anchor|billing_thresholds|cancel_at|cancel_at_period_end|" +
  "collection_method|coupon|default_tax_rates|discounts|items|pending_invoice_item_interval|promotion_code|trial_end|" +
  "trial_from_plan";
const CREATES = known(
  `${DESCRIPTIVE}|${BILLING}|billing_cycle_anchor_config|billing_mode|currency|customer|customer_account|trial_period_days`,
);
const UPDATES = known(`${DESCRIPTIVE}|${BILLING}|pause_collection`);
const CHANGES = new RegExp(`^(?:${BILLING})(?:\\[.+)?$`);
const TAXES = /^automatic_tax\[enabled\]$|tax_rates/;
const CANCELS = known("cancellation_details|invoice_now|prorate");
const CREDITED =
  "add_invoice_items takes off what the preview of the first invoice shows; make the credit a call of its own";
const TAXED_EXTRAS = "the subscription adds tax to add_invoice_items, which no preview of its renewal shows";
const RESUMES = known("billing_cycle_anchor|payment_behavior|proration_behavior|proration_date");
const PAUSES = known("bill_for|invoicing_behavior|type");

export const SUBSCRIPTIONS: readonly Operation[] = [
  lookedUp("subscriptions.create", "charge", "POST /v1/subscriptions", created),
  lookedUp("subscriptions.update", "charge", "POST /v1/subscriptions/*", updated),
  lookedUp("subscriptions.cancel", "charge", "DELETE /v1/subscriptions/*", cancelled),
  lookedUp("subscriptions.resume", "charge", "POST /v1/subscriptions/*/resume", fullPeriod(RESUMES)),
  // What a pause gives back for the time not used is a part of the period at most.
  lookedUp("subscriptions.pause", "charge", "POST /v1/subscriptions/*/pause", fullPeriod(PAUSES)),
  lookedUp("subscriptions.discount", "charge", "DELETE /v1/subscriptions/*/discount", fullPeriod(known("expand"))),
];

function created(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CREATES);
  if (strange) return strange;
  const items = entriesOf(call, "items");
  if (!items.ok) return items;
  const extras = entriesOf(call, "add_invoice_items");
  if (!extras.ok) return extras;
  if (items.entries.length === 0) return costUnknown("the request has no items[0][price]");
  if (setField(call, TAXES) && extras.entries.some(isCredit)) return costUnknown(CREDITED);
  const sum = setField(call, TAXES)
    ? firstInvoice(call, found)
    : linesSum([...items.entries, ...extras.entries], field(call, "currency"), found);
  return sum.ok ? exposed(sum, pricing, "lookup") : sum;
}

function updated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, UPDATES);
  if (strange) return strange;
  const ends = flag(call, "cancel_at_period_end");
  if (!ends.ok) return ends;
  const subscription = objectFound(found, readOf(objectPath(call)));
  if (!subscription.ok) return subscription;
  const customer = idIn(subscription.object, "customer");
  if (!changesBilling(call, ends.value)) return nothing(customer);
  const extras = entriesOf(call, "add_invoice_items");
  if (!extras.ok) return extras;
  const currency = textIn(subscription.object, "currency");
  if (extras.entries.length > 0 && isBilledWithTax(call, subscription.object)) return costUnknown(TAXED_EXTRAS);
  const more = linesSum(extras.entries, currency, found);
  const period = newPeriod(call, subscription.object, found);
  const sum = addUp([period, more]);
  return sum.ok ? exposed(sum, pricing, "lookup", customer) : sum;
}

/** Collection that is paused, or a subscription that is to end, bills less than before. */
function changesBilling(call: Call, ends: boolean | undefined): boolean {
  const unpauses = field(call, "pause_collection") === "";
  const names = fieldNames(call).filter((name) => CHANGES.test(name) && !(name === "cancel_at_period_end" && ends));
  return unpauses || names.length > 0;
}

/** The dearer of the period as it was (a downgrade gives credit for it) and as it will be. */
function newPeriod(call: Call, subscription: StripeObject, found: Found): Sum | Unsaid {
  const items = itemsOf(subscription);
  if (!items.ok) return items;
  const changes = entriesOf(call, "items");
  if (!changes.ok) return changes;
  const currency = textIn(subscription, "currency");
  if (isBilledWithTax(call, subscription) || items.list.some((item) => item.isTaxed)) {
    const id = textIn(subscription, "id") ?? "";
    return dearer(nextPeriods(id, found), nextPeriods(id, found, call));
  }
  const before = linesSum(
    items.list.filter((item) => !item.isMetered).map((item) => item.entry),
    currency,
    found,
  );
  const after = merged(items.list, changes.entries);
  if (!after.ok) return after;
  return dearer(before, linesSum(after.lines, currency, found));
}

function isBilledWithTax(call: Call, subscription: StripeObject): boolean {
  return setField(call, TAXES) !== undefined || isTaxed(subscription);
}

/** The subscription's lines with the request's changes in them; what is billed by usage stays as it was. */
function merged(items: readonly SubscriptionItem[], changes: readonly Entry[]) {
  const lines = new Map(items.filter((item) => !item.isMetered).map((item) => [item.id, item.entry]));
  const added: Entry[] = [];
  const changed = new Set<string>();
  for (const change of changes) {
    const id = change.get("id");
    if (id !== undefined && changed.has(id)) return rejected(`items has ${id.slice(0, 60)} twice; change it once`);
    if (id !== undefined) changed.add(id);
    const own = items.find((item) => item.id === id);
    if (id === undefined) added.push(change);
    else if (!own) return costUnknown(`the subscription has no item ${id.slice(0, 60)}`);
    else if (change.get("deleted") === "true") lines.delete(id);
    else lines.set(id, kept(own, change));
  }
  return { ok: true, lines: [...lines.values(), ...added] } as const;
}

/** The sum of lines, in the one currency that Stripe takes in a call. */
export function linesSum(lines: readonly Entry[], currency: string | undefined, found: Found): Sum | Unsaid {
  return addUp(lines.map((line) => lineSum(line, currency, found)));
}

/** The larger of two sums once both are known: what was billed before, which may be given back, and what will be. */
function dearer(before: Sum | Unsaid, after: Sum | Unsaid): Sum | Unsaid {
  const both = addUp([before, after]);
  if (!both.ok || !before.ok || !after.ok) return both;
  return before.minor > after.minor ? before : after;
}

/** One full period of what the subscription in the path bills. */
function fullPeriod(names: RegExp) {
  return (call: Call, pricing: Pricing, found: Found): Exposure | Unsaid => {
    const strange = refuseUnknown(call, names);
    if (strange) return strange;
    const subscription = objectFound(found, readOf(objectPath(call)));
    if (!subscription.ok) return subscription;
    const period = periodOf(subscription.object, found);
    return period.ok ? exposed(period, pricing, "lookup", idIn(subscription.object, "customer")) : period;
  };
}

/** What a subscription bills for one period, or that it bills by usage. */
function periodOf(subscription: StripeObject, found: Found): Sum | Unsaid {
  const items = itemsOf(subscription);
  if (!items.ok) return items;
  if (items.list.some((item) => item.isMetered)) return costUnknown("the subscription bills by usage");
  if (isTaxed(subscription) || items.list.some((item) => item.isTaxed)) {
    return nextPeriods(textIn(subscription, "id") ?? "", found);
  }
  return linesSum(
    items.list.map((item) => item.entry),
    textIn(subscription, "currency"),
    found,
  );
}

/** Nothing, unless it makes a last invoice or gives back what is left of the period. */
function cancelled(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CANCELS);
  if (strange) return strange;
  const subscription = objectFound(found, readOf(objectPath(call)));
  if (!subscription.ok) return subscription;
  const customer = idIn(subscription.object, "customer");
  const id = textIn(subscription.object, "id");
  const bills = setField(call, /^(?:invoice_now|prorate)$/);
  if (bills === undefined || id === undefined)
    return bills === undefined ? nothing(customer) : costUnknown("the subscription has no id");
  const last = lastInvoice(id, setField(call, /^prorate$/) !== undefined, found);
  return last.ok ? exposed(last, pricing, "lookup", customer) : last;
}
