import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { makeCall } from "../make-call.ts";
import { askExposure, expectScenario, type Scenario } from "./scenario.ts";

function moved(id: string, amount: number, status: string | null, currency = "usd"): Record<string, JsonValue> {
  return { id, amount, currency, status };
}

const SOURCE = "/v1/charges/ch_1?expand[]=balance_transaction";
const TRANSFER = "/v1/transfers/tr_1";
const ACCOUNT = "/v1/treasury/financial_accounts/fa_1";
const payout = { kind: "payout", id: "po_1", currency: "usd" } as const;
const topup = { kind: "topup", id: "tu_1", currency: "usd" } as const;
const transfer = { kind: "transfer", id: "tr_1", currency: "usd" } as const;
const hundred = { amount: "100", currency: "usd" };

const ROWS: Readonly<Record<string, Scenario>> = {
  "a payout": {
    call: "POST /v1/payouts",
    form: hundred,
    most: 1_000_000n,
    source: "request",
    answer: moved("po_1", 100, "in_transit"),
    costs: 1_000_000n,
    ...payout,
  },
  "a payout that fails": {
    call: "POST /v1/payouts",
    form: hundred,
    most: 1_000_000n,
    answer: moved("po_1", 100, "failed"),
    costs: 0n,
    ...payout,
  },
  "a payout that is called off: all of it moves back": {
    call: "POST /v1/payouts/po_1/cancel",
    found: { "/v1/payouts/po_1": moved("po_1", 5000, "pending") },
    most: 50_000_000n,
    source: "lookup",
    answer: moved("po_1", 5000, "canceled"),
    costs: 50_000_000n,
    ...payout,
  },
  "a payout that is reversed, which Stripe writes as a negative one": {
    call: "POST /v1/payouts/po_1/reverse",
    found: { "/v1/payouts/po_1": moved("po_1", 5000, "paid") },
    most: 50_000_000n,
    answer: moved("po_2", -5000, "pending"),
    costs: 50_000_000n,
    ...payout,
    id: "po_2",
  },
  "a negative payout, without its sign": {
    call: "POST /v1/payouts/po_1/cancel",
    found: { "/v1/payouts/po_1": moved("po_1", -700, "pending") },
    most: 7_000_000n,
    answer: moved("po_1", -700, "canceled"),
    costs: 7_000_000n,
    ...payout,
  },
  "a top-up": {
    call: "POST /v1/topups",
    form: hundred,
    most: 1_000_000n,
    answer: moved("tu_1", 100, "pending"),
    costs: 1_000_000n,
    ...topup,
  },
  "a top-up that is called off": {
    call: "POST /v1/topups/tu_1/cancel",
    found: { "/v1/topups/tu_1": moved("tu_1", 900, "pending") },
    most: 9_000_000n,
    source: "lookup",
    answer: moved("tu_1", 900, "canceled"),
    costs: 9_000_000n,
    ...topup,
  },
  "a transfer": {
    call: "POST /v1/transfers",
    form: { ...hundred, destination: "acct_1" },
    most: 1_000_000n,
    source: "request",
    answer: moved("tr_1", 100, null),
    costs: 1_000_000n,
    ...transfer,
  },
  "a transfer of all of a charge": {
    call: "POST /v1/transfers",
    form: { currency: "usd", destination: "acct_1", source_transaction: "ch_1" },
    found: { [SOURCE]: { id: "ch_1", amount: 2000, currency: "usd", customer: "cus_1", balance_transaction: "txn_1" } },
    most: 20_000_000n,
    source: "lookup",
    answer: moved("tr_1", 2000, null),
    costs: 20_000_000n,
    ...transfer,
    customer: "cus_1",
  },
  "a transfer of a charge in another currency: what came to the balance, where that is more": {
    call: "POST /v1/transfers",
    form: { currency: "usd", destination: "acct_1", source_transaction: "ch_1" },
    found: {
      [SOURCE]: { id: "ch_1", amount: 2000, currency: "eur", balance_transaction: { amount: 2300, currency: "usd" } },
    },
    most: 23_000_000n,
    answer: moved("tr_1", 2300, null),
    costs: 23_000_000n,
    ...transfer,
  },
  "a reversal of what is left of a transfer": {
    call: `POST ${TRANSFER}/reversals`,
    found: { [TRANSFER]: { id: "tr_1", amount: 1000, amount_reversed: 300, currency: "usd" } },
    most: 7_000_000n,
    source: "lookup",
    answer: { id: "trr_1", object: "transfer_reversal", amount: 700, currency: "usd" },
    costs: 7_000_000n,
    ...transfer,
    id: "trr_1",
  },
  "a reversal of a part, in the transfer's currency": {
    call: `POST ${TRANSFER}/reversals`,
    form: { amount: "200" },
    found: { [TRANSFER]: { id: "tr_1", amount: 1000, amount_reversed: 300, currency: "eur" } },
    most: 2_200_000n,
    source: "request",
    answer: { id: "trr_1", amount: 200, currency: "eur" },
    costs: 2_200_000n,
    ...transfer,
    id: "trr_1",
    currency: "eur",
  },
  "a dispute that is given up": {
    call: "POST /v1/disputes/dp_1/close",
    found: {
      "/v1/disputes/dp_1?expand[]=charge": {
        ...moved("dp_1", 4500, "needs_response"),
        charge: { id: "ch_1", customer: "cus_1" },
      },
    },
    most: 45_000_000n,
    source: "lookup",
    answer: moved("dp_1", 4500, "lost"),
    costs: 45_000_000n,
    kind: "credit",
    id: "dp_1",
    currency: "usd",
    customer: "cus_1",
  },
  ...Object.fromEntries(
    (
      [
        ["outbound_payments", "payout"],
        ["outbound_transfers", "payout"],
        ["inbound_transfers", "topup"],
      ] as const
    ).map(([family, kind]) => [
      `treasury ${family}`,
      {
        call: `POST /v1/treasury/${family}`,
        form: { ...hundred, financial_account: "fa_1" },
        most: 1_000_000n,
        answer: moved("obp_1", 100, "processing"),
        costs: 1_000_000n,
        kind,
        id: "obp_1",
        currency: "usd",
      } satisfies Scenario,
    ]),
  ),
  "a treasury payment that comes back": {
    call: "POST /v1/treasury/outbound_payments",
    form: { ...hundred, financial_account: "fa_1" },
    most: 1_000_000n,
    answer: moved("obp_1", 100, "returned"),
    costs: 0n,
    kind: "payout",
    id: "obp_1",
    currency: "usd",
  },
  "a credit that is sent back": {
    call: "POST /v1/treasury/credit_reversals",
    form: { received_credit: "rc_1" },
    found: { "/v1/treasury/received_credits/rc_1": moved("rc_1", 1234, "succeeded") },
    most: 12_340_000n,
    source: "lookup",
    answer: moved("credrev_1", 1234, "processing"),
    costs: 12_340_000n,
    kind: "payout",
    id: "credrev_1",
    currency: "usd",
  },
  "a debit that is taken back": {
    call: "POST /v1/treasury/debit_reversals",
    form: { received_debit: "rd_1" },
    found: { "/v1/treasury/received_debits/rd_1": moved("rd_1", 1234, "succeeded") },
    most: 12_340_000n,
    answer: moved("debrev_1", 1234, "processing"),
    costs: 12_340_000n,
    kind: "topup",
    id: "debrev_1",
    currency: "usd",
  },
  "a financial account that is closed: its balance is forwarded": {
    call: `POST ${ACCOUNT}/close`,
    found: { [ACCOUNT]: { id: "fa_1", balance: { cash: { usd: 5000, eur: 100 } } } },
    most: 51_100_000n,
    source: "lookup",
    answer: { id: "fa_1", status: "closed" },
    costs: 51_100_000n,
    kind: "payout",
    id: "fa_1",
    currency: "eur",
  },
};

describe("money between the balance, banks and other accounts costs", () => {
  test.each(Object.entries(ROWS))("%s", (_what, scenario) => expectScenario(scenario));
});

describe("money from the balance is refused", () => {
  test.each<[string, string, Record<string, string>, Record<string, JsonValue>]>([
    ["cost_unknown", "POST /v1/transfers", { currency: "usd", destination: "acct_1" }, {}],
    ["cost_unknown", "POST /v1/transfers", { source_transaction: "ch_1" }, { [SOURCE]: { id: "ch_1" } }],
    ["request_rejected", "POST /v1/transfers", { source_transaction: "../x" }, {}],
    ["cost_unknown", "POST /v1/payouts", { amount: "5" }, {}],
    ["currency_denied", "POST /v1/payouts", { amount: "5", currency: "cad" }, {}],
    ["request_rejected", "POST /v1/treasury/credit_reversals", {}, {}],
    ["cost_unknown", `POST ${ACCOUNT}/close`, {}, { [ACCOUNT]: { id: "fa_1" } }],
    ["currency_denied", `POST ${ACCOUNT}/close`, {}, { [ACCOUNT]: { balance: { cash: { cad: 1 } } } }],
    ["cost_unknown", "POST /v1/payouts/po_1", { destination: "ba_1" }, {}],
    ["cost_unknown", "POST /v1/charges/ch_1", { amount: "5" }, {}],
  ])("with %s for %s %j", (code, line, form, found) => {
    expect(askExposure(makeCall(line, { form }), found).exposure).toMatchObject({ ok: false, code });
  });
});
