import type { Row } from "./billing-answers.ts";

const CUSTOMER = "cus_1";
const SESSION = { mode: "payment", success_url: "https://example.com" };

/** Sessions, links and quotes. */
export const ASKED: Readonly<Record<string, Row>> = {
  "a session": {
    line: "POST /v1/checkout/sessions",
    form: { ...SESSION, "line_items[0][price]": "price_10", "line_items[0][quantity]": "2" },
    most: 2000,
    answer: { id: "cs_1", mode: "payment", amount_total: 1500, currency: "usd" },
    cost: 1500,
  },
  "a session whose payer chooses": {
    line: "POST /v1/checkout/sessions",
    form: {
      ...SESSION,
      "line_items[0][price]": "price_10",
      "line_items[0][quantity]": "1",
      "line_items[0][adjustable_quantity][enabled]": "true",
      "optional_items[0][price]": "price_20",
      "optional_items[0][quantity]": "1",
    },
    most: 101_000,
    answer: { id: "cs_1", mode: "payment", amount_total: 1000, currency: "usd" },
  },
  "a session with shipping": {
    line: "POST /v1/checkout/sessions",
    form: {
      ...SESSION,
      "line_items[0][price]": "price_chosen",
      "shipping_options[0][shipping_rate]": "shr_1",
      "shipping_options[1][shipping_rate_data][fixed_amount][amount]": "250",
      "shipping_options[1][shipping_rate_data][fixed_amount][currency]": "usd",
    },
    most: 9750,
    answer: { id: "cs_1", mode: "payment", amount_total: 100, currency: "usd" },
  },
  "a session for a subscription, its full period": {
    line: "POST /v1/checkout/sessions",
    form: { mode: "subscription", "line_items[0][price]": "price_10", "subscription_data[trial_period_days]": "7" },
    most: 1000,
    answer: { id: "cs_1", mode: "subscription", amount_total: 0, currency: "usd" },
  },
  "a session that only saves a card": { line: "POST /v1/checkout/sessions", form: { mode: "setup" }, most: 0 },
  "a session's metadata": {
    line: "POST /v1/checkout/sessions/cs_1",
    form: { "metadata[a]": "b" },
    most: 0,
    customer: CUSTOMER,
    object: "/v1/checkout/sessions/cs_1",
  },
  "a session's lines": {
    line: "POST /v1/checkout/sessions/cs_1",
    form: { "line_items[0][price]": "price_20", "line_items[0][quantity]": "2" },
    most: 4000,
    customer: CUSTOMER,
    object: "/v1/checkout/sessions/cs_1",
    answer: { id: "cs_1" },
  },
  "a link, as often as it can be paid": {
    line: "POST /v1/payment_links",
    form: {
      "line_items[0][price]": "price_10",
      "line_items[0][quantity]": "2",
      "restrictions[completed_sessions][limit]": "3",
    },
    most: 6000,
    answer: { id: "plink_1" },
  },
  "a link that is closed": {
    line: "POST /v1/payment_links/plink_open",
    form: { active: "false" },
    most: 0,
    object: "/v1/payment_links/plink_open",
  },
  "a link that is opened again": {
    line: "POST /v1/payment_links/plink_1",
    form: { active: "true" },
    most: 1500,
    object: "/v1/payment_links/plink_1",
    answer: { id: "plink_1" },
  },
  "a link that can be paid more often": {
    line: "POST /v1/payment_links/plink_1",
    form: { "restrictions[completed_sessions][limit]": "10" },
    most: 3000,
    object: "/v1/payment_links/plink_1",
    answer: { id: "plink_1" },
  },
  "a quote": { line: "POST /v1/quotes", form: { "line_items[0][price]": "price_10" }, most: 0, kind: "write" },
  "a quote's change": {
    line: "POST /v1/quotes/qt_1",
    form: { "line_items[0][price]": "price_20" },
    most: 0,
    kind: "write",
    object: "/v1/quotes/qt_1",
  },
  "a quote that is sent": { line: "POST /v1/quotes/qt_1/finalize", most: 0, kind: "write", object: "/v1/quotes/qt_1" },
  "a quote accepted": {
    line: "POST /v1/quotes/qt_1/accept",
    most: 3000,
    customer: CUSTOMER,
    object: "/v1/quotes/qt_1",
    answer: { id: "qt_1" },
  },
  "a quote accepted with a trial": {
    line: "POST /v1/quotes/qt_trial/accept",
    most: 3000,
    customer: CUSTOMER,
    object: "/v1/quotes/qt_trial",
    answer: { id: "qt_trial" },
  },
};
