import { type Call, field } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { asObject, costUnknown, type StripeObject } from "../stripe-money.ts";
import type { Exposure, Found, NoExposure, Operation, Pricing } from "../vendor.ts";
import {
  callAsEntry,
  type Entry,
  fieldNames,
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
  isTaxed,
  listOf,
  nothing,
  objectFound,
  textIn,
  type Unsaid,
} from "./billing-money.ts";
import { lookedUp } from "./billing-operation.ts";
import { objectInField } from "./found-object.ts";

/** One item of a subscription as Stripe has it. */
export interface SubscriptionItem {
  readonly id: string;
  /** Its price and quantity, as a request would have them. */
  readonly entry: Entry;
  readonly isMetered: boolean;
  readonly isTaxed: boolean;
}

const CHANGES = known("off_session|payment_behavior|proration_behavior|proration_date|subscription", { isLine: true });
const DELETES = known("clear_usage|payment_behavior|proration_behavior|proration_date");
const QUANTITY = /^(?:quantity|quantity_decimal)$/;
const MONEY = /^(?:price|plan|quantity|quantity_decimal|price_data\[.+\])$/;
/** What changes the item's next bills. */
const BILLS = /^(?:price|plan|quantity|quantity_decimal|price_data|tax_rates|discounts|billing_thresholds)(?:\[.+)?$/;
const UNIT = /^(?:price|plan|price_data\[.+\])$/;
const TAXED =
  "the subscription is taxed; change its items by POST /v1/subscriptions/{id}, whose tax Stripe can preview";

export const SUBSCRIPTION_ITEMS: readonly Operation[] = [
  lookedUp("subscription_items.create", "charge", "POST /v1/subscription_items", created, {
    object: objectInField("/v1/subscriptions", "subscription"),
  }),
  lookedUp("subscription_items.update", "charge", "POST /v1/subscription_items/*", updated),
  lookedUp("subscription_items.delete", "credit", "DELETE /v1/subscription_items/*", deleted),
];

function subscriptionPath(id: string | undefined): string | undefined {
  return id !== undefined && isId(id) ? `/v1/subscriptions/${id}` : undefined;
}

/** A subscription's items; Stripe shows all of them, as there are twenty at most. */
export function itemsOf(
  subscription: StripeObject,
): { readonly ok: true; readonly list: readonly SubscriptionItem[] } | NoExposure {
  const list = listOf(subscription["items"])?.map((item) => subscriptionItem(item));
  if (!list || list.some((item) => item === undefined))
    return costUnknown("Stripe's subscription does not show all its items");
  return { ok: true, list: list as SubscriptionItem[] };
}

export function subscriptionItem(item: StripeObject): SubscriptionItem | undefined {
  const id = textIn(item, "id");
  const price = asObject(item["price"]) ?? asObject(item["plan"]);
  const priceId = textIn(price, "id");
  if (id === undefined || priceId === undefined) return undefined;
  const quantity = integerIn(item, "quantity") ?? 1n;
  const usage = textIn(asObject(price?.["recurring"]), "usage_type") ?? textIn(price, "usage_type");
  const entry = new Map([
    ["price", priceId],
    ["quantity", quantity.toString()],
  ]);
  return { id, entry, isMetered: usage === "metered", isTaxed: isTaxed(item) };
}

/** The item as the request leaves it: price and quantity stay where the request has none. */
export function kept(item: SubscriptionItem, change: Entry): Entry {
  const entry = new Map([...change].filter(([name, value]) => MONEY.test(name) && value !== ""));
  const names = [...entry.keys()];
  if (!names.some((name) => UNIT.test(name))) entry.set("price", item.entry.get("price")!);
  if (!names.some((name) => QUANTITY.test(name))) entry.set("quantity", item.entry.get("quantity")!);
  return entry;
}

/** A full period of the new item, whatever its proration. */
function created(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CHANGES);
  if (strange) return strange;
  const id = idField(call, "subscription");
  if (!id.ok) return id;
  if (id.id === undefined) return costUnknown("the request names no subscription");
  const subscription = objectFound(found, readOf(`/v1/subscriptions/${id.id}`));
  if (!subscription.ok) return subscription;
  const { object } = subscription;
  if (isTaxed(object) || setField(call, /^tax_rates/)) return costUnknown(TAXED);
  const sum = lineSum(callAsEntry(call), textIn(object, "currency"), found);
  return sum.ok ? exposed(sum, pricing, "lookup", idIn(object, "customer")) : sum;
}

/** The dearer period of the item before and after, where what it bills changes. */
function updated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CHANGES);
  if (strange) return strange;
  const both = itemAndSubscription(call, found);
  if (!both.ok) return both;
  const { item, subscription, path } = both;
  const customer = idIn(subscription, "customer");
  if (!fieldNames(call).some((name) => BILLS.test(name))) return nothing(customer);
  if (isTaxed(subscription) || item.isTaxed || setField(call, /^tax_rates/)) return costUnknown(TAXED);
  const currency = textIn(subscription, "currency");
  const before = item.isMetered ? ({ ok: true, minor: 0n, currency } as const) : lineSum(item.entry, currency, found);
  const after = lineSum(kept(item, callAsEntry(call)), currency, found);
  const sum = addUp([before, after]);
  if (!sum.ok || !before.ok || !after.ok) return sum.ok ? costUnknown("the item has no amount") : sum;
  return onSubscription(path, exposed(before.minor > after.minor ? before : after, pricing, "lookup", customer));
}

/** What is left of the item's period is given back, unless `proration_behavior=none`. */
function deleted(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, DELETES);
  if (strange) return strange;
  const both = itemAndSubscription(call, found);
  if (!both.ok) return both;
  const { item, subscription, path } = both;
  const customer = idIn(subscription, "customer");
  if (item.isMetered) return costUnknown("the item is billed by usage, which it takes with it");
  if (field(call, "proration_behavior") === "none") return nothing(customer);
  if (isTaxed(subscription) || item.isTaxed) return costUnknown(TAXED);
  const sum = lineSum(item.entry, textIn(subscription, "currency"), found);
  return sum.ok ? onSubscription(path, exposed(sum, pricing, "lookup", customer)) : sum;
}

/** An item's price and quantity can be changed through its subscription, too: of both only one call is under way. */
function onSubscription(path: string, exposure: Exposure | Unsaid): Exposure | Unsaid {
  return exposure.ok ? { ...exposure, object: path } : exposure;
}

function itemAndSubscription(call: Call, found: Found) {
  const object = objectFound(found, readOf(objectPath(call)));
  if (!object.ok) return object;
  const item = subscriptionItem(object.object);
  const path = subscriptionPath(textIn(object.object, "subscription"));
  if (!item || path === undefined) return costUnknown("Stripe's item has no price or no subscription");
  const subscription = objectFound(found, readOf(path));
  return subscription.ok ? ({ ok: true, item, subscription: subscription.object, path } as const) : subscription;
}
