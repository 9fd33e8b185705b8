import { type Answer, type Call, field, type JsonValue } from "../../core/call.ts";
import { readOf } from "../look-up.ts";
import { asObject, costUnknown, rejected, type StripeObject } from "../stripe-money.ts";
import type { Cost, Exposure, Found, NoExposure, Operation, Pricing } from "../vendor.ts";
import { entriesOf, fieldNames, isId, known, objectPath, refuseUnknown, setField } from "./billing-fields.ts";
import { lineSum } from "./billing-lines.ts";
import {
  addUp,
  countedInFull,
  exposed,
  idIn,
  integerIn,
  larger,
  listOf,
  nothing,
  objectFound,
  type Sum,
  textIn,
  type Unsaid,
} from "./billing-money.ts";
import { family, lookedUp, priced, settledBy } from "./billing-operation.ts";

/*
 * A session, a link or a quote asks a payer for money. The payer agrees to it later and not through here, so it is counted
 * when it is made, at the most that its payer can be asked for: every quantity at its highest, every optional item, one
 * full period of a subscription, no discount. What only Stripe can add (tax) is refused.
 */

const SESSION =
  "adaptive_pricing|after_expiration|allow_promotion_codes|allowed_payment_method_types|billing_address_collection|" +
  "branding_settings|cancel_url|client_reference_id|consent_collection|currency|custom_fields|custom_text|customer|" +
  "customer_account|customer_creation|customer_email|customer_update|discounts|excluded_payment_method_types|expires_at|" +
  "integration_identifier|invoice_creation|line_items|locale|mode|name_collection|optional_items|origin_context|" +
  "payment_intent_data|payment_method_collection|payment_method_configuration|payment_method_data|payment_method_options|" +
  "payment_method_types|permissions|phone_number_collection|redirect_on_completion|return_url|" +
  "saved_payment_method_options|setup_intent_data|shipping_address_collection|shipping_options|submit_type|" +
  "subscription_data|success_url|tax_id_collection|ui_mode|wallet_options|automatic_tax";
const CREATES_SESSION = known(SESSION);
const UPDATES_SESSION = known("collected_information|payment_intent_data|shipping_options|line_items");
const LINK =
  "after_completion|allow_promotion_codes|application_fee_amount|application_fee_percent|automatic_tax|" +
  "billing_address_collection|consent_collection|currency|custom_fields|custom_text|customer_creation|inactive_message|" +
  "invoice_creation|line_items|name_collection|on_behalf_of|optional_items|payment_intent_data|payment_method_collection|" +
  "payment_method_options|payment_method_types|phone_number_collection|restrictions|shipping_address_collection|" +
  "shipping_options|submit_type|subscription_data|tax_id_collection|transfer_data";
const CREATES_LINK = known(LINK);
const UPDATES_LINK = known(`${LINK}|active`);
const RAISES_LINK = /^(?:automatic_tax|line_items|optional_items|shipping_options)(?:\[.+)?$/;
const OPENS_LINK = /^(?:active|restrictions)(?:\[.+)?$/;
const TAXES = /(?:^|\[)automatic_tax\]?\[enabled\]$|tax_rates/;
const TIMES = "restrictions[completed_sessions][limit]";
const UNLIMITED = `the link can be paid any number of times; set ${TIMES} to how often it may be`;

/** What lets a payer take more than the session asks for at first. */
const CHOICES = /^(?:optional_items|shipping_options)\[|\[adjustable_quantity\]/;
const ASKED = settledBy((session) => integerIn(session, "amount_total"));
const BEFORE_DISCOUNTS = settledBy((session) => integerIn(session, "amount_subtotal"));

export const CHECKOUT: readonly Operation[] = [
  lookedUp("checkout.sessions.create", "charge", "POST /v1/checkout/sessions", sessionCreated, {
    cost: sessionCost,
  }),
  lookedUp("checkout.sessions.update", "charge", "POST /v1/checkout/sessions/*", sessionUpdated, {
    object: (call) => objectPath(call, 4),
  }),
  ...family("checkout.sessions.expire", "free", "write", ["POST /v1/checkout/sessions/*/expire"]),
  lookedUp("payment_links.create", "charge", "POST /v1/payment_links", linkCreated),
  lookedUp("payment_links.update", "charge", "POST /v1/payment_links/*", linkUpdated),
  // A quote commits nothing until it is accepted, and is then read again.
  priced("quotes.create", "write", "POST /v1/quotes", () => nothing()),
  lookedUp("quotes.accept", "charge", "POST /v1/quotes/*/accept", quoteAccepted),
  ...family("quotes.cancel", "free", "write", ["POST /v1/quotes/*/cancel"]),
  ...["POST /v1/quotes/*", "POST /v1/quotes/*/finalize"].map((route) => ({
    ...priced("quotes.update", "write", route, () => nothing()),
    object: (call: Call) => objectPath(call),
  })),
];

/** A session in the mode `setup` has no lines, and takes nothing. */
function sessionCreated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CREATES_SESSION);
  if (strange) return strange;
  const sum = mostAsked(call, found);
  return sum.ok ? exposed(sum, pricing, "lookup") : sum;
}

/**
 * What the session asks for, where its payer cannot make it more; in any other case all that was held. A session that asks
 * for less than was held, discounts apart, has a price whose amount its payer chooses.
 */
function sessionCost(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  const session = asObject(answer.json);
  const isFixed = session?.["mode"] === "payment" && !fieldNames(call).some((name) => CHOICES.test(name));
  const isChosen =
    integerIn(session, "amount_subtotal") !== undefined &&
    BEFORE_DISCOUNTS(call, answer, exposure, pricing).micros < exposure.micros;
  return isFixed && !isChosen ? ASKED(call, answer, exposure, pricing) : countedInFull(call, answer, exposure);
}

function sessionUpdated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, UPDATES_SESSION);
  if (strange) return strange;
  const session = objectFound(found, readOf(objectPath(call, 4)));
  if (!session.ok) return session;
  const customer = idIn(session.object, "customer");
  const kept = fieldNames(call).find((name) => /^line_items\[[0-9]+\]\[id\]$/.test(name));
  if (kept !== undefined)
    return costUnknown(`${kept} keeps a line whose amount is not in the request; write its price again`);
  if (!fieldNames(call).some((name) => /^(?:line_items|shipping_options)/.test(name))) return nothing(customer);
  if (isTaxedSession(session.object)) return costUnknown("the session adds tax, which only Stripe can compute");
  const sum = mostAsked(call, found, textIn(session.object, "currency"));
  return sum.ok ? exposed(sum, pricing, "lookup", customer) : sum;
}

function isTaxedSession(session: StripeObject): boolean {
  return asObject(session["automatic_tax"])?.["enabled"] === true;
}

/** Lines, optional items and the dearest way of shipping, each at the most that a payer can choose. */
function mostAsked(call: Call, found: Found, currency = field(call, "currency")): Sum | Unsaid {
  const taxed = setField(call, TAXES);
  if (taxed !== undefined) return costUnknown(`${taxed} adds tax, which only Stripe can compute`);
  const lines = entriesOf(call, "line_items");
  if (!lines.ok) return lines;
  const extras = entriesOf(call, "optional_items");
  if (!extras.ok) return extras;
  const all = [...lines.entries, ...extras.entries];
  return addUp([...all.map((line) => lineSum(line, currency, found)), shippingSum(call, currency, found)]);
}

/** All options together, which errs against the agent where there is more than one. */
function shippingSum(call: Call, currency: string | undefined, found: Found): Sum | Unsaid {
  const indexes = new Set(
    fieldNames(call)
      .filter((name) => name.startsWith("shipping_options"))
      .map((name) => /^shipping_options\[([0-9]+)\]\[/.exec(name)?.[1] ?? ""),
  );
  return addUp([...indexes].map((index) => optionSum(call, `shipping_options[${index}]`, currency, found)));
}

function optionSum(call: Call, name: string, currency: string | undefined, found: Found): Sum | Unsaid {
  const inline = `${name}[shipping_rate_data][fixed_amount]`;
  const amount = field(call, `${inline}[amount]`);
  const id = field(call, `${name}[shipping_rate]`);
  if (amount !== undefined && id === undefined) {
    const own = field(call, `${inline}[currency]`);
    if (setField(call, /\[fixed_amount\]\[currency_options\]/)) return costUnknown(`${inline} has several currencies`);
    return lineSum(
      new Map([["amount", amount], ...(own === undefined ? [] : [["currency", own] as const])]),
      own,
      found,
    );
  }
  if (id === undefined || amount !== undefined || !isId(id)) return rejected(`${name} has to name one shipping_rate`);
  const rate = objectFound(found, readOf(`/v1/shipping_rates/${id}?expand[]=fixed_amount.currency_options`));
  return rate.ok ? rateSum(id, rate.object, currency) : rate;
}

function rateSum(id: string, rate: StripeObject, currency: string | undefined): Sum | NoExposure {
  const fixed = asObject(rate["fixed_amount"]);
  const own = textIn(fixed, "currency");
  const options = asObject(fixed?.["currency_options"]) ?? {};
  const isOwn = currency === undefined || currency === own;
  if (currency === undefined && Object.keys(options).some((option) => option !== own)) {
    return costUnknown(`the shipping rate ${id} has several currencies; name one with the parameter currency`);
  }
  const minor = integerIn(isOwn ? fixed : asObject(options[currency]), "amount");
  return minor === undefined
    ? costUnknown(`the shipping rate ${id} has no amount`)
    : { ok: true, minor, currency: isOwn ? own : currency };
}

function linkCreated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, CREATES_LINK);
  if (strange) return strange;
  const times = timesOf(field(call, TIMES));
  if (!times.ok) return times;
  const sum = mostAsked(call, found);
  return sum.ok ? exposed({ ...sum, minor: sum.minor * times.count }, pricing, "lookup") : sum;
}

function timesOf(text: string | undefined): { readonly ok: true; readonly count: bigint } | NoExposure {
  if (text === undefined || text === "") return costUnknown(UNLIMITED);
  if (/^[1-9][0-9]{0,6}$/.test(text)) return { ok: true, count: BigInt(text) };
  return rejected(`${TIMES} is ${JSON.stringify(text.slice(0, 40))}; it has to be a whole number`);
}

/** A link that is opened, or opened more often, at all that it can then take; closing it costs nothing. */
function linkUpdated(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, UPDATES_LINK);
  if (strange) return strange;
  const raised = fieldNames(call).find((name) => RAISES_LINK.test(name));
  if (raised !== undefined)
    return costUnknown(`${raised} changes what a link that is known already asks for; make a new one`);
  const link = objectFound(found, readOf(objectPath(call)));
  if (!link.ok) return link;
  const names = fieldNames(call).filter((name) => OPENS_LINK.test(name));
  if (names.length === 0 || field(call, "active") === "false") return nothing();
  const restricted = asObject(asObject(link.object["restrictions"])?.["completed_sessions"]);
  const asked = names.some((name) => name.startsWith("restrictions"));
  const times = timesOf(asked ? field(call, TIMES) : integerIn(restricted, "limit")?.toString());
  if (!times.ok) return times;
  if (isTaxedSession(link.object)) return costUnknown("the link adds tax, which only Stripe can compute");
  const extra = ["optional_items", "shipping_options"].find((name) => isFilled(link.object[name]));
  if (extra !== undefined) return costUnknown(`the link's payer can add to it by its ${extra}; make a new one`);
  const sum = linkLines(call, found);
  return sum.ok ? exposed({ ...sum, minor: sum.minor * times.count }, pricing, "lookup") : sum;
}

function linkLines(call: Call, found: Found): Sum | Unsaid {
  const lines = objectFound(found, readOf(`${objectPath(call)}/line_items?limit=100`));
  if (!lines.ok) return lines;
  const list = listOf(lines.object);
  if (!list) return costUnknown("the link has more lines than Stripe lists at once");
  return addUp(list.map(linkLine));
}

function isFilled(list: JsonValue | undefined): boolean {
  return Array.isArray(list) ? list.length > 0 : list !== undefined && list !== null;
}

function linkLine(line: StripeObject): Sum | NoExposure {
  const minor = integerIn(line, "amount_total");
  const adjustable = asObject(line["adjustable_quantity"]);
  const isChosen = asObject(asObject(line["price"])?.["custom_unit_amount"]) !== undefined;
  if (minor === undefined || isChosen || adjustable?.["enabled"] === true)
    return costUnknown("the link's payer chooses a quantity or an amount");
  return { ok: true, minor, currency: textIn(line, "currency") };
}

/** What is due at first and, where that is only after a trial or at a later date, a full period besides. */
function quoteAccepted(call: Call, pricing: Pricing, found: Found): Exposure | Unsaid {
  const strange = refuseUnknown(call, known("expand"));
  if (strange) return strange;
  const quote = objectFound(found, readOf(objectPath(call)));
  if (!quote.ok) return quote;
  const { object } = quote;
  const computed = asObject(object["computed"]);
  const total = integerIn(object, "amount_total");
  if (total === undefined) return costUnknown("Stripe's quote says no amount_total");
  const upfront = integerIn(asObject(computed?.["upfront"]), "amount_total") ?? total;
  const recurring = integerIn(asObject(computed?.["recurring"]), "amount_total") ?? 0n;
  const terms = asObject(object["subscription_data"]);
  const isLater = (terms?.["trial_period_days"] ?? terms?.["effective_date"] ?? null) !== null;
  const most = [total, upfront, recurring].reduce(larger);
  const minor = isLater ? upfront + recurring : most;
  const sum = { ok: true, minor: larger(minor, most), currency: textIn(object, "currency") } as const;
  return exposed(sum, pricing, "lookup", idIn(object, "customer"));
}
