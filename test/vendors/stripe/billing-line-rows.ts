import type { JsonValue } from "../../../src/core/call.ts";
import type { Row } from "./billing-answers.ts";

const CUSTOMER = "cus_1";
const invoice = (id: string, more: Readonly<Record<string, JsonValue>>): JsonValue => ({
  id,
  currency: "usd",
  ...more,
});

/** What invoices are made of: lines and items. */
export const INVOICE_LINES: Readonly<Record<string, Row>> = {
  "lines on a draft that waits": {
    line: "POST /v1/invoices/in_waiting/add_lines",
    form: { "lines[0][amount]": "99999" },
    most: 0,
    customer: CUSTOMER,
    object: "/v1/invoices/in_waiting",
  },
  "lines on a draft that collects": {
    line: "POST /v1/invoices/in_draft/add_lines",
    form: {
      "lines[0][amount]": "100",
      "lines[1][pricing][price]": "price_10",
      "lines[1][quantity]": "3",
      "lines[2][amount]": "-50",
    },
    most: 3150,
    customer: CUSTOMER,
    object: "/v1/invoices/in_draft",
    answer: invoice("in_draft", { status: "draft" }),
  },
  ...Object.fromEntries(
    ["update_lines", "remove_lines", "lines/il_1"].map((verb) => [
      `${verb} on a draft that waits`,
      {
        line: `POST /v1/invoices/in_waiting/${verb}`,
        form: { amount: "99999" },
        most: 0,
        customer: CUSTOMER,
        object: "/v1/invoices/in_waiting",
      },
    ]),
  ),
  "a pending item": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_1", amount: "250", currency: "usd" },
    most: 250,
    answer: { id: "ii_1", amount: 250, currency: "usd" },
  },
  "a pending credit": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_1", amount: "-250", currency: "usd" },
    most: 250,
    answer: { id: "ii_1", amount: -250, currency: "usd" },
  },
  "a pending item by its price": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_1", "pricing[price]": "price_10", quantity: "4" },
    most: 4000,
    answer: { id: "ii_1", amount: 4000, currency: "usd" },
  },
  "an item by decimals, rounded up": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_1", unit_amount_decimal: "0.000000000001", quantity_decimal: "1.5", currency: "usd" },
    most: 1,
    answer: { id: "ii_1", amount: 0, currency: "usd" },
    cost: 0,
  },
  "an item by a price in decimals": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_1", price: "price_decimal", quantity: "7" },
    most: 3,
    answer: { id: "ii_1", amount: 2, currency: "usd" },
    cost: 2,
  },
  "an item in euros": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_1", price: "price_eur" },
    most: 1100,
    answer: { id: "ii_1", amount: 1000, currency: "eur" },
  },
  "an item on a draft that waits": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_2", invoice: "in_waiting", amount: "99999", currency: "usd" },
    most: 0,
    customer: CUSTOMER,
    object: "/v1/invoices/in_waiting",
  },
  "an item on a draft that collects": {
    line: "POST /v1/invoiceitems",
    form: { customer: "cus_2", invoice: "in_draft", amount: "300" },
    most: 300,
    customer: CUSTOMER,
    object: "/v1/invoices/in_draft",
    answer: { id: "ii_1", amount: 300, currency: "usd" },
  },
  "an item's new quantity": {
    line: "POST /v1/invoiceitems/ii_1",
    form: { quantity: "9" },
    most: 1800,
    customer: CUSTOMER,
    object: "/v1/invoiceitems/ii_1",
    answer: { id: "ii_1", amount: 1800, currency: "usd" },
  },
  "an item's new amount for each": {
    line: "POST /v1/invoiceitems/ii_1",
    form: { unit_amount_decimal: "300" },
    most: 900,
    customer: CUSTOMER,
    object: "/v1/invoiceitems/ii_1",
    answer: { id: "ii_1", amount: 900, currency: "usd" },
  },
  "an item's description": {
    line: "POST /v1/invoiceitems/ii_1",
    form: { description: "x" },
    most: 0,
    customer: CUSTOMER,
    object: "/v1/invoiceitems/ii_1",
  },
  "a debit taken away": {
    line: "DELETE /v1/invoiceitems/ii_1",
    most: 0,
    customer: CUSTOMER,
    object: "/v1/invoiceitems/ii_1",
  },
  "a credit taken away": {
    line: "DELETE /v1/invoiceitems/ii_credit",
    most: 800,
    customer: CUSTOMER,
    object: "/v1/invoiceitems/ii_credit",
    answer: { id: "ii_credit", deleted: true },
  },
};
