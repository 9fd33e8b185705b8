import { describe, expect, test } from "bun:test";
import { stripe } from "../../src/vendors/stripe.ts";
import { makeCall, operationFor } from "./make-call.ts";

const NO_ACCOUNT = { accountId: "" };

describe("what a Stripe call reaches", () => {
  test.each([
    ["a field", makeCall("POST /v1/charges", { form: { customer: "cus_1" } }), { customer: "cus_1" }],
    ["a filter", makeCall("GET /v1/charges", { query: { customer: "cus_1" } }), { customer: "cus_1" }],
    ["the path", makeCall("GET /v1/customers/cus_1/sources"), { customer: "cus_1" }],
    ["no one in a search", makeCall("GET /v1/customers/search", { query: { query: "x" } }), {}],
    [
      "a Connect account by header",
      makeCall("GET /v1/balance", { headers: { "stripe-account": "acct_1" } }),
      { accounts: ["acct_1"] },
    ],
    [
      "a context by header",
      makeCall("GET /v1/balance", { headers: { "stripe-context": "org/acct_1" } }),
      { accounts: ["org/acct_1"] },
    ],
    [
      "a transfer's destination",
      makeCall("POST /v1/transfers", { form: { destination: "acct_1" } }),
      { accounts: ["acct_1"] },
    ],
    [
      "a destination without the usual prefix",
      makeCall("POST /v1/transfers", { form: { destination: "other" } }),
      { accounts: ["other"] },
    ],
    [
      "a split",
      makeCall("POST /v1/charges", { form: { "transfer_data[destination]": "acct_1", on_behalf_of: "acct_2" } }),
      { accounts: ["acct_1", "acct_2"] },
    ],
    [
      "a nested one",
      makeCall("POST /v1/checkout/sessions", { form: { "payment_intent_data[on_behalf_of]": "acct_1" } }),
      { accounts: ["acct_1"] },
    ],
    ["an issuer", makeCall("POST /v1/invoices", { form: { "issuer[account]": "acct_1" } }), { accounts: ["acct_1"] }],
    ["a path", makeCall("POST /v1/accounts/acct_1/reject"), { accounts: ["acct_1"] }],
    [
      "a v2 body",
      makeCall("POST /v2/money_management/outbound_payments", { json: { to: { recipient: "acct_1" } } }),
      { accounts: ["acct_1"] },
    ],
    ["no account in metadata", makeCall("POST /v1/charges", { form: { "metadata[account]": "acct_1" } }), {}],
    ["no account in a payout's bank", makeCall("POST /v1/payouts", { form: { destination: "ba_1" } }), {}],
  ])("finds %s", (_what, call, expected) => {
    expect(stripe.scope(call, NO_ACCOUNT)).toEqual(expected);
  });

  test.each([
    ["a card's number", "GET /v1/issuing/cards/ic_1", { query: { "expand[0]": "number" } }],
    [
      "its check digits in a list",
      "GET /v1/issuing/cards",
      { query: { "expand[0]": "data.cardholder", "expand[1]": "data.cvc" } },
    ],
    [
      "a number inside another object",
      "GET /v1/issuing/authorizations/iauth_1",
      { query: { "expand[0]": "card.number" } },
    ],
    ["a number after a write", "POST /v1/customers/cus_1", { form: { "expand[0]": "number" } }],
    [
      "a bank account's number",
      "GET /v1/treasury/financial_accounts/fa_1",
      { query: { "expand[0]": "financial_addresses.aba.account_number" } },
    ],
    ["a signing secret", "POST /v2/core/accounts", { json: { include: ["webhook_endpoint.signing_secret"] } }],
  ])("refuses to reveal %s", (_what, line, parts) => {
    const call = makeCall(line, parts as never);
    expect(operationFor(stripe, call).refuse?.(call)).toMatchObject({ ok: false, code: "endpoint_denied" });
  });

  test("lets an ordinary expand pass", () => {
    const call = makeCall("GET /v1/charges/ch_1", { query: { "expand[0]": "customer", "expand[1]": "phone_numbers" } });
    expect(operationFor(stripe, call).refuse?.(call)).toBeUndefined();
  });

  test("sends uploads to the files host and lists of files to the main one", () => {
    const origins = stripe.pathOrigins.filter(({ pattern }) => pattern.test("/v1/files"));
    expect(origins).toEqual([expect.objectContaining({ origin: "https://files.stripe.com", method: "POST" })]);
    const call = makeCall("POST /v1/files");
    expect(operationFor(stripe, call)).toMatchObject({ class: "free", bodyKinds: ["multipart"] });
  });
});

describe("Stripe's other hosts", () => {
  const originFor = (method: string, path: string) =>
    stripe.pathOrigins.find((each) => each.pattern.test(path) && (each.method ?? method) === method)?.origin ??
    stripe.origin;

  test.each([
    ["POST /v1/files", "https://files.stripe.com"],
    ["GET /v1/files", "https://api.stripe.com"],
    ["GET /v1/files/file_1", "https://api.stripe.com"],
    ["GET /v1/files/file_1/contents", "https://files.stripe.com"],
    ["GET /v1/quotes/qt_1/pdf", "https://files.stripe.com"],
    ["POST /oauth/token", "https://connect.stripe.com"],
    ["POST /v2/billing/meter_event_stream", "https://meter-events.stripe.com"],
    ["POST /v2/billing/meter_events", "https://api.stripe.com"],
    ["POST /v1/refunds", "https://api.stripe.com"],
  ])("%s goes to %s", (line, origin) => {
    const [method, path] = line.split(" ") as [string, string];
    expect(originFor(method, path)).toBe(origin);
  });

  test("get the headers that say whose money it is, and in which version", () => {
    for (const name of ["stripe-account", "stripe-context", "stripe-version"]) {
      expect(stripe.requestHeaders).toContain(name);
    }
  });
});

describe("what an agent changes for Stripe", () => {
  test("names host, port and protocol for stripe-node, which takes no path", () => {
    const lines = stripe.agentLines("http://127.0.0.1:7878/stripe", "vault_key_x", NO_ACCOUNT);
    expect(lines.find(({ language }) => language === "Node")?.lines).toEqual([
      'new Stripe("vault_key_x", { host: "127.0.0.1", port: 7878, protocol: "http" })',
    ]);
    expect(lines.find(({ language }) => language === "Python")?.lines).toContain(
      'stripe.api_base = "http://127.0.0.1:7878/stripe"',
    );
    expect(stripe.agentLines("https://kb.example.com/stripe", "vault_key_x", NO_ACCOUNT)[1]?.lines[0]).toContain(
      "port: 443",
    );
  });
});
