import type { Routes } from "../route.ts";
import {
  annotate,
  createdNow,
  list,
  mustFind,
  ok,
  retrieve,
  type StripeBooks,
  type StripeCall,
  stripeId,
} from "./books.ts";
import { refuse } from "./error.ts";
import type { StripeForm } from "./form.ts";

const INTERVALS = ["day", "week", "month", "year"] as const;

/** What costs nothing: customers, products, prices, and the balance, which is always empty. */
export const catalogueRoutes: Routes<StripeCall> = {
  "POST /v1/customers": createCustomer,
  "GET /v1/customers": list((books) => books.customers, ["email"]),
  "GET /v1/customers/*": retrieve((books) => books.customers, "customer"),
  "POST /v1/customers/*": updateCustomer,
  "DELETE /v1/customers/*": deleteCustomer,
  "POST /v1/products": createProduct,
  "GET /v1/products": list((books) => books.products, ["active"]),
  "GET /v1/products/*": retrieve((books) => books.products, "product"),
  "POST /v1/products/*": annotate((books) => books.products, "product"),
  "POST /v1/prices": createPrice,
  "GET /v1/prices": list((books) => books.prices, ["active", "currency", "product"]),
  "GET /v1/prices/*": retrieve((books) => books.prices, "price"),
  "POST /v1/prices/*": annotate((books) => books.prices, "price"),
  "GET /v1/balance": balance,
};

function createCustomer({ books, form }: StripeCall) {
  return ok(
    books.customers.put({
      id: stripeId("cus"),
      object: "customer",
      balance: 0,
      created: createdNow(books),
      currency: null,
      default_source: null,
      delinquent: false,
      description: form.text("description") ?? null,
      email: form.text("email") ?? null,
      livemode: false,
      metadata: form.metadata(),
      name: form.text("name") ?? null,
      phone: form.text("phone") ?? null,
    }),
  );
}

function updateCustomer({ books, form }: StripeCall, id: string) {
  const customer = mustFind(books.customers, "customer", id);
  return ok(
    books.customers.put({
      ...customer,
      description: form.text("description") ?? customer.description,
      email: form.text("email") ?? customer.email,
      metadata: form.metadata(customer.metadata),
      name: form.text("name") ?? customer["name"] ?? null,
      phone: form.text("phone") ?? customer["phone"] ?? null,
    }),
  );
}

function deleteCustomer({ books }: StripeCall, id: string) {
  mustFind(books.customers, "customer", id);
  books.customers.delete(id);
  return { status: 200, json: { id, object: "customer", deleted: true } };
}

function createProduct({ books, form }: StripeCall) {
  return ok(addProduct(books, form, form.requiredText("name")));
}

function addProduct(books: StripeBooks, form: StripeForm, name: string) {
  return books.products.put({
    id: stripeId("prod"),
    object: "product",
    active: form.flag("active") ?? true,
    created: createdNow(books),
    default_price: null,
    description: form.text("description") ?? null,
    livemode: false,
    metadata: form.metadata(),
    name,
  });
}

function createPrice({ books, form }: StripeCall) {
  const currency = form.requiredCurrency();
  const unitAmount = form.requiredAmount("unit_amount");
  const interval = form.choice("recurring[interval]", INTERVALS);
  const productId = form.text("product");
  const productName = form.text("product_data[name]");
  if (productId === undefined && productName === undefined) {
    refuse(
      "You must specify either `product` or `product_data` when creating a price.",
      "product",
      "parameter_missing",
    );
  }
  const product =
    productId === undefined
      ? addProduct(books, form, productName ?? "")
      : mustFind(books.products, "product", productId, "product");
  return ok(
    books.prices.put({
      id: stripeId("price"),
      object: "price",
      active: true,
      billing_scheme: "per_unit",
      created: createdNow(books),
      currency,
      description: null,
      livemode: false,
      metadata: form.metadata(),
      nickname: form.text("nickname") ?? null,
      product: product.id,
      recurring: interval === undefined ? null : { interval, interval_count: 1, usage_type: "licensed" },
      type: interval === undefined ? "one_time" : "recurring",
      unit_amount: unitAmount,
      unit_amount_decimal: String(unitAmount),
    }),
  );
}

function balance() {
  const empty = [{ amount: 0, currency: "usd", source_types: { card: 0 } }];
  return { status: 200, json: { object: "balance", available: empty, livemode: false, pending: empty } };
}
