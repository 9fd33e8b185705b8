import { type Call, field } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { asObject, costUnknown, type StripeObject } from "../stripe-money.ts";
import type { Exposure, Found, Operation, Pricing } from "../vendor.ts";
import {
  callAsEntry,
  type Entry,
  fieldNames,
  idField,
  known,
  objectPath,
  refuseUnknown,
  setField,
} from "./billing-fields.ts";
import { collectsItself } from "./billing-invoices.ts";
import { isCredit, lineSum } from "./billing-lines.ts";
import {
  exposed,
  idIn,
  integerIn,
  isTaxed,
  nothing,
  objectFound,
  ofKind,
  textIn,
  type Unsaid,
} from "./billing-money.ts";
import { lookedUp, settledBy } from "./billing-operation.ts";
import { magnitude, objectInField } from "./found-object.ts";

/*
 * An item is counted at its amount when it is made, as the customer's next renewal takes it without another call; so it is
 * on an invoice that collects by itself. On a draft with `auto_advance=false` it counts nothing: paying the draft does.
 * A later change counts in full wherever the item is: only the item's answer tells on which invoice it is, too late to keep
 * that invoice from being paid at the same time.
 */

const CREATES = known("customer|customer_account|invoice|subscription", { isLine: true });
const UPDATES = known("invoicing_rules", { isLine: true });
const UNIT = /^(?:amount|unit_amount|unit_amount_decimal|price|pricing\[price\]|price_data\[.+\])$/;
const QUANTITY = /^(?:quantity|quantity_decimal)$/;
const TAXES = /^(?:tax_rates|tax_behavior|tax_code)(?:\[.+)?$/;

const ON_A_DRAFT = "put the item on a draft invoice (invoice=in_…) with auto_advance=false, and pay that";

export const INVOICE_ITEMS: readonly Operation[] = [
  lookedUp("invoiceitems.create", "charge", "POST /v1/invoiceitems", created, {
    cost: settledBy(amountOf),
    object: objectInField("/v1/invoices", "invoice"),
  }),
  lookedUp("invoiceitems.update", "charge", "POST /v1/invoiceitems/*", updated, { cost: settledBy(amountOf) }),
  lookedUp("invoiceitems.delete", "charge", "DELETE /v1/invoiceitems/*", deleted),
];

/** A negative item is given away, and counted by its absolute amount. */
function amountOf(item: StripeObject): bigint | undefined {
  return magnitude(item, "amount");
}

function created(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CREATES);
  if (strange) return strange;
  const invoiceId = idField(call, "invoice");
  if (!invoiceId.ok) return invoiceId;
  if (invoiceId.id === undefined) return pending(call, pricing, found);
  const invoice = objectFound(found, readOf(`/v1/invoices/${invoiceId.id}`));
  if (!invoice.ok) return invoice;
  const customer = idIn(invoice.object, "customer");
  if (!collectsItself(invoice.object)) return nothing(customer);
  if (isTaxed(invoice.object)) return costUnknown(`the invoice is taxed and collects by itself; ${ON_A_DRAFT}`);
  const currency = field(call, "currency") ?? textIn(invoice.object, "currency");
  return counted(callAsEntry(call), call, currency, pricing, found, customer);
}

/** An item that waits for the customer's next invoice; a subscription adds its tax to it there. */
function pending(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const subscription = idField(call, "subscription");
  if (!subscription.ok) return subscription;
  if (subscription.id !== undefined) {
    const biller = objectFound(found, readOf(`/v1/subscriptions/${subscription.id}`));
    if (!biller.ok) return biller;
    if (isTaxed(biller.object)) return costUnknown(`the subscription adds tax to its items; ${ON_A_DRAFT}`);
  }
  return counted(callAsEntry(call), call, field(call, "currency"), pricing, found);
}

function counted(
  entry: Entry,
  call: Call,
  currency: string | undefined,
  pricing: Pricing,
  found: Found,
  customer?: string,
): Exposure | Unsaid {
  const taxed = setField(call, TAXES);
  if (taxed !== undefined) return costUnknown(`${taxed} may add tax to the amount; ${ON_A_DRAFT}`);
  const sum = lineSum(entry, currency, found);
  if (!sum.ok) return sum;
  const source = sum.minor === 0n || entry.has("amount") ? "request" : "lookup";
  return ofKind(isCredit(entry) ? "credit" : "charge", exposed(sum, pricing, source, customer));
}

/** The whole new amount, where amount or quantity change. */
function updated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, UPDATES);
  if (strange) return strange;
  const item = objectFound(found, readOf(objectPath(call)));
  if (!item.ok) return item;
  const { object } = item;
  const customer = idIn(object, "customer");
  const changes = fieldNames(call).some((name) => UNIT.test(name) || QUANTITY.test(name) || TAXES.test(name));
  if (!changes) return nothing(customer);
  if (isTaxed(object)) return costUnknown(`the item is taxed; ${ON_A_DRAFT}`);
  const entry = merged(call, object);
  if (!entry) return costUnknown("Stripe's item says no amount for one of it");
  return counted(entry, call, textIn(object, "currency"), pricing, found, customer);
}

/** The request's amount and quantity, each with the item's own where the request has none. */
function merged(call: Call, item: StripeObject): Entry | undefined {
  const entry = new Map(callAsEntry(call));
  const names = [...entry.keys()];
  if (!names.some((name) => UNIT.test(name))) {
    const unit =
      textIn(asObject(item["pricing"]), "unit_amount_decimal") ??
      textIn(item, "unit_amount_decimal") ??
      integerIn(item, "unit_amount")?.toString();
    if (unit === undefined) return undefined;
    entry.set("unit_amount_decimal", unit);
  }
  const quantity = textIn(item, "quantity_decimal") ?? integerIn(item, "quantity")?.toString();
  if (!names.some((name) => QUANTITY.test(name)) && !entry.has("amount") && quantity !== undefined) {
    entry.set("quantity", quantity);
  }
  return entry;
}

/** Taking a credit away makes its customer pay more; taking a debit away, nothing. */
function deleted(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const item = objectFound(found, readOf(objectPath(call)));
  if (!item.ok) return item;
  const minor = integerIn(item.object, "amount");
  const customer = idIn(item.object, "customer");
  if (minor === undefined) return costUnknown("Stripe's item says no amount");
  if (minor >= 0n) return nothing(customer);
  return exposed({ ok: true, minor, currency: textIn(item.object, "currency") }, pricing, "lookup", customer);
}
