import { type Call, field } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { asObject, costUnknown, rejected } from "../stripe-money.ts";
import type { Exposure, Found, Operation, Pricing } from "../vendor.ts";
import { entriesOf, fieldNames, flag, idField, known, objectPath, refuseUnknown, setField } from "./billing-fields.ts";
import { addUp, exposed, idIn, isTaxed, nothing, objectFound, type Sum, type Unsaid } from "./billing-money.ts";
import { lookedUp } from "./billing-operation.ts";
import { lastInvoice } from "./billing-preview.ts";
import { linesSum } from "./billing-subscriptions.ts";
import { objectInField } from "./found-object.ts";

/*
 * A schedule is counted at one full period of each of its phases: all of them will be billed without another call. As with
 * subscriptions, how often a phase is renewed is not counted.
 */

const CREATES = known(
  "billing_mode|customer|customer_account|default_settings|end_behavior|from_subscription|phases|start_date",
);
const UPDATES = known("default_settings|end_behavior|phases|proration_behavior");
const TAXES = /\[automatic_tax\]\[enabled\]|tax_rates/;
/** What a phase can have besides its lines. */
const PHASE =
  /^phases\[[0-9]+\]\[(?:items|add_invoice_items|application_fee_percent|automatic_tax|billing_cycle_anchor|billing_thresholds|collection_method|coupon|currency|default_payment_method|default_tax_rates|description|discounts|duration|end_date|invoice_settings|iterations|metadata|on_behalf_of|plans|proration_behavior|start_date|transfer_data|trial|trial_end)\]/;

export const SUBSCRIPTION_SCHEDULES: readonly Operation[] = [
  lookedUp("subscription_schedules.create", "charge", "POST /v1/subscription_schedules", created, {
    object: objectInField("/v1/subscriptions", "from_subscription"),
  }),
  lookedUp("subscription_schedules.update", "charge", "POST /v1/subscription_schedules/*", updated),
  lookedUp("subscription_schedules.cancel", "charge", "POST /v1/subscription_schedules/*/cancel", cancelled),
];

/** From a subscription it only takes over what that bills already. */
function created(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CREATES);
  if (strange) return strange;
  const from = idField(call, "from_subscription");
  if (!from.ok) return from;
  const phases = phasesSum(call, found);
  if (from.id === undefined) return phases.ok ? exposed(phases, pricing, "lookup") : phases;
  const subscription = objectFound(found, readOf(`/v1/subscriptions/${from.id}`));
  const customer = subscription.ok ? idIn(subscription.object, "customer") : undefined;
  if (!subscription.ok) return subscription;
  return phases.ok ? exposed(phases, pricing, "lookup", customer) : phases;
}

function updated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, UPDATES);
  if (strange) return strange;
  const schedule = objectFound(found, readOf(objectPath(call)));
  if (!schedule.ok) return schedule;
  const isPhased = fieldNames(call).some((name) => name.startsWith("phases"));
  if (isPhased && isTaxed(asObject(schedule.object["default_settings"]) ?? {}))
    return costUnknown("the schedule adds tax to its phases, which only Stripe can compute");
  const phases = phasesSum(call, found);
  return phases.ok ? exposed(phases, pricing, "lookup", idIn(schedule.object, "customer")) : phases;
}

function phasesSum(call: Call, found: Found): Sum | Unsaid {
  const taxed = setField(call, TAXES);
  if (taxed !== undefined) return costUnknown(`${taxed} adds tax to phases, which only Stripe can compute`);
  const names = fieldNames(call).filter((name) => name.startsWith("phases"));
  const strange = names.find((name) => !PHASE.test(name));
  if (strange !== undefined) return costUnknown(`the parameter ${strange.slice(0, 80)} may move or commit money`);
  const indexes = [...new Set(names.map((name) => name.slice("phases[".length, name.indexOf("]"))))];
  return addUp(indexes.map((index) => phaseSum(call, index, found)));
}

function phaseSum(call: Call, index: string, found: Found): Sum | Unsaid {
  if (fieldNames(call).some((name) => name.startsWith(`phases[${index}][plans]`))) {
    return rejected(`write phases[${index}][items] in place of phases[${index}][plans]`);
  }
  const items = entriesOf(call, `phases[${index}][items]`);
  if (!items.ok) return items;
  const extras = entriesOf(call, `phases[${index}][add_invoice_items]`);
  if (!extras.ok) return extras;
  return linesSum([...items.entries, ...extras.entries], field(call, `phases[${index}][currency]`), found);
}

/** Both are on by default: a last invoice, and what is left of the period given back. */
function cancelled(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, known("invoice_now|prorate"));
  if (strange) return strange;
  const invoices = flag(call, "invoice_now");
  if (!invoices.ok) return invoices;
  const prorates = flag(call, "prorate");
  if (!prorates.ok) return prorates;
  const schedule = objectFound(found, readOf(objectPath(call)));
  if (!schedule.ok) return schedule;
  const customer = idIn(schedule.object, "customer");
  const subscription = idIn(schedule.object, "subscription");
  if (subscription === undefined || (invoices.value === false && prorates.value === false)) return nothing(customer);
  const last = lastInvoice(subscription, prorates.value !== false, found);
  return last.ok ? exposed(last, pricing, "lookup", customer) : last;
}
