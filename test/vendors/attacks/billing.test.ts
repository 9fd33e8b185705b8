import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { type CallParts, makeAnswer, makeCall, makePricing } from "../make-call.ts";
import { exposedWith, STRIPE, type Stripe } from "../stripe/billing-answers.ts";

const PRICING = makePricing({ eur: 1_100_000n });
const cents = (count: number) => BigInt(count) * 10_000n;
const draft = (more: Readonly<Record<string, JsonValue>>): JsonValue => ({
  object: "invoice",
  customer: "cus_1",
  currency: "usd",
  status: "draft",
  auto_advance: false,
  amount_due: 0,
  amount_remaining: 0,
  amount_paid: 0,
  ...more,
});
const HERE: Stripe = {
  ...STRIPE,
  "/v1/invoices/in_minus": draft({ id: "in_minus", total: -10_000 }),
  "/v1/payment_links/plink_extras": {
    id: "plink_extras",
    restrictions: { completed_sessions: { limit: 5 } },
    optional_items: [{ price: "price_20", quantity: 1 }],
  },
  "/v1/payment_links/plink_extras/line_items?limit=100": STRIPE["/v1/payment_links/plink_1/line_items?limit=100"]!,
  "/v1/payment_links/plink_sent": {
    id: "plink_sent",
    restrictions: { completed_sessions: { limit: 5 } },
    shipping_options: [{ shipping_rate: "shr_1", shipping_amount: 500 }],
  },
  "/v1/payment_links/plink_sent/line_items?limit=100": STRIPE["/v1/payment_links/plink_1/line_items?limit=100"]!,
  "/v1/payment_links/plink_chosen": { id: "plink_chosen", restrictions: { completed_sessions: { limit: 5 } } },
  "/v1/payment_links/plink_chosen/line_items?limit=100": {
    has_more: false,
    data: [{ amount_total: 100, currency: "usd", price: { id: "price_any", custom_unit_amount: { maximum: null } } }],
  },
  "/v1/subscription_schedules/sub_sched_tax": {
    id: "sub_sched_tax",
    customer: "cus_1",
    subscription: "sub_1",
    default_settings: { automatic_tax: { enabled: true } },
  },
};

function most(line: string, form: Readonly<Record<string, string>> = {}, parts: CallParts = {}) {
  return exposedWith(makeCall(line, { form, ...parts }), PRICING, HERE).exposure;
}

function costAfter(line: string, form: Readonly<Record<string, string>>, answer: JsonValue) {
  const call = makeCall(line, { form });
  const { operation, exposure } = exposedWith(call, PRICING, HERE);
  if (!exposure.ok) throw new Error(exposure.message);
  return operation.cost!(call, makeAnswer(answer), exposure, PRICING);
}

const PLAN = { customer: "cus_1", "items[0][price]": "price_20", "items[0][quantity]": "5" };
const MINUS = {
  "add_invoice_items[0][price_data][unit_amount]": "-10000",
  "add_invoice_items[0][price_data][currency]": "usd",
  "add_invoice_items[0][price_data][product]": "prod_1",
};

describe("a credit in a call hides nothing that the call commits", () => {
  // The first invoice would be zero, and every renewal $100 without another call.
  test.each([
    ["a new subscription", "POST /v1/subscriptions", { ...PLAN, ...MINUS }, 20_000],
    ["a subscription's change", "POST /v1/subscriptions/sub_1", MINUS, 14_000],
    [
      "a phase",
      "POST /v1/subscription_schedules",
      {
        customer: "cus_1",
        "phases[0][items][0][price]": "price_20",
        "phases[0][add_invoice_items][0][price_data][unit_amount_decimal]": "-2000",
        "phases[0][add_invoice_items][0][price_data][currency]": "usd",
      },
      4000,
    ],
  ] as const)("of %s", (_what, line, form, sum) => {
    expect(most(line, form as Readonly<Record<string, string>>)).toMatchObject({ ok: true, micros: cents(sum) });
  });

  test("of a subscription whose tax Stripe computes: its preview would show what is left", () => {
    const taxed = { ...PLAN, ...MINUS, "automatic_tax[enabled]": "true" };
    expect(most("POST /v1/subscriptions", taxed)).toMatchObject({ ok: false, code: "cost_unknown" });
    const once = { "add_invoice_items[0][price]": "price_20" };
    expect(most("POST /v1/subscriptions/sub_tax", once)).toMatchObject({ ok: false, code: "cost_unknown" });
  });
});

describe("a discount of the customer's hides no tax of the renewal, which is without it", () => {
  const form = { customer: "cus_1", "items[0][price]": "price_10", "automatic_tax[enabled]": "true" };
  const preview =
    "POST /v1/invoices/create_preview customer=cus_1&subscription_details[items][0][price]=price_10&automatic_tax[enabled]=true";
  const asked = (invoice: JsonValue) =>
    exposedWith(makeCall("POST /v1/subscriptions", { form }), PRICING, { ...HERE, [preview]: invoice }).exposure;

  test("counts the tax of what is billed without the discount", () => {
    const half = { subtotal: 1000, total_excluding_tax: 500, total: 605, currency: "usd" };
    expect(asked(half)).toMatchObject({ ok: true, micros: cents(1210) });
    const none = { subtotal: 1000, total_excluding_tax: 1000, total: 1210, currency: "usd" };
    expect(asked(none)).toMatchObject({ ok: true, micros: cents(1210) });
    const included = { ...none, subtotal: 1210, subtotal_excluding_tax: 1000 };
    expect(asked(included)).toMatchObject({ ok: true, micros: cents(1210) });
  });

  test("does not guess where the discount takes all", () => {
    const all = { subtotal: 1000, total_excluding_tax: 0, total: 0, currency: "usd" };
    expect(asked(all)).toMatchObject({ ok: false, code: "cost_unknown" });
  });
});

describe("an invoice below zero gives its customer the money as balance", () => {
  const done = { id: "in_minus", status: "paid", amount_due: 0, amount_paid: 0, total: -10_000, currency: "usd" };

  test.each(["finalize", "pay", "send"])("counted by %s", (verb) => {
    expect(most(`POST /v1/invoices/in_minus/${verb}`)).toMatchObject({ ok: true, micros: cents(10_000) });
    expect(costAfter(`POST /v1/invoices/in_minus/${verb}`, {}, done).micros).toBe(cents(10_000));
  });

  test("counted when it is told to collect by itself", () => {
    const form = { auto_advance: "true" };
    expect(most("POST /v1/invoices/in_minus", form)).toMatchObject({ ok: true, micros: cents(10_000) });
    const answer = { ...done, status: "draft", auto_advance: true };
    expect(costAfter("POST /v1/invoices/in_minus", form, answer).micros).toBe(cents(10_000));
  });
});

describe("the kind that a cap counts", () => {
  test.each([
    ["refund", "POST /v1/credit_notes", { invoice: "in_paid", amount: "1200", refund_amount: "1200" }],
    ["credit", "POST /v1/invoiceitems", { customer: "cus_1", currency: "usd", amount: "-5000" }],
    ["credit", "POST /v1/invoices/in_open/add_lines", { "lines[0][amount]": "-5000" }],
    ["credit", "POST /v1/invoices/in_minus/finalize", {}],
    ["charge", "POST /v1/invoiceitems", { customer: "cus_1", currency: "usd", amount: "5000" }],
    ["charge", "POST /v1/invoices/in_open/add_lines", { "lines[0][amount]": "9000", "lines[1][amount]": "-1" }],
  ] as const)("is %s for %s %j", (kind, line, form) => {
    expect(most(line, form as Readonly<Record<string, string>>)).toMatchObject({ ok: true, kind });
  });
});

test("takes no credit note that is a refund in part", () => {
  const form = { invoice: "in_paid", refund_amount: "1", credit_amount: "1199" };
  const preview = "/v1/credit_notes/preview?invoice=in_paid&refund_amount=1&credit_amount=1199";
  const note = STRIPE["/v1/credit_notes/cn_1"]!;
  const asked = (sent: Readonly<Record<string, string>>, path: string) =>
    exposedWith(makeCall("POST /v1/credit_notes", { form: sent }), PRICING, { ...HERE, [path]: note }).exposure;
  expect(asked(form, preview)).toMatchObject({ ok: false, code: "cost_unknown" });
  const credited = { invoice: "in_paid", refund_amount: "0", credit_amount: "1200" };
  const path = "/v1/credit_notes/preview?invoice=in_paid&refund_amount=0&credit_amount=1200";
  expect(asked(credited, path)).toMatchObject({ ok: true, kind: "credit" });
});

describe("a line that could be read in two ways", () => {
  test.each([
    [
      "two quantities",
      "POST /v1/invoiceitems",
      { customer: "cus_1", currency: "usd", unit_amount: "500", quantity: "100", quantity_decimal: "0" },
    ],
    [
      "an item that stays and goes",
      "POST /v1/subscriptions/sub_1",
      {
        "items[0][id]": "si_1",
        "items[0][quantity]": "100",
        "items[1][id]": "si_1",
        "items[1][deleted]": "true",
      },
    ],
    ["two amounts", "POST /v1/invoiceitems", { customer: "cus_1", currency: "usd", amount: "1", unit_amount: "500" }],
    ["a price with tiers", "POST /v1/subscriptions", { customer: "cus_1", "items[0][price]": "price_tiered" }],
    ["a quantity with an exponent", "POST /v1/subscriptions", { ...PLAN, "items[0][quantity]": "1e3" }],
    ["a quantity below zero", "POST /v1/subscriptions", { ...PLAN, "items[0][quantity]": "-1" }],
    ["a date in the past", "POST /v1/subscriptions", { ...PLAN, backdate_start_date: "1" }],
    ["two currencies", "POST /v1/subscriptions", { ...PLAN, "items[1][price]": "price_eur" }],
    ["an index with letters", "POST /v1/subscriptions", { ...PLAN, "items[a][price]": "price_20" }],
  ] as const)("is refused: %s", (_what, line, form) => {
    expect(most(line, form as Readonly<Record<string, string>>)).toMatchObject({ ok: false });
  });

  test("counts every way of changing what an item bills", () => {
    const line = "POST /v1/subscription_items/si_1";
    expect(most(line, { "metadata[a]": "b" })).toMatchObject({ micros: 0n });
    expect(most(line, { quantity_decimal: "100" })).toMatchObject({ ok: true, micros: cents(100_000) });
    expect(most(line, { discounts: "" })).toMatchObject({ ok: true, micros: cents(2000) });
    expect(most(line, { "tax_rates[0]": "txr_1" })).toMatchObject({ ok: false, code: "cost_unknown" });
    const items = { "items[0][id]": "si_1", "items[0][quantity_decimal]": "100" };
    expect(most("POST /v1/subscriptions/sub_1", items)).toMatchObject({ ok: true, micros: cents(102_000) });
  });

  test("refuses an item for the next invoice of a subscription that adds tax", () => {
    const form = { customer: "cus_1", currency: "usd", amount: "5000" };
    expect(most("POST /v1/invoiceitems", { ...form, subscription: "sub_1" })).toMatchObject({ micros: cents(5000) });
    expect(most("POST /v1/invoiceitems", { ...form, subscription: "sub_tax" })).toMatchObject({ code: "cost_unknown" });
    expect(most("POST /v1/invoiceitems", { ...form, subscription: "no id" })).toMatchObject({
      code: "request_rejected",
    });
  });

  test("refuses new phases for a schedule that adds tax", () => {
    const form = { "phases[0][items][0][price]": "price_20" };
    expect(most("POST /v1/subscription_schedules/sub_sched_1", form)).toMatchObject({ micros: cents(2000) });
    expect(most("POST /v1/subscription_schedules/sub_sched_tax", form)).toMatchObject({ code: "cost_unknown" });
  });
});

describe("what a payer may choose", () => {
  test("counts a session at the most where its price leaves the amount to the payer", () => {
    const form = { mode: "payment", "line_items[0][price]": "price_chosen", "line_items[0][quantity]": "1" };
    const answer = { id: "cs_1", mode: "payment", amount_subtotal: 100, amount_total: 100, currency: "usd" };
    expect(costAfter("POST /v1/checkout/sessions", form, answer).micros).toBe(cents(9000));
  });

  test("counts a session with a discount at what it asks for", () => {
    const form = { mode: "payment", "line_items[0][price]": "price_10", "line_items[0][quantity]": "2" };
    const answer = { id: "cs_1", mode: "payment", amount_subtotal: 2000, amount_total: 1500, currency: "usd" };
    expect(costAfter("POST /v1/checkout/sessions", form, answer).micros).toBe(cents(1500));
  });

  test.each(["plink_extras", "plink_sent", "plink_chosen"])("opens no link whose payer can add to it: %s", (id) => {
    expect(most(`POST /v1/payment_links/${id}`, { active: "true" })).toMatchObject({ code: "cost_unknown" });
  });
});

describe("a definition that others are counted by", () => {
  test.each([
    ["POST /v1/shipping_rates/shr_1", "fixed_amount[currency_options][eur][amount]"],
    ["POST /v1/coupons/off5", "currency_options[eur][amount_off]"],
    ["POST /v1/prices/price_10", "currency_options[eur][unit_amount]"],
  ])("gets no new amounts: %s", (line, name) => {
    expect(most(line, { [name]: "100000" })).toMatchObject({ ok: false, code: "cost_unknown" });
    expect(most(line, { "metadata[a]": "b" })).toMatchObject({ ok: true, micros: 0n });
  });
});
