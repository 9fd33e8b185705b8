import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ROUTES, type RouteRow } from "../../src/api/routes.ts";
import { AUDIT_COLUMNS } from "../../src/audit/present.ts";
import { POLICY_FIELD_NAMES } from "../../src/policy/schema.ts";
import { ApiDocument } from "./document.ts";
import { type Answered, type Served, serve } from "./served.ts";

let served: Served;
let docs: ApiDocument;
let page: Answered;

beforeAll(async () => {
  served = await serve();
  docs = new ApiDocument(JSON.parse((await served.call("GET", "/docs/json", { token: null })).text));
  page = await served.call("GET", "/docs", { token: null });
});
afterAll(() => served.close());

const DESCRIBED = ROUTES.filter(({ path }) => !/^\/(?:$|docs|dashboard)/.test(path)); // Pages are for people.

function operationOf({ method, path }: Pick<RouteRow, "method" | "path">) {
  return docs.document.paths[path.replace(/:(\w+)/g, "{$1}")]![method.toLowerCase()]!;
}

test("the document describes every route under its canonical name, and no alias", () => {
  const described = docs.operations().map(({ method, path }) => `${method} ${path.replace(/\{(\w+)\}/g, ":$1")}`);
  expect(described.sort()).toEqual(DESCRIBED.map(({ method, path }) => `${method} ${path}`).sort());
  expect(docs.document.openapi).toBe("3.1.0");
});

describe.each(DESCRIBED)("$method $path", (row) => {
  const { method, path, access } = row;

  test("has a name of its own, a summary, a tag, and who may use it", () => {
    const { operationId, summary, description, tags, security } = operationOf(row);
    expect(docs.operations().filter(({ operation }) => operation.operationId === operationId)).toHaveLength(1);
    expect(operationId).toMatch(/^[a-z][A-Za-z]+$/);
    expect(summary.length).toBeGreaterThan(5);
    expect(tags).toHaveLength(1);
    const who = access === "anyone" ? [] : [{ [access === "vault_key" ? "vaultKey" : "controlToken"]: [] }];
    expect(security).toEqual(who);
    if (typeof access !== "string") expect(description).toContain(`Roles: ${access.join(", ")}.`);
  });

  test("describes each parameter, and those of its path", () => {
    const { parameters = [] } = operationOf(row);
    for (const { name, description, schema } of parameters) {
      expect([name, description?.length > 5, Object.keys(schema).length > 0]).toEqual([name, true, true]);
    }
    const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => name);
    expect(inPath).toEqual([...path.matchAll(/:(\w+)/g)].map(([, name]) => name!));
  });

  test("has an example of its body that its schema takes", () => {
    const { requestBody } = operationOf(row);
    expect(requestBody !== undefined).toBe(
      (["POST", "PUT", "PATCH"].includes(method) && path !== "/vendors/:name/test") ||
        (path === "/brake" && method === "DELETE"),
    );
    if (!requestBody) return;
    expect(requestBody.required).toBe(method !== "DELETE");
    expect(Object.keys(requestBody.content)).toEqual(["application/json"]);
    const { example } = requestBody.content["application/json"]!;
    expect(example).toBeObject();
    const place = ["requestBody", "content", "application/json", "schema"];
    expect(errorsOf(row, place, example)).toEqual([]);
  });

  test("describes its answer and its errors with schema and example", () => {
    const { responses } = operationOf(row);
    const statuses = Object.keys(responses).map(Number);
    expect(statuses.filter((status) => status < 300)).toHaveLength(1);
    const expected = [...(access === "anyone" ? [] : [401]), 403, 500, 503];
    for (const status of expected) expect(statuses).toContain(status);
    for (const [status, { description, content }] of Object.entries(responses)) {
      expect(description.length).toBeGreaterThan(5);
      for (const [type, { schema, example }] of Object.entries(content)) {
        expect(Object.keys(schema)).not.toEqual([]);
        if (Number(status) >= 400) expect(schema).toEqual({ $ref: "#/components/schemas/Problem" });
        expect(errorsOf(row, ["responses", status, "content", type, "schema"], example)).toEqual([]);
      }
    }
  });
});

function errorsOf({ method, path }: RouteRow, place: readonly string[], value: unknown) {
  const validate = docs.validator(["paths", path.replace(/:(\w+)/g, "{$1}"), method.toLowerCase(), ...place]);
  return validate(value) ? [] : validate.errors;
}

test("everything that is named in an answer has a description", () => {
  const undescribed: string[] = [];
  for (const [name, schema] of Object.entries(docs.document.components.schemas)) {
    for (const [field, part] of Object.entries((schema as { properties?: Record<string, object> }).properties ?? {})) {
      if (!("description" in part) && !("$ref" in part) && !("items" in part)) undescribed.push(`${name}.${field}`);
    }
  }
  expect(undescribed).toEqual([]);
});

test("the body of a key has every policy field with its description", () => {
  const { IssueKey } = docs.document.components.schemas as Record<
    string,
    { properties: Record<string, { description: string }>; additionalProperties: boolean }
  >;
  for (const name of POLICY_FIELD_NAMES) expect(IssueKey!.properties[name]?.description).toBeString();
  expect(IssueKey!.additionalProperties).toBe(false);
});

test("an audit row is described with the audit's own columns", () => {
  const { AuditRow } = docs.document.components.schemas as Record<string, { properties: object }>;
  expect(Object.keys(AuditRow!.properties)).toEqual([...AUDIT_COLUMNS]);
});

test("an answer that is not as it is described is noticed", () => {
  const said = (text: string, status = 200) =>
    docs.contradictions({ method: "GET", path: "/healthz", status, contentType: "application/json", text });
  expect(said('{"status":"ok"}')).toEqual([]);
  expect(said('{"status":1}')).toHaveLength(1);
  expect(said('{"status":"ok","more":1}')).toHaveLength(1);
  expect(said("{}", 418)).toHaveLength(1);
});

test("the page says all of it and needs no internet: it loads and runs nothing", () => {
  expect(page.headers.get("content-type")).toStartWith("text/html");
  expect(page.headers.get("content-security-policy")).toStartWith("default-src 'none'");
  expect(page.text).not.toMatch(/<script|<link|<img|<iframe|src=|url\(|@import|href="(?!\/docs\/json")/i);
  for (const { method, path } of DESCRIBED) {
    expect(page.text).toContain(`<h3>${method} ${path.replace(/:(\w+)/g, "{$1}")}</h3>`);
  }
  expect(page.text).toContain("<td>daily_usd_cap</td>");
});

test("the plugin's own page, which loads a script from a CDN, is nowhere", async () => {
  for (const path of ["/page", "/swagger", "/swagger/json"]) expect((await served.call("GET", path)).status).toBe(404);
});
