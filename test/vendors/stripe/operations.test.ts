import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { STRIPE_BILLING } from "../../../src/vendors/stripe/billing.ts";
import { stripe } from "../../../src/vendors/stripe.ts";
import { CAPPED_KINDS, type OperationClass } from "../../../src/vendors/vendor.ts";
import { makeCall, operationFor } from "../make-call.ts";

/** What Stripe publishes, with an id for every `*`. */
const PUBLISHED = readFileSync(new URL("../fixtures/operations/stripe.txt", import.meta.url), "utf8")
  .trim()
  .split("\n");
const BILLING = new Set(STRIPE_BILLING.map(({ route }) => route));

function operationAt(line: string) {
  return operationFor(stripe, makeCall(line.replaceAll("*", "x1")));
}

/** Operations of Stripe's beside Billing, by class and kind. A change here is a change of what agents may do. */
const CLASSES: Readonly<Record<OperationClass, readonly string[]>> = {
  priced: [
    "charges.create charge POST /v1/charges",
    "payment_intents.create charge POST /v1/payment_intents",
    "payouts.create payout POST /v1/payouts",
    "topups.create topup POST /v1/topups",
    "treasury.inbound_transfers.create topup POST /v1/treasury/inbound_transfers",
    "treasury.outbound_payments.create payout POST /v1/treasury/outbound_payments",
    "treasury.outbound_transfers.create payout POST /v1/treasury/outbound_transfers",
    "v2.inbound_transfers.create topup POST /v2/money_management/inbound_transfers",
    "v2.outbound_payments.create payout POST /v2/money_management/outbound_payments",
    "v2.payout_intents.create payout POST /v2/money_management/payout_intents",
  ],
  look_up: [
    "application_fees.refund refund POST /v1/application_fees/*/refunds",
    "charges.capture charge POST /v1/charges/*/capture",
    "climate.order other POST /v1/climate/orders",
    "customers.update credit POST /v1/customers/*",
    "disputes.close credit POST /v1/disputes/*/close",
    "issuing.authorizations.approve card POST /v1/issuing/authorizations/*/approve",
    "issuing.cards.update card POST /v1/issuing/cards/*",
    "payment_intents.apply_customer_balance charge POST /v1/payment_intents/*/apply_customer_balance",
    "payment_intents.capture charge POST /v1/payment_intents/*/capture",
    "payment_intents.confirm charge POST /v1/payment_intents/*/confirm",
    "payment_intents.increment_authorization charge POST /v1/payment_intents/*/increment_authorization",
    "payment_intents.update charge POST /v1/payment_intents/*",
    "payment_intents.verify_microdeposits charge POST /v1/payment_intents/*/verify_microdeposits",
    "payouts.cancel payout POST /v1/payouts/*/cancel",
    "payouts.reverse payout POST /v1/payouts/*/reverse",
    "refunds.create refund POST /v1/refunds",
    "sources.update charge POST /v1/sources/*",
    "terminal.confirm_payment_intent charge POST /v1/terminal/readers/*/confirm_payment_intent",
    "terminal.process_payment_intent charge POST /v1/terminal/readers/*/process_payment_intent",
    "terminal.refund_payment refund POST /v1/terminal/readers/*/refund_payment",
    "topups.cancel topup POST /v1/topups/*/cancel",
    "transfers.create transfer POST /v1/transfers",
    "transfers.reverse transfer POST /v1/transfers/*/reversals",
    "treasury.credit_reversals.create payout POST /v1/treasury/credit_reversals",
    "treasury.debit_reversals.create topup POST /v1/treasury/debit_reversals",
    "treasury.financial_accounts.close payout POST /v1/treasury/financial_accounts/*/close",
    "v2.payout_intents.confirm payout POST /v2/money_management/payout_intents/*/confirm",
  ],
  closed: [
    "account_access write POST /v1/account_links",
    "account_access write POST /v1/account_sessions",
    "account_access write POST /v1/accounts/*/login_links",
    "account_access write POST /v2/core/account_links",
    "accounts write DELETE /v1/accounts/*",
    "accounts write DELETE /v1/accounts/*/external_accounts/*",
    "accounts write POST /v1/accounts",
    "accounts write POST /v1/accounts/*",
    "accounts write POST /v1/accounts/*/capabilities/*",
    "accounts write POST /v1/accounts/*/external_accounts",
    "accounts write POST /v1/accounts/*/external_accounts/*",
    "accounts write POST /v1/accounts/*/reject",
    "accounts write POST /v1/accounts/*/unreject",
    "accounts write POST /v2/core/accounts/*",
    "accounts write POST /v2/core/accounts/*/close",
    "apps.installs write POST /v1/apps/installs",
    "apps.installs write POST /v1/apps/installs/*",
    "apps.installs write POST /v1/apps/installs/*/uninstall",
    "apps.secrets write POST /v1/apps/secrets",
    "apps.secrets write POST /v1/apps/secrets/delete",
    "balance_settings write POST /v1/balance_settings",
    "connection_tokens write POST /v1/terminal/connection_tokens",
    "customer_sessions write POST /v1/customer_sessions",
    "ephemeral_keys write DELETE /v1/ephemeral_keys/*",
    "ephemeral_keys write POST /v1/ephemeral_keys",
    "forwarding write POST /v1/forwarding/requests",
    "oauth write POST /oauth/deauthorize",
    "oauth write POST /oauth/token",
    "v2.outbound_setup_intents write POST /v2/money_management/outbound_setup_intents",
    "v2.outbound_setup_intents write POST /v2/money_management/outbound_setup_intents/*",
    "webhook_endpoints write DELETE /v1/webhook_endpoints/*",
    "webhook_endpoints write DELETE /v2/core/event_destinations/*",
    "webhook_endpoints write POST /v1/webhook_endpoints",
    "webhook_endpoints write POST /v1/webhook_endpoints/*",
    "webhook_endpoints write POST /v2/core/event_destinations",
    "webhook_endpoints write POST /v2/core/event_destinations/*",
    "webhook_endpoints write POST /v2/core/event_destinations/*/disable",
    "webhook_endpoints write POST /v2/core/event_destinations/*/enable",
    "webhook_endpoints write POST /v2/core/event_destinations/*/ping",
  ],
  unknown: [],
  free: [],
};

const OURS = PUBLISHED.filter((line) => !line.startsWith("GET ") && !BILLING.has(line));

describe("every published write of Stripe's beside Billing", () => {
  test("stands in a table by name, and none falls to the rest", () => {
    expect(OURS.length).toBeGreaterThan(200);
    for (const line of OURS) expect([line, operationAt(line).name]).not.toEqual([line, "writes"]);
  });

  test.each(["priced", "look_up", "closed", "unknown"] as const)(
    "that is %s is one of those listed here",
    (opClass) => {
      const lines = OURS.filter((line) => operationAt(line).class === opClass)
        // What is priced at nothing, or by a fee, is shown by its own tests.
        .filter((line) => opClass !== "priced" || /\.create$/.test(operationAt(line).name))
        .filter((line) => opClass !== "priced" || !/^(?:customers|sources|issuing)/.test(operationAt(line).name));
      expect(lines.map((line) => `${operationAt(line).name} ${operationAt(line).kind} ${line}`).toSorted()).toEqual([
        ...CLASSES[opClass],
      ]);
    },
  );

  test("that may cost has a kind that a policy can cap, or costs nothing in any case", () => {
    const kinds = new Set<string>(CAPPED_KINDS);
    for (const line of OURS) {
      const { class: opClass, kind, counts } = operationAt(line);
      if (opClass !== "priced" && opClass !== "look_up") continue;
      expect([line, kinds.has(kind) || counts?.startsWith("nothing")]).toEqual([line, true]);
    }
  });

  test("that looks an object up says what it counts", () => {
    for (const { route, class: opClass, counts } of stripe.operations) {
      if (opClass !== "look_up" || BILLING.has(route)) continue;
      expect([route, counts ?? ""]).toEqual([route, expect.stringMatching(/^[a-z].{8,}[^.]$/)]);
    }
  });
});

describe("what an agent needs every day", () => {
  test.each([
    "POST /v1/customers/cus_1/tax_ids",
    "POST /v1/payment_methods",
    "POST /v1/payment_methods/pm_1/attach",
    "POST /v1/products",
    "POST /v1/prices",
    "POST /v1/setup_intents",
    "POST /v1/setup_intents/seti_1/confirm",
    "POST /v1/payment_intents/pi_1/cancel",
    "POST /v1/file_links",
    "POST /v1/files",
    "GET /v1/payment_intents/pi_1",
  ])("is free: %s", (line) => {
    expect(operationFor(stripe, makeCall(line)).class).toBe("free");
  });

  test.each(["POST /v1/customers", "POST /v1/customers/cus_1", "POST /v1/refunds/re_1", "POST /v1/payouts/po_1"])(
    "is priced at nothing: %s",
    (line) => {
      const call = makeCall(line, { form: { "metadata[a]": "b" } });
      expect(
        operationFor(stripe, call).exposure?.(call, { currencyRates: new Map(), prices: new Map() }, new Map()),
      ).toMatchObject({
        ok: true,
        micros: 0n,
      });
    },
  );

  test.each([
    "POST /v1/never_heard_of",
    "PUT /v1/charges/ch_1",
    "POST /v2/never/heard",
    "PATCH /v2/core/accounts/acct_1",
  ])("is not what nobody published: %s", (line) => {
    expect(operationFor(stripe, makeCall(line))).toMatchObject({ name: "writes", class: "unknown" });
  });
});
