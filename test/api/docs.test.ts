import { afterAll, beforeAll, expect, test } from "bun:test";
import { ROUTES } from "../../src/api/routes.ts";
import { POLICY_FIELD_NAMES } from "../../src/policy/schema.ts";
import { type Answered, type Served, serve } from "./served.ts";

let served: Served;
let spec: Specification;
let page: Answered;

interface Specification {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
}

interface Operation {
  readonly responses: Readonly<Record<string, object>>;
  readonly requestBody: { readonly content: Readonly<Record<string, { readonly schema: Schema }>> };
}

interface Schema {
  readonly properties: Readonly<Record<string, { readonly description: string }>>;
  readonly additionalProperties: boolean;
}

beforeAll(async () => {
  served = await serve();
  spec = JSON.parse((await served.call("GET", "/docs/json", { token: null })).text) as Specification;
  page = await served.call("GET", "/docs", { token: null });
});
afterAll(() => served.close());

test("the document describes every route under its canonical name, and no alias", () => {
  const described = Object.entries(spec.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path.replace(/\{(\w+)\}/g, ":$1")}`),
  );
  const routes = ROUTES.filter(({ path }) => path !== "/" && !path.startsWith("/docs"));
  expect(described.sort()).toEqual(routes.map(({ method, path }) => `${method} ${path}`).sort());
});

test("the body of a key has every policy field with its description, as JSON alone", () => {
  const { content } = spec.paths["/vault/keys"]!["post"]!.requestBody;
  expect(Object.keys(content)).toEqual(["application/json"]);
  const { properties, additionalProperties } = content["application/json"]!.schema;
  for (const name of POLICY_FIELD_NAMES) expect(properties[name]?.description).toBeString();
  expect(additionalProperties).toBe(false);
});

test("every answer has the description that OpenAPI asks for", () => {
  for (const methods of Object.values(spec.paths)) {
    for (const { responses } of Object.values(methods)) {
      for (const response of Object.values(responses)) expect(response).toHaveProperty("description");
    }
  }
});

test("the page says all of it and needs no internet: it loads and runs nothing", () => {
  expect(page.headers.get("content-type")).toStartWith("text/html");
  expect(page.headers.get("content-security-policy")).toStartWith("default-src 'none'");
  expect(page.text).not.toMatch(/<script|<link|<img|<iframe|src=|url\(|@import|href="(?!\/docs\/json")/i);
  for (const { method, path } of ROUTES.filter(({ path }) => path !== "/" && !path.startsWith("/docs"))) {
    expect(page.text).toContain(`<h3>${method} ${path.replace(/:(\w+)/g, "{$1}")}</h3>`);
  }
  expect(page.text).toContain("<td>daily_usd_cap</td>");
});

test("the plugin's own page, which loads a script from a CDN, is nowhere", async () => {
  for (const path of ["/page", "/swagger", "/swagger/json"]) expect((await served.call("GET", path)).status).toBe(404);
});
