import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { MICROS_MAX } from "../../../src/core/money.ts";
import { compilePolicy } from "../../../src/policy/compile.ts";
import { judge } from "../../../src/policy/judge.ts";
import { readDeclarations } from "../../../src/vendors/declared/read.ts";
import { operationOf } from "../../../src/vendors/operations.ts";
import { workMs } from "../../harness/work-time.ts";
import { declared } from "../declared/declare.ts";
import { type CallParts, costOf, exposureOf, makeAnswer, makeCall, makePricing, operationFor } from "../make-call.ts";
import { segment, sendgrid, shopify } from "./shipped.ts";

const ADMIN = "/admin/api/2025-10";
const GRAPHQL = `POST ${ADMIN}/graphql.json`;

/** A vendor with one operation that moves an amount, and one that is paid by the number of things. */
function acme(unit: "minor" | "decimal") {
  return declared(`vendors:
  acme:
    title: Acme
    origin: https://api.acme.example
    credential: { scheme: bearer }
    operations:
      - name: charges.create
        route: POST /acme/charges
        class: priced
        kind: charge
        price: { amount: { at: /amount, unit: ${unit}, currency: /currency } }
      - name: many.create
        route: POST /acme/many
        class: priced
        kind: payout
        price: { each: /list, amount: { at: /amount, unit: ${unit}, currency: usd } }
      - name: units.buy
        route: POST /acme/units
        class: priced
        price: { usd: 9000000, count: [{ number: /n }] }
        answer: { units: /made }
`);
}

describe("an amount in a declared vendor's currency", () => {
  // Stripe alone writes these two with decimals of zeros; by ISO 4217 they have none.
  test.each([
    ["isk", 500, 3_500_000n],
    ["ugx", 500, 3_500_000n],
    ["jpy", 500, 3_500_000n],
    ["eur", 500, 35_000n],
    ["kwd", 500, 3_500n],
  ] as const)("counts %s by the decimals that ISO 4217 gives it", (currency, amount, micros) => {
    const pricing = makePricing({ [currency]: 7_000n });
    const call = makeCall("POST /acme/charges", { json: { amount, currency } });
    expect(exposureOf(acme("minor"), call, pricing)).toMatchObject({ ok: true, micros });
  });

  test.each([
    ["POST /acme/charges", { amount: "999999999999", currency: "kwd" }],
    ["POST /acme/many", { list: Array.from({ length: 100 }, () => ({ amount: "999999999999" })) }],
    ["POST /acme/units", { n: 999_999_999 }],
  ] as const)("is refused with its reason where it is more than is kept: %s", (line, json) => {
    const call = makeCall(line, { json: json as JsonValue });
    const exposure = exposureOf(acme("decimal"), call, makePricing({ kwd: 3_300_000n }));
    expect(exposure).toMatchObject({ ok: false, code: "request_rejected" });
  });

  test("is no cost beyond what is kept, whatever an answer says", () => {
    const call = makeCall("POST /acme/units", { json: { n: 1 } });
    const cost = costOf(acme("minor"), call, makeAnswer({ made: 999_999_999 }));
    expect(cost).toMatchObject({ unreadable: true });
    expect(cost.micros).toBeLessThanOrEqual(MICROS_MAX);
  });
});

describe("Shopify", () => {
  const refusalOf = (line: string, parts: CallParts) => {
    const call = makeCall(line, parts);
    return operationFor(shopify, call).refuse?.(call)?.code;
  };
  const query = "{ shop { name } }";

  test("takes a GraphQL document in the body alone, as a server may prefer what the address says", () => {
    expect(refusalOf(GRAPHQL, { json: { query } })).toBeUndefined();
    for (const name of ["query", "Query", "extensions", "operationName", "variables", "id", "documentId"]) {
      expect(refusalOf(GRAPHQL, { json: { query }, query: { [name]: "mutation { refundCreate { x } }" } })).toBe(
        "request_rejected",
      );
    }
  });

  test.each([
    `${ADMIN}/graphql.json`,
    `${ADMIN}/graphql`,
    `${ADMIN}/graphql.JSON`,
    `${ADMIN}/graphql.xml`,
    `${ADMIN}/graphql/x`,
  ])("runs no document by a read of %s", (path) => {
    for (const method of ["GET", "HEAD"] as const) expect(operationOf(shopify, method, path).class).toBe("unknown");
  });

  test.each(["", ".json", ".xml", ".JSON", "/1.json"])("shows no storefront token in the form %j", (form) => {
    expect(operationOf(shopify, "GET", `${ADMIN}/storefront_access_tokens${form}`).class).toBe("closed");
  });

  test.each([
    "mutation { a: tagsAdd(id: 1) { x } }",
    "mutation { tagsAdd(id: 1) { x } tagsAdd(id: 2) { x } }",
    "mutation { tagsAdd(id: 1) { x } refundCreate(input: {}) { x } }",
    "mutation { ...F } fragment F on Mutation { refundCreate(input: {}) { x } }",
    "mutation { ... on Mutation { refundCreate(input: {}) { x } } }",
    "mutation A { tagsAdd(id: 1) { x } } mutation B { refundCreate(input: {}) { x } }",
    "query Q { shop { name } } mutation M { refundCreate(input: {}) { x } }",
    "mutation { tagsAdd(id: 1) @skip(if: true) { x } }",
    "subscription { x }",
    "fragment F on Mutation { refundCreate(input: {}) { x } }",
    "{ shop { ...T } } fragment T on Shop { storefrontAccessTokens(first: 1) { nodes { accessToken } } }",
    "# mutation\nmutation { refundCreate(input: {}) { x } }",
    `${"{a".repeat(4_900)}${"}".repeat(4_900)}`,
    "{a(b:".repeat(2) + "[".repeat(9_000),
  ])("does not run %s", (document) => {
    expect(refusalOf(GRAPHQL, { json: { query: document } })).toBeDefined();
    expect(workMs(() => refusalOf(GRAPHQL, { json: { query: document } }))).toBeLessThan(500);
  });

  const transaction = (kind: JsonValue) => ({ transaction: { amount: "10.00", currency: "USD", kind } });

  test("counts no money that goes back as a charge: a transaction is none by the refund's name", () => {
    const line = `POST ${ADMIN}/orders/1/transactions.json`;
    for (const kind of ["capture", "sale", "authorization", "void"]) {
      expect(refusalOf(line, { json: transaction(kind) })).toBeUndefined();
    }
    for (const kind of ["refund", "Refund", " refund", "change", ["refund"], 1]) {
      expect(refusalOf(line, { json: transaction(kind as JsonValue) })).toBe("request_rejected");
    }
  });

  test.each([
    { refund: { currency: "USD" } },
    { refund: { currency: "USD", transactions: [] } },
    { refund: { currency: "USD", transactions: {} } },
    { refund: { currency: "USD", transactions: [{}] } },
    { refund: { currency: "USD", transactions: [[{ amount: "1" }]] } },
    { refund: { currency: "USD", transactions: [{ amount: "-1" }] } },
    { refund: { currency: "USD", transactions: [{ amount: "1e3" }] } },
    { refund: { currency: "USD", transactions: [{ amount: " 1" }] } },
    { refund: { currency: "USD", transactions: [{ amount: "1,000" }] } },
    { refund: { currency: "USD", transactions: [{ amount: "0x10" }] } },
    { refund: { currency: "USD", transactions: [{ amount: true }] } },
    { refund: { currency: "USD", transactions: [{ amount: null }] } },
    { refund: { currency: "USD", transactions: [{ amount: ["1"] }] } },
    { refund: { currency: "USD", transactions: [{ Amount: "9", amount: "1" }] } },
    { Refund: { currency: "USD", transactions: [{ amount: "1" }] } },
    { refund: [{ currency: "USD", transactions: [{ amount: "1" }] }] },
    { refund: { transactions: [{ amount: "1" }] } },
    { refund: { currency: "XXX", transactions: [{ amount: "1" }] } },
    { refund: "x" },
  ])("gives no ceiling for the refund %j", (json) => {
    const call = makeCall(`POST ${ADMIN}/orders/1/refunds.json`, { json: json as JsonValue });
    expect(exposureOf(shopify, call)).toMatchObject({ ok: false });
  });
});

describe("mail of a declared vendor", () => {
  const line = "POST /v3/mail/send";
  const to = [{ email: "a@example.com" }];

  test.each([
    { personalizations: { to } },
    { personalizations: [{ to, Bcc: to }] },
    { personalizations: [{ to, "bcc ": to }] },
    { personalizations: [{ to: [{ email: "a@example.com,b@example.com" }] }] },
    { personalizations: [{ to: [{ email: "a@example.com;b@example.com" }] }] },
    { personalizations: [{ to: [{ email: "ａ@example.com" }] }] },
    { personalizations: [{ to: { email: "a@example.com" }, cc: 7 }] },
    { personalizations: [{ to }], Personalizations: [{ to }] },
    { personalizations: [{ to: [] }] },
    { personalizations: [[{ to }]] },
  ])("counts every recipient or none: %j", (json) => {
    const call = makeCall(line, { json: json as JsonValue });
    const exposure = exposureOf(sendgrid, call);
    if (exposure.ok) expect(exposure.sends).toBeGreaterThanOrEqual(JSON.stringify(json).split("@").length - 1);
    else expect(exposure.code).not.toBe("look_up");
  });

  test("gives no event of Segment's away for free", () => {
    for (const json of [
      {},
      { batch: [] },
      { batch: {} },
      { batch: [1] },
      { Batch: [{}] },
      { batch: [{}], Batch: [{}] },
    ]) {
      expect(exposureOf(segment, makeCall("POST /v1/batch", { json: json as JsonValue }))).toMatchObject({ ok: false });
    }
  });

  test("has no path in another letter case that would be free", () => {
    for (const path of ["/v3/API_KEYS", "/v3/Api_Keys/x", "/v3/USER/webhooks/event/settings", "/v3/Subusers"]) {
      expect(operationOf(sendgrid, "GET", path).class).not.toBe("free");
    }
  });
});

test("a declaration with thousands of routes is refused before they are compared", () => {
  const one = (index: number) => `      - { name: a${index}, route: "* /acme/b${index}/*", class: free }\n`;
  const operations = Array.from({ length: 1001 }, (_, index) => one(index)).join("");
  const head =
    "vendors:\n  acme:\n    title: Acme\n    origin: https://api.acme.example\n    credential: { scheme: bearer }\n";
  const { problems, vendors } = readDeclarations(`${head}    operations:\n${operations}`, []);
  expect(vendors).toEqual([]);
  expect(problems.map(({ message }) => message)).toEqual(["operations has 1001 routes; a vendor has 1000 at most"]);
});

test("a policy that allows everything opens no read that a declaration has closed", () => {
  const policy = compilePolicy({ vendor: "shopify", allowed_endpoints: ["* /**"] });
  const call = makeCall(`GET ${ADMIN}/storefront_access_tokens.xml`);
  expect(judge(policy, shopify, { accountId: "shop" }, call, makePricing())).toMatchObject({ code: "endpoint_denied" });
});
