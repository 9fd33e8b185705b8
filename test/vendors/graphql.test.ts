import { expect, test } from "bun:test";
import type { JsonValue } from "../../src/core/call.ts";
import { graphqlRefusal } from "../../src/vendors/graphql.ts";
import { makeCall } from "./make-call.ts";

const refusal = graphqlRefusal({ mutations: ["productUpdate", "tagsAdd"], closed_fields: ["accessToken"] });

function judged(json: JsonValue | undefined): string {
  const refused = refusal(makeCall("POST /admin/api/2025-10/graphql.json", json === undefined ? {} : { json }));
  return refused ? `${refused.code}: ${refused.message}` : "free";
}

const UPDATE = "mutation ($p: ProductUpdateInput!) { productUpdate(product: $p) { product { id } } }";

test.each([
  ["{ shop { name } }"],
  [
    "query Orders($n: Int!) { orders(first: $n) { nodes { ...Money } } } fragment Money on Order { totalPriceSet { shopMoney { amount } } }",
  ],
  [UPDATE],
  ['mutation { tagsAdd(id: "gid://shopify/Order/1", tags: ["refundCreate"]) { node { id } } }'],
])("lets a query or a listed mutation through: %s", (query) => {
  expect(judged({ query, variables: { p: { id: "gid://shopify/Product/1" } } })).toBe("free");
  expect(judged({ query, operationName: null })).toBe("free");
});

test.each([
  ["mutation { refundCreate(input: {}) { refund { id } } }", "cost_unknown", "refundCreate"],
  ["mutation { PRODUCTUPDATE { id } }", "cost_unknown", "PRODUCTUPDATE"],
  ["subscription { orders { id } }", "cost_unknown", "subscription"],
  ["mutation { tagsAdd(id: 1) { id } refundCreate(input: {}) { id } }", "request_rejected", "one field"],
  ["mutation { tagsAdd: refundCreate(input: {}) { id } }", "request_rejected", "alias tagsAdd"],
  ["{ a: shop { name } }", "request_rejected", "alias a"],
  ["mutation { ...All } fragment All on Mutation { refundCreate(input: {}) { id } }", "request_rejected", "one field"],
  ["mutation { ... on Mutation { refundCreate(input: {}) { id } } }", "request_rejected", "one field"],
  ["mutation { ... { refundCreate(input: {}) { id } } }", "request_rejected", "one field"],
  ["mutation { tagsAdd(id: 1) @include(if: true) { id } }", "request_rejected", "directives"],
  [
    "query A { shop { name } } mutation B { refundCreate { id } }",
    "request_rejected",
    "one operation here, and this one 2",
  ],
  ["fragment F on Shop { name }", "request_rejected", "one operation here, and this one 0"],
  ["mutation { tagsAdd(id: 1) { node { accessToken } } }", "endpoint_denied", "accessToken"],
  ["{ shop { ...F } } fragment F on Shop { storefront { accessToken } }", "endpoint_denied", "accessToken"],
  ["{ shop { name }", "request_rejected", "cannot be read"],
  ["", "request_rejected", "cannot be read"],
])("refuses %p as %s", (query, code, text) => {
  expect(judged({ query })).toStartWith(`${code}: Keybrake: `);
  expect(judged({ query })).toContain(text);
});

test.each([
  [undefined, "JSON object"],
  [[{ query: UPDATE }, { query: UPDATE }], "a list of several"],
  [{ query: UPDATE, extensions: { persistedQuery: { version: 1 } } }, '"extensions"'],
  [{ variables: {} }, "no text in query"],
  [{ query: 1 }, "no text in query"],
  [{ query: UPDATE, Query: "{ shop { name } }" }, '"Query"'],
] as const)("refuses a body that is not one document: %p", (json, text) => {
  expect(judged(json as JsonValue | undefined)).toStartWith("request_rejected: Keybrake: ");
  expect(judged(json as JsonValue | undefined)).toContain(text);
});

test.each([
  ["nested deeply", `{ ${"a { ".repeat(20_000)}`],
  ["long", `{ ${"a ".repeat(20_000)} }`],
])("refuses a document that is %s, and does not fall over", (_what, query) => {
  expect(judged({ query })).toStartWith("request_rejected: Keybrake: the GraphQL document cannot be read");
});
