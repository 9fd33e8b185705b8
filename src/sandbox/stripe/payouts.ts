import type { Routes } from "../route.ts";
import { createdNow, listOf, mustFind, ok, type StripeBooks, type StripeCall, stripeId } from "./books.ts";
import { refuse } from "./error.ts";
import type { Payout } from "./objects.ts";

/** Until a payout is in the bank, in seconds of the clock. */
const ARRIVAL_SECONDS = { standard: 2 * 86_400, instant: 2 } as const;

/** Money that goes from the account to a bank, and its way back: cancelled while it is pending, reversed once it is paid. */
export const payoutRoutes: Routes<StripeCall> = {
  "POST /v1/payouts": createPayout,
  "GET /v1/payouts": listOf(
    ({ books }) => books.payouts.newestFirst().map((payout) => current(books, payout)),
    ["status"],
  ),
  "GET /v1/payouts/*": ({ books }, id = "") => ok(find(books, id)),
  "POST /v1/payouts/*": updatePayout,
  "POST /v1/payouts/*/cancel": cancelPayout,
  "POST /v1/payouts/*/reverse": reversePayout,
};

function createPayout({ books, form }: StripeCall) {
  const created = createdNow(books);
  const method = form.choice("method", ["standard", "instant"] as const) ?? "standard";
  return ok(
    books.payouts.put({
      id: stripeId("po"),
      object: "payout",
      amount: form.requiredAmount("amount"),
      arrival_date: created + ARRIVAL_SECONDS[method],
      automatic: false,
      balance_transaction: stripeId("txn"),
      created,
      currency: form.requiredCurrency(),
      description: form.text("description") ?? null,
      destination: form.text("destination") ?? null,
      livemode: false,
      metadata: form.metadata(),
      method,
      original_payout: null,
      reversed_by: null,
      status: "pending",
      type: "bank_account",
    }),
  );
}

function updatePayout({ books, form }: StripeCall, id: string) {
  const payout = mustFind(books.payouts, "payout", id);
  const updated = books.payouts.put({ ...payout, metadata: form.metadata(payout.metadata) });
  return ok(current(books, updated));
}

function cancelPayout({ books }: StripeCall, id: string) {
  const { status, ...payout } = find(books, id);
  if (status !== "pending") refuse(`Payout ${id} cannot be canceled: its status is ${status}.`);
  return ok(books.payouts.put({ ...payout, status: "canceled" }));
}

/** The way back is a payout of its own, with the amount negative. */
function reversePayout({ books, form }: StripeCall, id: string) {
  const payout = find(books, id);
  if (payout.status !== "paid") {
    const instead = payout.status === "pending" ? ": cancel it instead" : "";
    refuse(`Payout ${id} cannot be reversed because its status is ${payout.status}${instead}.`);
  }
  if (payout.reversed_by !== null || payout.original_payout !== null) refuse(`Payout ${id} cannot be reversed again.`);
  const reversal = books.payouts.put({
    ...payout,
    id: stripeId("po"),
    amount: -payout.amount,
    balance_transaction: stripeId("txn"),
    created: createdNow(books),
    metadata: form.metadata(),
    original_payout: id,
    status: "pending",
  });
  books.payouts.put({ ...payout, reversed_by: reversal.id });
  return ok(reversal);
}

function find(books: StripeBooks, id: string): Payout {
  return current(books, mustFind(books.payouts, "payout", id));
}

/** A pending payout is paid once its time has come. */
function current(books: StripeBooks, payout: Payout): Payout {
  const arrived = createdNow(books) >= payout.arrival_date;
  return payout.status === "pending" && arrived ? { ...payout, status: "paid" } : payout;
}
