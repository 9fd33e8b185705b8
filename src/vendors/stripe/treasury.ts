import type { Call } from "../../core/call.ts";
import {
  amountIn,
  amountUnless,
  asObject,
  atLeast,
  costOf,
  costUnknown,
  minorUnits,
  NOTHING,
  nothingSpent,
  rejected,
} from "../stripe-money.ts";
import type { Exposure, Found, Missing, MoneyKind, NoExposure, Operation, Pricing } from "../vendor.ts";
import { exposureIn, lookedAt, magnitude, objectInField, objectInPath, onObject } from "./found-object.ts";
import { costless, lookedUp, priced } from "./operation.ts";

const accountInPath = objectInPath("/v1/treasury/financial_accounts");

/** Stripe Treasury: money out of and into a financial account. */
export const TREASURY: readonly Operation[] = [
  moves("outbound_payments", "payout"),
  moves("outbound_transfers", "payout"),
  moves("inbound_transfers", "topup"),
  reverses("credit_reversals", "received_credit", "payout"),
  reverses("debit_reversals", "received_debit", "topup"),
  lookedUp("treasury.financial_accounts.close", "payout", "POST /v1/treasury/financial_accounts/*/close", {
    exposure: wholeBalance,
    cost: (_call, answer, exposure) => ({ ...nothingSpent(answer), micros: exposure.micros, source: exposure.source }),
    counts: "the whole balance, which is forwarded",
  }),
  ...costless("treasury.cancel", "write", "nothing more: the money stays", [
    "POST /v1/treasury/outbound_payments/*/cancel",
    "POST /v1/treasury/outbound_transfers/*/cancel",
    "POST /v1/treasury/inbound_transfers/*/cancel",
  ]),
  ...costless("treasury.financial_accounts", "write", "nothing: an account is set up", [
    "POST /v1/treasury/financial_accounts",
    "POST /v1/treasury/financial_accounts/*",
    "POST /v1/treasury/financial_accounts/*/features",
  ]),
];

function moves(name: string, kind: MoneyKind): Operation {
  return priced(`treasury.${name}.create`, kind, `POST /v1/treasury/${name}`, {
    exposure: amountIn("amount", "request", "Stripe wants one"),
    cost: costOf(amountUnless("failed", "canceled", "returned")),
    counts: "the amount",
  });
}

function reverses(name: string, received: string, kind: MoneyKind): Operation {
  const path = objectInField(`/v1/treasury/${received}s`, received);
  return lookedUp(`treasury.${name}.create`, kind, `POST /v1/treasury/${name}`, {
    exposure: onObject({ path, remaining: (object) => magnitude(object, "amount") }),
    cost: costOf(amountUnless("canceled", "failed")),
    counts: "all that was received",
  });
}

/** Each currency that the account holds, summed. */
function wholeBalance(call: Call, pricing: Pricing, found: Found): Exposure | NoExposure | Missing {
  const path = accountInPath(call);
  if (path === undefined) return rejected("the id of the account has other characters than letters, digits and _");
  const looked = lookedAt(found, path);
  if (!looked.ok) return looked;
  const cash = asObject(asObject(looked.object["balance"])?.["cash"]);
  if (!cash) return costUnknown(`Stripe's answer to GET ${path} has no balance`);
  let sum: Exposure = { ...NOTHING, source: "lookup" };
  for (const currency of Object.keys(cash)) {
    const minor = minorUnits(cash, currency);
    // A negative balance has nothing to forward.
    if (minor === undefined || minor === 0n) continue;
    const one = exposureIn(minor, currency, pricing);
    if (!one.ok) return one;
    sum = { ...sum, micros: sum.micros + atLeast(one.micros, 0n), currency };
  }
  return sum;
}
