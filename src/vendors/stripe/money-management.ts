import type { Answer, Call, JsonValue } from "../../core/call.ts";
import {
  AMOUNT_PATTERN,
  asObject,
  atLeast,
  costOf,
  costUnknown,
  exposureOf,
  isReplayed,
  misspelling,
  nothingSpent,
  objectOf,
  rejected,
  type StripeObject,
  unreadable,
} from "../stripe-money.ts";
import type { Cost, Exposure, Found, Missing, MoneyKind, NoExposure, Operation, Pricing } from "../vendor.ts";
import { lookedAt, objectInPath, told } from "./found-object.ts";
import { closed, costless, free, lookedUp, priced } from "./operation.ts";

const V2 = "/v2/money_management";
const payoutInPath = objectInPath(`${V2}/payout_intents`);
/** Where the money stayed, or came back. */
const NOT_MOVED = new Set(["canceled", "failed", "returned"]);

/** v2 writes `amount: { value, currency }` in JSON, 64-bit integers as numbers or as text (docs.stripe.com/api-v2-overview). */
interface V2Amount {
  readonly minor: bigint;
  readonly currency: string;
}

/** Stripe's v2 money: out of financial accounts, and into them. */
export const MONEY_MANAGEMENT: readonly Operation[] = [
  moves("outbound_payments", "payout", "the amount"),
  moves("inbound_transfers", "topup", "the amount"),
  moves("payout_intents", "payout", "the amount; nothing until it is confirmed, where that is needed"),
  lookedUp("v2.payout_intents.confirm", "payout", `POST ${V2}/payout_intents/*/confirm`, {
    exposure: intended,
    cost: moved,
    object: payoutInPath,
    counts: "the amount of the intent",
  }),
  ...costless("v2.payout_intents.update", "write", "nothing: the amount stays as it was counted", [
    `POST ${V2}/payout_intents/*`,
  ]),
  ...costless("v2.money_management.cancel", "write", "nothing more: the money stays", [
    `POST ${V2}/outbound_payments/*/cancel`,
    `POST ${V2}/payout_intents/*/cancel`,
  ]),
  ...closed("v2.outbound_setup_intents", "sets up where money can be sent to", [
    `POST ${V2}/outbound_setup_intents`,
    `POST ${V2}/outbound_setup_intents/*`,
  ]),
  ...free("v2.money_management", [
    `POST ${V2}/financial_accounts/*`,
    `POST ${V2}/financial_addresses`,
    `POST ${V2}/outbound_setup_intents/*/cancel`,
    `POST ${V2}/payout_intents/*/refresh_fx_quote`,
    `POST ${V2}/payout_intents/*/refresh_recipient_verification`,
    `POST ${V2}/payout_methods/*/archive`,
    `POST ${V2}/payout_methods/*/unarchive`,
    `POST ${V2}/recipient_verifications`,
    `POST ${V2}/recipient_verifications/*/acknowledge`,
    `POST ${V2}/transactions/*`,
    `POST ${V2}/transactions/*/refresh_regulatory_receipt`,
  ]),
  // Test mode only: Stripe refuses these with a live secret.
  ...costless("v2.test_helpers", "write", "nothing: test mode only", [
    `POST ${V2}/test_helpers/**`,
    "POST /v2/test_helpers/**",
  ]),
];

function moves(name: string, kind: MoneyKind, counts: string): Operation {
  return priced(`v2.${name}.create`, kind, `POST ${V2}/${name}`, { exposure: requested, cost: moved, counts });
}

function requested(call: Call, pricing: Pricing): Exposure | NoExposure {
  const misspelt = misspelling(call, ["amount[value]", "amount[currency]"]) ?? otherAmount(call.json);
  if (misspelt) return misspelt;
  const amount = asObject(call.json)?.["amount"];
  if (amount === undefined) return costUnknown("the request has no amount: { value, currency }");
  const read = amountOf(amount);
  return read ? exposureOf(read.minor, read.currency, pricing) : WRONG_AMOUNT;
}

const WRONG_AMOUNT = rejected(
  "amount has to be an object of value, a whole number of the currency's minor unit from 1 to 999999999999, and currency, three letters in lower case",
);

/** `Amount` beside or instead of `amount`: JSON parsers that ignore letter case take the last. */
function otherAmount(json: JsonValue | undefined): NoExposure | undefined {
  const other = Object.keys(asObject(json) ?? {}).find((name) => name !== "amount" && name.toLowerCase() === "amount");
  return other === undefined ? undefined : rejected(`the field ${other} has to be written amount`);
}

/** An intent that waits for its confirmation has moved nothing; the confirmation moves all of it. */
function intended(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const path = payoutInPath(call);
  if (path === undefined)
    return rejected("the id of the payout intent has other characters than letters, digits and _");
  const looked = lookedAt(found, path);
  if (!looked.ok) return looked;
  const amount = amountOf(looked.object["amount"]);
  if (!amount) return costUnknown(`Stripe's answer to GET ${path} has no amount`);
  return told(exposureOf(amount.minor, amount.currency, pricing), true, undefined);
}

/** What the recipient gets, or what the account is debited where that comes to more: each in its own currency. */
function moved(call: Call, answer: Answer, exposure: Exposure, pricing: Pricing): Cost {
  if (isReplayed(answer)) return nothingSpent(answer);
  const object = objectOf(answer);
  const status = object?.["status"];
  const cost =
    typeof status === "string" && (NOT_MOVED.has(status) || status === "requires_action")
      ? nothingSpent(answer)
      : largestOf(call, answer, exposure, pricing, object);
  const known = object && intentToRemember(object);
  return known ? { ...cost, remember: known } : cost;
}

function largestOf(
  call: Call,
  answer: Answer,
  exposure: Exposure,
  pricing: Pricing,
  object: StripeObject | undefined,
): Cost {
  const amount = amountOf(object?.["amount"]);
  if (!amount) return unreadable(answer, exposure.micros);
  const costs = [amount, amountOf(asObject(object?.["from"])?.["debited"])]
    .filter((one) => one !== undefined)
    .map(({ minor, currency }) => {
      const shown = { ...answer, json: { ...object, currency } };
      return costOf(() => minor)(call, shown, exposure, pricing);
    });
  return costs.reduce((most, one) => (atLeast(most.micros, one.micros) === most.micros ? most : one));
}

/** Only what a confirmation's look-up reads, and only while one is to come. */
function intentToRemember(object: StripeObject): NonNullable<Cost["remember"]> | undefined {
  const { id, amount, status } = object;
  if (typeof id !== "string" || status !== "requires_action" || !amountOf(amount)) return undefined;
  if (object["object"] !== "v2.money_management.payout_intent") return undefined;
  return { path: `${V2}/payout_intents/${id}`, object: { id, amount: amount!, status } };
}

function amountOf(json: JsonValue | undefined): V2Amount | undefined {
  const { value, currency } = asObject(json) ?? {};
  if (typeof currency !== "string") return undefined;
  if (typeof value === "number") {
    return Number.isSafeInteger(value) && value > 0 ? { minor: BigInt(value), currency } : undefined;
  }
  return typeof value === "string" && AMOUNT_PATTERN.test(value) ? { minor: BigInt(value), currency } : undefined;
}
