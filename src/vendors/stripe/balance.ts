import { type Call, field } from "../../core/call.ts";
import {
  amountIn,
  amountUnless,
  asObject,
  atLeast,
  costOf,
  costUnknown,
  minorUnits,
  misspelling,
  rejected,
  type StripeObject,
} from "../stripe-money.ts";
import type { Exposure, Found, Missing, NoExposure, Operation, Pricing } from "../vendor.ts";
import {
  exposureIn,
  idOf,
  less,
  lookedAt,
  magnitude,
  objectInField,
  objectInPath,
  onObject,
  told,
} from "./found-object.ts";
import { costless, descriptive, lookedUp, priced } from "./operation.ts";

const payoutInPath = objectInPath("/v1/payouts");
const topupInPath = objectInPath("/v1/topups");
const transferInPath = objectInPath("/v1/transfers");
const disputeInPath = objectInPath("/v1/disputes");
const sourceCharge = objectInField("/v1/charges", "source_transaction");

const wholeAmount = (object: StripeObject) => magnitude(object, "amount");

/** Money between the balance and banks: payouts, and top-ups, which pull. */
export const PAYOUTS: readonly Operation[] = [
  priced("payouts.create", "payout", "POST /v1/payouts", {
    exposure: amountIn("amount", "request", "a payout needs one"),
    cost: costOf(amountUnless("failed", "canceled")),
    counts: "the amount",
  }),
  ...["cancel", "reverse"].map((act) =>
    lookedUp(`payouts.${act}`, "payout", `POST /v1/payouts/*/${act}`, {
      exposure: onObject({ path: payoutInPath, remaining: wholeAmount }),
      // Also `canceled`: that is what the call has done.
      cost: costOf(wholeAmount),
      counts: "the whole payout, which moves back",
    }),
  ),
  priced("topups.create", "topup", "POST /v1/topups", {
    exposure: amountIn("amount", "request", "a top-up needs one"),
    cost: costOf(amountUnless("failed", "canceled", "reversed")),
    counts: "the amount",
  }),
  lookedUp("topups.cancel", "topup", "POST /v1/topups/*/cancel", {
    exposure: onObject({ path: topupInPath, remaining: wholeAmount }),
    cost: costOf(wholeAmount),
    counts: "the whole top-up, which moves back",
  }),
  ...descriptive("payouts.update", ["POST /v1/payouts/*", "POST /v1/topups/*"]),
];

/** Money between the own account and connected ones. */
export const TRANSFERS: readonly Operation[] = [
  lookedUp("transfers.create", "transfer", "POST /v1/transfers", {
    exposure: transferred,
    cost: costOf(amountUnless()),
    counts: "the amount, or that of source_transaction",
  }),
  lookedUp("transfers.reverse", "transfer", "POST /v1/transfers/*/reversals", {
    exposure: onObject({
      amountField: "amount",
      path: transferInPath,
      remaining: (transfer) => less(minorUnits(transfer, "amount"), minorUnits(transfer, "amount_reversed")),
    }),
    cost: costOf(amountUnless()),
    counts: "the amount, or what is left of the transfer",
  }),
  ...descriptive("transfers.update", ["POST /v1/transfers/*", "POST /v1/transfers/*/reversals/*"]),
];

/** A dispute that is closed is lost: the disputed amount stays with the payer. */
export const DISPUTES: readonly Operation[] = [
  lookedUp("disputes.close", "credit", "POST /v1/disputes/*/close", {
    exposure: onObject({
      path: disputeInPath,
      query: "expand[]=charge",
      remaining: wholeAmount,
      customer: (dispute) => idOf(asObject(dispute["charge"]), "customer"),
    }),
    cost: costOf(wholeAmount),
    counts: "the disputed amount, which is given up",
  }),
  ...costless("reviews.approve", "write", "nothing: the payment was taken before", ["POST /v1/reviews/*/approve"]),
];

const statedTransfer = amountIn("amount", "request", "Stripe then transfers all of source_transaction");

/** Without an amount Stripe transfers all of a charge, in the currency in which the charge came to the balance. */
function transferred(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  if (field(call, "amount") !== undefined || field(call, "source_transaction") === undefined) {
    return statedTransfer(call, pricing);
  }
  const misspelt = misspelling(call, ["amount", "currency"]);
  if (misspelt) return misspelt;
  const path = sourceCharge(call);
  if (path === undefined) return rejected("source_transaction has other characters than letters, digits and _");
  const looked = lookedAt(found, `${path}?expand[]=balance_transaction`);
  if (!looked.ok) return looked;
  const charge = looked.object;
  const amount = minorUnits(charge, "amount");
  if (amount === undefined) return costUnknown(`Stripe's answer to GET ${path} has no amount`);
  const ofCharge = told(exposureIn(amount, charge["currency"], pricing), true, idOf(charge, "customer"));
  const settled = asObject(charge["balance_transaction"]);
  const settledAmount = settled && magnitude(settled, "amount");
  if (!ofCharge.ok || settledAmount === undefined) return ofCharge;
  const ofBalance = exposureIn(settledAmount, settled?.["currency"], pricing);
  if (!ofBalance.ok) return ofBalance;
  return { ...ofCharge, micros: atLeast(ofCharge.micros, ofBalance.micros), currency: ofBalance.currency };
}
