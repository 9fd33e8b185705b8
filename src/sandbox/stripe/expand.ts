import type { JsonValue } from "../../core/call.ts";
import type { StripeBooks } from "./books.ts";
import { refuse } from "./error.ts";
import type { StripeForm } from "./form.ts";

/** Stripe's limit for `expand[]=a.b.c.d`. */
const LEVELS_MAX = 4;

type Owner = { readonly [field: string]: JsonValue };
/** What stands in the place of an id, or of nothing; undefined where the object has no such field. */
type Expansion = (books: StripeBooks, owner: Owner) => JsonValue | undefined;

/** An object that the books have. A name that they have not (a customer that was never made) stays an id. */
function stored(store: (books: StripeBooks) => { get(id: string): JsonValue | undefined }, field: string): Expansion {
  return (books, owner) => {
    const id = owner[field];
    return typeof id === "string" ? store(books).get(id) : undefined;
  };
}

const EXPANSIONS: ReadonlyMap<string, Expansion> = new Map([
  ["charge", stored((books) => books.charges, "charge")],
  ["customer", stored((books) => books.customers, "customer")],
  ["default_price", stored((books) => books.prices, "default_price")],
  ["latest_charge", stored((books) => books.charges, "latest_charge")],
  ["original_payout", stored((books) => books.payouts, "original_payout")],
  ["payment_intent", stored((books) => books.intents, "payment_intent")],
  ["product", stored((books) => books.products, "product")],
  ["reversed_by", stored((books) => books.payouts, "reversed_by")],
  ["source_transaction", stored((books) => books.charges, "source_transaction")],
  ["transfer", stored((books) => books.transfers, "transfer")],
  ["balance_transaction", balanceTransaction],
  ["currency_options", currencyOptions],
  ["payment_method", paymentMethod],
  ["refunds", refunds],
]);

/**
 * Checked before anything is done: a request that is answered 400 must not have moved money.
 * @throws Refusal 400 for what cannot be expanded.
 */
export function checkExpand(form: StripeForm): void {
  for (const path of form.texts("expand")) {
    const names = path.split(".");
    if (names.length > LEVELS_MAX) refuse(`You cannot expand more than ${LEVELS_MAX} levels of a property.`, "expand");
    const strange = names.find((name) => !EXPANSIONS.has(name) && name !== "data");
    if (strange !== undefined) refuse(`This property cannot be expanded (${strange}).`, "expand");
  }
}

/** `json` with the objects in it that `expand[]` asks for. */
export function expanded(books: StripeBooks, form: StripeForm, json: JsonValue): JsonValue {
  return form.texts("expand").reduce((whole, path) => expandAt(books, whole, path.split(".")), json);
}

function expandAt(books: StripeBooks, value: JsonValue, [name = "", ...rest]: readonly string[]): JsonValue {
  if (!isObject(value) || name === "") return value;
  const listed = value["data"];
  if (name === "data" && Array.isArray(listed)) {
    return { ...value, data: listed.map((item: JsonValue) => expandAt(books, item, rest)) };
  }
  const held = isObject(value[name]) ? value[name] : EXPANSIONS.get(name)?.(books, value);
  return held === undefined ? value : { ...value, [name]: expandAt(books, held, rest) };
}

function isObject(value: JsonValue | undefined): value is Owner {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Which way an object's money goes over the account's balance; a captured part counts for its charge. */
const BALANCE_SIGNS: ReadonlyMap<string, number> = new Map([
  ["charge", 1],
  ["transfer_reversal", 1],
  ["refund", -1],
  ["payout", -1],
  ["transfer", -1],
]);

function balanceTransaction(_books: StripeBooks, owner: Owner): JsonValue | undefined {
  const { balance_transaction: id, object, currency, created } = owner;
  const sign = BALANCE_SIGNS.get(String(object));
  if (typeof id !== "string" || sign === undefined) return undefined;
  const amount = sign * Number(owner["amount_captured"] ?? owner["amount"]);
  const money = { amount, currency: currency ?? null, exchange_rate: null, fee: 0, net: amount };
  const source = { source: owner["id"] ?? null, type: object ?? null };
  return { id, object: "balance_transaction", ...money, ...source, created: created ?? null, status: "available" };
}

function currencyOptions(_books: StripeBooks, owner: Owner): JsonValue | undefined {
  const { object, currency, unit_amount = null, unit_amount_decimal = null } = owner;
  if (object !== "price" || typeof currency !== "string") return undefined;
  return { [currency]: { custom_unit_amount: null, tax_behavior: "unspecified", unit_amount, unit_amount_decimal } };
}

/** A name that stands for a card of Stripe's (`pm_card_visa`) becomes a card; a charge has the name alone. */
function paymentMethod(_books: StripeBooks, owner: Owner): JsonValue | undefined {
  const { object, payment_method: id, customer = null, created = null } = owner;
  if (object !== "payment_intent" || typeof id !== "string") return undefined;
  const card = { brand: "visa", country: "US", exp_month: 12, exp_year: 2034, funding: "credit", last4: "4242" };
  return { id, object: "payment_method", card, created, customer, livemode: false, metadata: {}, type: "card" };
}

function refunds(books: StripeBooks, owner: Owner): JsonValue | undefined {
  const { id, object } = owner;
  if (object !== "charge") return undefined;
  const data = books.refunds.newestFirst().filter(({ charge }) => charge === id);
  return { object: "list", data, has_more: false, url: `/v1/charges/${id}/refunds` };
}
