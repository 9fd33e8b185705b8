import type { Routes } from "../route.ts";
import { annotate, createdNow, list, listOf, mustFind, ok, retrieve, type StripeCall, stripeId } from "./books.ts";
import { refuse, refuseMissing } from "./error.ts";
import type { TransferReversal } from "./objects.ts";

/** Money that goes to connected accounts, and its way back. */
export const transferRoutes: Routes<StripeCall> = {
  "POST /v1/transfers": createTransfer,
  "GET /v1/transfers": list((books) => books.transfers, ["destination", "transfer_group"]),
  "GET /v1/transfers/*": retrieve((books) => books.transfers, "transfer"),
  "POST /v1/transfers/*": annotate((books) => books.transfers, "transfer"),
  "POST /v1/transfers/*/reversals": reverseTransfer,
  "GET /v1/transfers/*/reversals": listOf(({ books }, id = "") => {
    const { id: transfer } = mustFind(books.transfers, "transfer", id);
    return books.reversals.newestFirst().filter((reversal) => reversal.transfer === transfer);
  }),
  "GET /v1/transfers/*/reversals/*": (call, transferId = "", id = "") => ok(findReversal(call, transferId, id)),
};

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

function findReversal({ books }: StripeCall, transferId: string, id: string): TransferReversal {
  const reversal = books.reversals.get(id);
  return reversal?.transfer === transferId ? reversal : refuseMissing("transfer_reversal", id, "id");
}
