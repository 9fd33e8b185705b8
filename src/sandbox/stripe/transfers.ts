import type { Routes } from "../route.ts";
import { annotate, createdNow, list, mustFind, ok, retrieve, type StripeCall, stripeId } from "./books.ts";
import { refuse } from "./error.ts";

const ARRIVAL_SECONDS = 2 * 86_400;

/** Money that leaves the account: payouts to a bank, transfers to a connected account, and their way back. */
export const transferRoutes: Routes<StripeCall> = {
  "POST /v1/payouts": createPayout,
  "GET /v1/payouts": list((books) => books.payouts, ["status"]),
  "GET /v1/payouts/*": retrieve((books) => books.payouts, "payout"),
  "POST /v1/payouts/*": annotate((books) => books.payouts, "payout"),
  "POST /v1/payouts/*/cancel": cancelPayout,
  "POST /v1/transfers": createTransfer,
  "GET /v1/transfers": list((books) => books.transfers, ["destination", "transfer_group"]),
  "GET /v1/transfers/*": retrieve((books) => books.transfers, "transfer"),
  "POST /v1/transfers/*": annotate((books) => books.transfers, "transfer"),
  "POST /v1/transfers/*/reversals": reverseTransfer,
};

function createPayout({ books, form }: StripeCall) {
  const created = createdNow(books);
  const method = form.choice("method", ["standard", "instant"] as const) ?? "standard";
  return ok(
    books.payouts.put({
      id: stripeId("po"),
      object: "payout",
      amount: form.requiredAmount("amount"),
      arrival_date: method === "instant" ? created : created + ARRIVAL_SECONDS,
      automatic: false,
      balance_transaction: stripeId("txn"),
      created,
      currency: form.requiredCurrency(),
      description: form.text("description") ?? null,
      destination: form.text("destination") ?? null,
      livemode: false,
      metadata: form.metadata(),
      method,
      status: "pending",
      type: "bank_account",
    }),
  );
}

function cancelPayout({ books }: StripeCall, id: string) {
  const payout = mustFind(books.payouts, "payout", id);
  if (payout.status !== "pending") refuse(`Payout ${id} cannot be canceled: its status is ${payout.status}.`);
  return ok(books.payouts.put({ ...payout, status: "canceled" }));
}

/** With `source_transaction` and no amount, Stripe transfers what the charge took in. */
function createTransfer({ books, form }: StripeCall) {
  const currency = form.requiredCurrency();
  const destination = form.requiredText("destination");
  const sourceId = form.text("source_transaction");
  const source = sourceId === undefined ? undefined : mustFind(books.charges, "charge", sourceId, "source_transaction");
  return ok(
    books.transfers.put({
      id: stripeId("tr"),
      object: "transfer",
      amount: form.amount("amount") ?? source?.amount_captured ?? form.requiredAmount("amount"),
      amount_reversed: 0,
      balance_transaction: stripeId("txn"),
      created: createdNow(books),
      currency,
      description: form.text("description") ?? null,
      destination,
      livemode: false,
      metadata: form.metadata(),
      reversed: false,
      source_transaction: sourceId ?? null,
      transfer_group: form.text("transfer_group") ?? null,
    }),
  );
}

function reverseTransfer({ books, form }: StripeCall, id: string) {
  const transfer = mustFind(books.transfers, "transfer", id);
  const remaining = transfer.amount - transfer.amount_reversed;
  const amount = form.amount("amount") ?? remaining;
  if (remaining === 0) refuse(`Transfer ${id} has already been fully reversed.`);
  if (amount > remaining) {
    refuse(`Reversal amount (${amount}) is greater than the unreversed amount (${remaining}).`, "amount");
  }
  const reversed = transfer.amount_reversed + amount;
  books.transfers.put({ ...transfer, amount_reversed: reversed, reversed: reversed === transfer.amount });
  return ok(
    books.reversals.put({
      id: stripeId("trr"),
      object: "transfer_reversal",
      amount,
      balance_transaction: stripeId("txn"),
      created: createdNow(books),
      currency: transfer.currency,
      description: form.text("description") ?? null,
      livemode: false,
      metadata: form.metadata(),
      transfer: id,
    }),
  );
}
