import { type Call, field } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { costUnknown, type StripeObject } from "../stripe-money.ts";
import type { Exposure, Found, Missing, NoExposure, Operation, Pricing } from "../vendor.ts";
import { entriesOf, fieldNames, flag, idField, known, objectPath, refuseUnknown, setField } from "./billing-fields.ts";
import { isCredit, lineSum } from "./billing-lines.ts";
import {
  addUp,
  exposed,
  idIn,
  integerIn,
  isTaxed,
  larger,
  listOf,
  nothing,
  objectFound,
  ofKind,
  type Sum,
  textIn,
  type Unsaid,
} from "./billing-money.ts";
import { lookedUp, settledBy } from "./billing-operation.ts";

/*
 * An invoice's money is counted when it becomes payable: when it is finalised or sent as a draft, told to collect by
 * itself, or paid. A draft with `auto_advance=false` commits nothing, whatever its lines: what makes it payable is counted.
 * Paying a draft finalises it (docs.stripe.com/api/invoices/finalize) and counts once; an invoice that one call finalises
 * and another pays counts twice, as nothing in it says who finalised it, and its payer could have paid it in between.
 */

const DESCRIPTIVE =
  "account_tax_ids|application_fee_amount|custom_fields|days_until_due|default_payment_method|default_source|description|" +
  "due_date|effective_at|footer|issuer|number|on_behalf_of|payment_settings|rendering|shipping_details|" +
  "statement_descriptor|transfer_data";
const COLLECTING = "auto_advance|automatically_finalizes_at|collection_method";
const RAISING = "automatic_tax|coupon|default_tax_rates|discounts|shipping_cost";

const UPDATES = known(`${DESCRIPTIVE}|${COLLECTING}|${RAISING}`);
const CREATES = known(
  `${DESCRIPTIVE}|${COLLECTING}|${RAISING}|currency|customer|customer_account|from_invoice|pending_invoice_items_behavior|subscription`,
);
const RAISES = new RegExp(`^(?:${RAISING})(?:\\[.+)?$`);
const TAXES = /^(?:automatic_tax|default_tax_rates|shipping_cost)(?:\[.+)?$/;
const PAYS = known("forgive|mandate|off_session|paid_out_of_band|payment_method|source");

const DRAFT_FIRST = "set auto_advance=false on the draft first, and count its money by paying it";

export const INVOICES: readonly Operation[] = [
  lookedUp("invoices.create", "charge", "POST /v1/invoices", created, { cost: settledBy(collectedNow) }),
  lookedUp("invoices.update", "charge", "POST /v1/invoices/*", updated, { cost: settledBy(collectedNow) }),
  lookedUp("invoices.finalize", "charge", "POST /v1/invoices/*/finalize", whole(known("auto_advance")), {
    cost: settledBy(finalAmount),
  }),
  lookedUp("invoices.pay", "charge", "POST /v1/invoices/*/pay", paid, { cost: settledBy(paidNow) }),
  // Sending an invoice that is open already only reminds its payer; a draft is finalised by it.
  lookedUp("invoices.send", "charge", "POST /v1/invoices/*/send", ofDraft, { cost: settledBy(finalAmount) }),
  lookedUp("invoices.void", "credit", "POST /v1/invoices/*/void", whole(known("expand"))),
  lookedUp("invoices.mark_uncollectible", "credit", "POST /v1/invoices/*/mark_uncollectible", whole(known("expand"))),
  lookedUp("invoices.delete", "credit", "DELETE /v1/invoices/*", whole(known("expand"))),
  lookedUp(
    "invoices.attach_payment",
    "charge",
    "POST /v1/invoices/*/attach_payment",
    whole(known("payment_intent|payment_record")),
  ),
  lookedUp("invoices.add_lines", "charge", "POST /v1/invoices/*/add_lines", linesAdded),
  ...["update_lines", "remove_lines"].map((verb) =>
    lookedUp(`invoices.${verb}`, "charge", `POST /v1/invoices/*/${verb}`, linesChanged),
  ),
  lookedUp("invoices.update_line", "charge", "POST /v1/invoices/*/lines/*", linesChanged),
];

/** Whether Stripe collects the invoice without another call. */
export function collectsItself(invoice: StripeObject): boolean {
  return textIn(invoice, "status") !== "draft" || invoice["auto_advance"] !== false || isDated(invoice);
}

function isDated(invoice: StripeObject): boolean {
  return typeof invoice["automatically_finalizes_at"] === "number";
}

/** What an invoice can still take from its payer. A draft's total, where credit may yet be taken away from its payer. */
function due(invoice: StripeObject): bigint | undefined {
  switch (invoice["status"]) {
    case "paid":
    case "void":
      return 0n;
    case "open":
    case "uncollectible":
      return integerIn(invoice, "amount_remaining");
    default: {
      const amount = integerIn(invoice, "amount_due");
      const total = integerIn(invoice, "total") ?? amount;
      return amount === undefined || total === undefined ? undefined : larger(larger(amount, total), given(invoice));
    }
  }
}

/** What an invoice below zero gives its customer as balance once it is final (docs.stripe.com/billing/customer/balance). */
function given(invoice: StripeObject): bigint {
  const total = integerIn(invoice, "total") ?? 0n;
  return total < 0n ? -total : 0n;
}

/** What a final invoice asks for, or gives. */
function finalAmount(invoice: StripeObject): bigint | undefined {
  const amount = integerIn(invoice, "amount_due");
  return amount === undefined ? undefined : larger(amount, given(invoice));
}

function invoiceOf(call: Call, found: Found) {
  return objectFound(found, readOf(objectPath(call)));
}

function exposedInvoice(invoice: StripeObject, pricing: Pricing): Exposure | NoExposure {
  const minor = due(invoice);
  const currency = textIn(invoice, "currency");
  if (minor === undefined) return costUnknown("Stripe's invoice says no amount that is due");
  const sum = { ok: true, minor: minor < 0n ? 0n : minor, currency } as const;
  const exposure = exposed(sum, pricing, "lookup", idIn(invoice, "customer"));
  return given(invoice) > 0n ? ofKind("credit", exposure) : exposure;
}

/** All that the invoice in the path comes to. */
function whole(names: RegExp) {
  return (call: Call, pricing: Pricing, found: Found): Exposure | Unsaid => {
    const strange = refuseUnknown(call, names);
    if (strange) return strange;
    const invoice = invoiceOf(call, found);
    return invoice.ok ? exposedInvoice(invoice.object, pricing) : invoice;
  };
}

function ofDraft(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const invoice = invoiceOf(call, found);
  if (!invoice.ok) return invoice;
  const isDraft = textIn(invoice.object, "status") === "draft";
  return isDraft ? exposedInvoice(invoice.object, pricing) : nothing(idIn(invoice.object, "customer"));
}

/** Nothing where it is only marked as paid elsewhere (`paid_out_of_band`). */
function paid(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, PAYS);
  if (strange) return strange;
  const elsewhere = flag(call, "paid_out_of_band");
  if (!elsewhere.ok) return elsewhere;
  const invoice = invoiceOf(call, found);
  if (!invoice.ok) return invoice;
  return elsewhere.value ? nothing(idIn(invoice.object, "customer")) : exposedInvoice(invoice.object, pricing);
}

/** A payment that takes days leaves the invoice open. */
function paidNow(invoice: StripeObject): bigint | undefined {
  const amount = integerIn(invoice, invoice["status"] === "paid" ? "amount_paid" : "amount_remaining");
  return amount === undefined ? undefined : larger(amount, given(invoice));
}

function collectedNow(invoice: StripeObject): bigint | undefined {
  const minor = due(invoice);
  if (!collectsItself(invoice) || minor === undefined) return collectsItself(invoice) ? undefined : 0n;
  return minor < 0n ? 0n : minor;
}

/** What an update makes collectable: the whole invoice, where it then collects by itself and did not, or may not have. */
function updated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, UPDATES);
  if (strange) return strange;
  const advances = flag(call, "auto_advance");
  if (!advances.ok) return advances;
  const invoice = invoiceOf(call, found);
  if (!invoice.ok) return invoice;
  const dated = (field(call, "automatically_finalizes_at") ?? "") !== "" || isDated(invoice.object);
  const collects = dated || (advances.value ?? invoice.object["auto_advance"] !== false);
  if (!collects) return nothing(idIn(invoice.object, "customer"));
  const raised = fieldNames(call).find((name) => RAISES.test(name));
  if (raised !== undefined)
    return costUnknown(`${raised} changes what an invoice that collects by itself comes to; ${DRAFT_FIRST}`);
  const isTold = new RegExp(`^(?:${COLLECTING})$`);
  if (!fieldNames(call).some((name) => isTold.test(name))) return nothing(idIn(invoice.object, "customer"));
  return exposedInvoice(invoice.object, pricing);
}

/** With `auto_advance=false` nothing; else what the new invoice takes over: another's lines, or all pending items. */
function created(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CREATES);
  if (strange) return strange;
  const advances = flag(call, "auto_advance");
  if (!advances.ok) return advances;
  const customer = idField(call, "customer");
  if (!customer.ok) return customer;
  const revised = idField(call, "from_invoice[invoice]");
  if (!revised.ok) return revised;
  const collects = advances.value !== false || (field(call, "automatically_finalizes_at") ?? "") !== "";
  const taxed = setField(call, TAXES);
  if (collects && taxed !== undefined) return costUnknown(`${taxed} adds what only Stripe can compute; ${DRAFT_FIRST}`);
  if (revised.id !== undefined) {
    const invoice = objectFound(found, readOf(`/v1/invoices/${revised.id}`));
    if (!invoice.ok) return invoice;
    return collects ? revision(invoice.object, pricing) : nothing(idIn(invoice.object, "customer"));
  }
  if (!collects || field(call, "pending_invoice_items_behavior") === "exclude") return nothing();
  if (customer.id === undefined)
    return costUnknown(`no customer is named whose pending items it takes; ${DRAFT_FIRST}`);
  const pending = pendingSum(customer.id, field(call, "currency"), found);
  return pending.ok ? exposed(pending, pricing, "lookup") : pending;
}

/** A revision has the lines of the invoice that it replaces, also where that one is paid. */
function revision(invoice: StripeObject, pricing: Pricing): Exposure | NoExposure {
  const minor = integerIn(invoice, "total");
  if (minor === undefined) return costUnknown("the invoice to be revised says no total");
  return exposed(
    { ok: true, minor, currency: textIn(invoice, "currency") },
    pricing,
    "lookup",
    idIn(invoice, "customer"),
  );
}

/** Debits only: a pending credit can be taken away before the invoice is collected. */
function pendingSum(customer: string, currency: string | undefined, found: Found): Sum | Unsaid {
  const items = objectFound(found, readOf(`/v1/invoiceitems?customer=${customer}&pending=true&limit=100`));
  if (!items.ok) return items;
  const list = listOf(items.object);
  if (!list) return costUnknown(`the customer has more pending items than Stripe lists at once; ${DRAFT_FIRST}`);
  return addUp(list.filter((item) => currency === undefined || item["currency"] === currency).map(itemSum));
}

function itemSum(item: StripeObject): Sum | NoExposure {
  const minor = integerIn(item, "amount");
  if (minor === undefined) return costUnknown("a pending item says no amount");
  if (isTaxed(item)) return costUnknown(`a pending item is taxed; ${DRAFT_FIRST}`);
  return { ok: true, minor: minor > 0n ? minor : 0n, currency: textIn(item, "currency") };
}

/** Nothing on a draft that waits; else the new lines, each counted by its absolute amount. */
function linesAdded(call: Call, pricing: Pricing, found: Found): Exposure | Missing | NoExposure {
  const strange = refuseUnknown(call, known("lines|invoice_metadata"));
  if (strange) return strange;
  const invoice = invoiceOf(call, found);
  if (!invoice.ok) return invoice;
  const customer = idIn(invoice.object, "customer");
  if (!collectsItself(invoice.object)) return nothing(customer);
  const taxed = setField(call, /tax_rates|tax_amounts/);
  if (taxed !== undefined || isTaxed(invoice.object)) return costUnknown(`the invoice is taxed; ${DRAFT_FIRST}`);
  const lines = entriesOf(call, "lines");
  if (!lines.ok) return lines;
  const currency = textIn(invoice.object, "currency");
  const sum = addUp(lines.entries.map((line) => lineSum(line, currency, found)));
  if (!sum.ok) return sum;
  return ofKind(lines.entries.every(isCredit) ? "credit" : "charge", exposed(sum, pricing, "lookup", customer));
}

/** Nothing on a draft that waits: what its lines come to is counted when it is made payable. */
function linesChanged(call: Call, _pricing: Pricing, found: Found): Exposure | Unsaid {
  const invoice = invoiceOf(call, found);
  if (!invoice.ok) return invoice;
  if (!collectsItself(invoice.object)) return nothing(idIn(invoice.object, "customer"));
  return costUnknown(`lines change on an invoice that collects by itself; ${DRAFT_FIRST}`);
}
