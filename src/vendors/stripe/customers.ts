import { type Call, field } from "../../core/call.ts";
import {
  amountIn,
  amountUnless,
  costOf,
  costUnknown,
  misspelling,
  NOTHING,
  nothingMovedBy,
  nothingSpent,
  rejected,
} from "../stripe-money.ts";
import type { Exposure, Found, Missing, NoExposure, Operation, Pricing } from "../vendor.ts";
import { exposureIn, lookedAt, objectInPath, onObject, told } from "./found-object.ts";
import { costless, harmlessBeside, lookedUp, priced } from "./operation.ts";

const customerInPath = objectInPath("/v1/customers");
const sourceInPath = objectInPath("/v1/sources");

const DESCRIBES = [
  "address|business_name|default_source|email|individual_name|invoice_prefix|invoice_settings|name|next_invoice_sequence",
  "payment_method|phone|preferred_locales|shipping|tax|tax_exempt|test_clock|validate",
];
/** A customer who is being made has no open invoices that a new card would pay, and no cash that could be used. */
const NEW = harmlessBeside([...DESCRIBES, "balance|cash_balance|source|tax_id_data"]);
const KNOWN = harmlessBeside([...DESCRIBES, "balance"]);
/** Amounts of a balance: negative is the customer's, positive is owed. */
const BALANCE = /^-?(?:0|[1-9][0-9]{0,11})$/;

/** Customers and what they pay with. Only their balance is money. */
export const CUSTOMERS: readonly Operation[] = [
  priced("customers.create", "credit", "POST /v1/customers", {
    exposure: (call, pricing) => (balanceOf(call) ? setBalance(call, pricing, undefined) : nothingMovedBy(NEW)(call)),
    cost: (_call, answer, exposure) => ({ ...nothingSpent(answer), micros: exposure.micros }),
    counts: "its balance, where one is given; else nothing",
  }),
  lookedUp("customers.update", "credit", "POST /v1/customers/*", {
    exposure: updated,
    cost: (_call, answer, exposure) => ({ ...nothingSpent(answer), micros: exposure.micros }),
    counts: "the change of its balance; else nothing",
  }),
  ...costless("customers.delete", "write", "nothing: subscriptions end, and are not charged again", [
    "DELETE /v1/customers/*",
  ]),
  ...costless("customers.sources", "write", "nothing: what is stored is charged by other calls", [
    "POST /v1/customers/*/sources",
    "POST /v1/customers/*/sources/*",
    "POST /v1/customers/*/sources/*/verify",
    "DELETE /v1/customers/*/sources/*",
  ]),
  priced("sources.create", "charge", "POST /v1/sources", {
    exposure: (call, pricing) =>
      field(call, "amount") === undefined ? unpaidSource(call) : sourceAmount(call, pricing),
    cost: (call, answer, exposure, pricing) =>
      exposure.micros === 0n
        ? nothingSpent(answer)
        : costOf(amountUnless("failed", "canceled"))(call, answer, exposure, pricing),
    counts: "the amount that the payer is asked for, where there is one",
  }),
  lookedUp("sources.update", "charge", "POST /v1/sources/*", {
    exposure: (call, pricing, found) =>
      field(call, "amount") === undefined ? unpaidSource(call) : raisedSource(call, pricing, found),
    cost: (call, answer, exposure, pricing) =>
      exposure.micros === 0n
        ? nothingSpent(answer)
        : costOf(amountUnless("failed", "canceled"))(call, answer, exposure, pricing),
    counts: "the amount that the payer is asked for, where there is one",
  }),
  ...costless("sources.verify", "write", "nothing: a bank account is verified", ["POST /v1/sources/*/verify"]),
];

const sourceAmount = amountIn("amount", "request", "a source with an amount needs one");
const raisedSource = onObject({ amountField: "amount", path: sourceInPath, remaining: () => undefined });

function unpaidSource(call: Call): Exposure | NoExposure {
  return misspelling(call, ["amount"]) ?? NOTHING;
}

function balanceOf(call: Call): string | undefined {
  return field(call, "balance");
}

/**
 * A new `source` makes Stripe retry the open invoices of past-due subscriptions (docs.stripe.com/api/customers/update);
 * which, and when, nobody can say before.
 */
function updated(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const misspelt = misspelling(call, ["balance", "source"]);
  if (misspelt) return misspelt;
  if (field(call, "source") !== undefined) {
    return costUnknown("a new source makes Stripe charge past-due invoices; attach a payment_method instead");
  }
  const described = nothingMovedBy(KNOWN)(call);
  if (!described.ok || balanceOf(call) === undefined) return described;
  const path = customerInPath(call);
  if (path === undefined) return rejected("the id of the customer has other characters than letters, digits and _");
  const looked = lookedAt(found, path);
  if (!looked.ok) return looked;
  const { balance, currency } = looked.object;
  return setBalance(call, pricing, { balance: typeof balance === "number" ? balance : 0, currency });
}

/** Counted without its sign: what is given away, and what is taken back. */
function setBalance(
  call: Call,
  pricing: Pricing,
  before: { readonly balance: number; readonly currency: unknown } | undefined,
): Exposure | NoExposure {
  const text = balanceOf(call) ?? "0";
  const misspelt = misspelling(call, ["balance"]);
  if (misspelt) return misspelt;
  if (!BALANCE.test(text) || !Number.isSafeInteger(before?.balance ?? 0)) {
    return rejected(
      `balance is ${JSON.stringify(text.slice(0, 40))}; it has to be a whole number of the currency's minor unit`,
    );
  }
  const change = BigInt(text) - BigInt(before?.balance ?? 0);
  const { currency } = before ?? {};
  return told(exposureIn(change < 0n ? -change : change, currency, pricing), before !== undefined, undefined);
}
