import type { Call, JsonValue } from "../../../src/core/call.ts";
import { matchesRoute, parseRoute } from "../../../src/core/route.ts";
import { lookUpName } from "../../../src/vendors/look-up.ts";
import { STRIPE_BILLING } from "../../../src/vendors/stripe/billing.ts";
import type { Exposure, NoExposure, Operation, Pricing } from "../../../src/vendors/vendor.ts";

/** One call: what it can cost, what it did, whose money it was and what of. */
export interface Row {
  readonly line: string;
  readonly form?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, string>>;
  /** In cents. */
  readonly most: number;
  readonly answer?: JsonValue;
  /** In cents; as `most` where absent. */
  readonly cost?: number;
  readonly kind?: string;
  readonly customer?: string | undefined;
  readonly object?: string | undefined;
}

/** What Stripe has, by the path (and query, and form) of the look-up that finds it. */
export type Stripe = Readonly<Record<string, JsonValue>>;

const invoice = (more: Readonly<Record<string, JsonValue>>): JsonValue => ({
  object: "invoice",
  customer: "cus_1",
  currency: "usd",
  collection_method: "charge_automatically",
  amount_due: 5000,
  amount_remaining: 5000,
  amount_paid: 0,
  total: 5000,
  ...more,
});
const price = (id: string, more: Readonly<Record<string, JsonValue>>): JsonValue => ({
  id,
  object: "price",
  currency: "usd",
  currency_options: { usd: {} },
  billing_scheme: "per_unit",
  custom_unit_amount: null,
  recurring: { interval: "month", usage_type: "licensed" },
  ...more,
});
const item = (id: string, priceId: string, quantity: number, usage = "licensed"): JsonValue => ({
  id,
  object: "subscription_item",
  subscription: "sub_1",
  quantity,
  price: { id: priceId, recurring: { usage_type: usage } },
});
const subscription = (id: string, items: readonly JsonValue[], more = {}): JsonValue => ({
  id,
  object: "subscription",
  customer: "cus_1",
  currency: "usd",
  automatic_tax: { enabled: false },
  items: { object: "list", has_more: false, data: items },
  ...more,
});

const priceAt = (id: string) => `/v1/prices/${id}?expand[]=currency_options`;

/** Everything that the tables ask for. */
export const STRIPE: Stripe = {
  "/v1/invoices/in_waiting": invoice({ id: "in_waiting", status: "draft", auto_advance: false }),
  "/v1/invoices/in_draft": invoice({ id: "in_draft", status: "draft", auto_advance: true }),
  "/v1/invoices/in_credit": invoice({
    id: "in_credit",
    status: "draft",
    auto_advance: false,
    amount_due: 0,
    total: 900,
  }),
  "/v1/invoices/in_taxed": invoice({
    id: "in_taxed",
    status: "draft",
    auto_advance: true,
    automatic_tax: { enabled: true },
  }),
  "/v1/invoices/in_open": invoice({ id: "in_open", status: "open", auto_advance: false, amount_remaining: 4000 }),
  "/v1/invoices/in_paid": invoice({ id: "in_paid", status: "paid", amount_remaining: 0 }),
  "/v1/invoices/in_odd": { id: "in_odd", status: "open", customer: "cus_1" },
  "/v1/invoiceitems?customer=cus_1&pending=true&limit=100": {
    object: "list",
    has_more: false,
    data: [
      { amount: 700, currency: "usd", tax_rates: [] },
      { amount: -100, currency: "usd", tax_rates: [] },
    ],
  },
  "/v1/invoiceitems?customer=cus_many&pending=true&limit=100": { object: "list", has_more: true, data: [] },
  "/v1/invoiceitems/ii_1": {
    id: "ii_1",
    customer: { id: "cus_1" },
    amount: 600,
    currency: "usd",
    quantity: 3,
    pricing: { unit_amount_decimal: "200" },
  },
  "/v1/invoiceitems/ii_credit": { id: "ii_credit", customer: "cus_1", amount: -800, currency: "usd", quantity: 1 },
  [priceAt("price_10")]: price("price_10", { unit_amount: 1000 }),
  [priceAt("price_20")]: price("price_20", { unit_amount: 2000 }),
  [priceAt("price_decimal")]: price("price_decimal", { unit_amount: null, unit_amount_decimal: "0.333333333333" }),
  [priceAt("price_eur")]: price("price_eur", { currency: "eur", currency_options: { eur: {} }, unit_amount: 1000 }),
  [priceAt("price_two")]: price("price_two", {
    unit_amount: 1,
    currency_options: { usd: { unit_amount: 1 }, eur: { unit_amount: 100_000 } },
  }),
  [priceAt("price_metered")]: price("price_metered", { unit_amount: 1, recurring: { usage_type: "metered" } }),
  [priceAt("price_tiered")]: price("price_tiered", { unit_amount: null, billing_scheme: "tiered" }),
  [priceAt("price_chosen")]: price("price_chosen", { unit_amount: null, custom_unit_amount: { maximum: 9000 } }),
  [priceAt("price_any")]: price("price_any", { unit_amount: null, custom_unit_amount: { maximum: null } }),
  "/v1/subscriptions/sub_1": subscription("sub_1", [item("si_1", "price_10", 2), item("si_2", "price_20", 1)]),
  "/v1/subscriptions/sub_usage": subscription("sub_usage", [
    item("si_1", "price_10", 2),
    item("si_m", "price_metered", 1, "metered"),
  ]),
  "/v1/subscriptions/sub_tax": subscription("sub_tax", [item("si_1", "price_10", 2)], {
    automatic_tax: { enabled: true },
  }),
  "/v1/subscriptions/sub_long": { id: "sub_long", customer: "cus_1", items: { data: [], has_more: true } },
  "/v1/subscription_items/si_1": item("si_1", "price_10", 2),
  "/v1/subscription_schedules/sub_sched_1": { id: "sub_sched_1", customer: "cus_1", subscription: "sub_1" },
  "/v1/subscription_schedules/sub_sched_new": { id: "sub_sched_new", customer: "cus_1", subscription: null },
  "/v1/quotes/qt_1": {
    id: "qt_1",
    customer: "cus_1",
    currency: "usd",
    amount_total: 3000,
    computed: { upfront: { amount_total: 3000 }, recurring: { amount_total: 2500 } },
    subscription_data: { trial_period_days: null, effective_date: null },
  },
  "/v1/quotes/qt_trial": {
    id: "qt_trial",
    customer: "cus_1",
    currency: "usd",
    amount_total: 500,
    computed: { upfront: { amount_total: 500 }, recurring: { amount_total: 2500 } },
    subscription_data: { trial_period_days: 14 },
  },
  "/v1/checkout/sessions/cs_1": { id: "cs_1", customer: "cus_1", currency: "usd", automatic_tax: { enabled: false } },
  "/v1/shipping_rates/shr_1?expand[]=fixed_amount.currency_options": {
    fixed_amount: { amount: 500, currency: "usd", currency_options: { usd: {} } },
  },
  "/v1/payment_links/plink_1": { id: "plink_1", restrictions: { completed_sessions: { limit: 5 } } },
  "/v1/payment_links/plink_1/line_items?limit=100": { has_more: false, data: [{ amount_total: 300, currency: "usd" }] },
  "/v1/payment_links/plink_open": { id: "plink_open", restrictions: null },
  "/v1/credit_notes/preview?invoice=in_paid&amount=1200&refund_amount=1200": {
    amount: 1200,
    total: 1200,
    currency: "usd",
    customer: "cus_1",
  },
  "/v1/credit_notes/cn_1": { id: "cn_1", amount: 1200, total: 1200, currency: "usd", customer: "cus_1" },
  "/v1/customers/cus_1/cash_balance": { customer: "cus_1", available: { usd: 7500 } },
  "/v1/billing/credit_grants/credgr_1": {
    id: "credgr_1",
    customer: "cus_1",
    amount: { type: "monetary", monetary: { value: 6000, currency: "usd" } },
  },
  "/v1/coupons/off5?expand[]=currency_options": { amount_off: 500, currency: "usd", duration: "once" },
  "/v1/coupons/always?expand[]=currency_options": { amount_off: 500, currency: "usd", duration: "forever" },
  "/v1/coupons/half?expand[]=currency_options": { amount_off: null, percent_off: 50 },
  "/v1/promotion_codes/promo_1": { id: "promo_1", max_redemptions: 3, promotion: { type: "coupon", coupon: "off5" } },
  "POST /v1/invoices/create_preview subscription=sub_1&subscription_details[cancel_now]=true&subscription_details[proration_behavior]=create_prorations":
    { total: -1700, subtotal: -1700, currency: "usd" },
  "POST /v1/invoices/create_preview subscription=sub_1&subscription_details[cancel_now]=true&subscription_details[proration_behavior]=none":
    { total: 400, subtotal: 400, currency: "usd" },
  "POST /v1/invoices/create_preview subscription=sub_tax&preview_mode=recurring": {
    total: 2420,
    subtotal: 2000,
    currency: "usd",
  },
  "POST /v1/invoices/create_preview subscription=sub_tax&preview_mode=recurring&subscription_details[items][0][id]=si_1&subscription_details[items][0][quantity]=4":
    { total: 4840, subtotal: 4000, currency: "usd" },
  "POST /v1/invoices/create_preview customer=cus_1&subscription_details[items][0][price]=price_10&automatic_tax[enabled]=true":
    { total: 1210, subtotal: 1000, currency: "usd" },
};

/** The exposure once every look-up has been answered, and the look-ups that it took. */
export function exposedWith(call: Call, pricing: Pricing, stripe: Stripe = STRIPE) {
  const operation = billingOperation(call);
  const found = new Map<string, JsonValue>();
  const asked: string[] = [];
  for (let round = 0; round < 4; round++) {
    const exposure = operation.exposure!(call, pricing, found);
    if (exposure.ok || exposure.code !== "look_up")
      return { operation, exposure: exposure as Exposure | NoExposure, asked };
    for (const lookUp of exposure.lookUps) {
      const name = lookUpName(lookUp);
      const object = stripe[name.replace(/^GET /, "")];
      if (object === undefined) throw new Error(`nobody expected the look-up ${name}`);
      asked.push(name);
      found.set(name, object);
    }
  }
  throw new Error("more than four rounds of look-ups");
}

export function billingOperation({ method, path }: Pick<Call, "method" | "path">): Operation {
  const operation = STRIPE_BILLING.find(({ route }) => matchesRoute(parseRoute(route), method, path));
  if (!operation) throw new Error(`no operation for ${method} ${path}`);
  return operation;
}
