import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { createApi } from "../../src/api/api.ts";
import { accessOf, isControlPath, isOpen, KEY_PREFIXES, ROUTES } from "../../src/api/routes.ts";
import { CONTROL_ROLES } from "../../src/vault/control-token.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;
let vaultKey: string;

beforeAll(async () => {
  served = await serve();
  vaultKey = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json.vault_key;
});
afterAll(() => served.close());

const CALLERS = ["nobody", "vault_key", ...CONTROL_ROLES] as const;

const MATRIX = ROUTES.flatMap(({ method, path, access }) => {
  const paths = path.startsWith(KEY_PREFIXES[0])
    ? KEY_PREFIXES.map((prefix) => path.replace(KEY_PREFIXES[0], prefix))
    : [path];
  return paths.flatMap((each) => CALLERS.map((caller) => ({ method, path: each, access, caller })));
});

describe("every route, asked by every role", () => {
  test.each(MATRIX)("$method $path by $caller", async ({ method, path, access, caller }) => {
    const token = caller === "nobody" ? null : caller === "vault_key" ? vaultKey : served.tokens[caller];
    // A body that no schema takes, so that whoever is let in is told so and nothing changes.
    const body = method === "GET" ? {} : { body: { nonsense: 1 } };
    const answer = await served.fetchRaw(method, path.replace(/:\w+/, "x") + (method === "GET" ? "" : "?nonsense=1"), {
      token,
      ...body,
    });
    await answer.body?.cancel();
    const mayPass =
      access === "anyone" ||
      (access === "vault_key" && caller === "vault_key") ||
      (access as readonly string[]).includes(caller);
    if (mayPass) expect([200, 302, 404, 422]).toContain(answer.status);
    else expect(answer.status).toBe(caller === "nobody" ? 401 : 403);
  });

  test("has its row in the table, and every row its route", () => {
    const app = createApi({ ...served, log: { info: () => {}, error: () => {} } });
    const routes = app.routes.map(({ method, path }) => `${method} ${path}`);
    for (const route of app.routes) expect([route.path, accessOf(route.method, route.path)]).not.toContain(undefined);
    for (const { method, path } of ROUTES) expect(routes).toContain(`${method} ${path}`);
  });
});

test("a route that is not in the table is nobody's", () => {
  expect(accessOf("POST", "/audit")).toBeUndefined();
  expect(accessOf("GET", "/keysx")).toBeUndefined();
  expect(accessOf("GET", "/v1/keys/:id")).toEqual(["admin", "issuer", "auditor"]);
});

test("only what anybody may see is open", () => {
  expect(
    ROUTES.filter(({ method, path }) => isOpen(method, path)).map(({ method, path }) => `${method} ${path}`),
  ).toEqual([
    "GET /",
    "GET /healthz",
    "GET /readyz",
    "GET /metrics",
    "GET /dashboard",
    "GET /dashboard/:file",
    "GET /docs",
    "GET /docs/json",
    "POST /session",
  ]);
});

const CONTROL = (
  "/ /vault /vault/keys /vault/keys/vk_1 /vault/self /keys /keys/vk_1 /v1/keys /v1/keys/vk_1 /audit /audit/stream /spend " +
  "/budgets /vendors /vendors/stripe/secret /brake /tokens /session /policies /dashboard /dashboard/ /dashboard/a.js /docs /docs/json /healthz /readyz /metrics"
).split(" ");
const CALLS = (
  "/stripe/v1/charges /twilio /v1 /v1/ /v1/charges /v1/keysx /v1//keys /v2/keys /2010-04-01/Accounts //keys /Keys /vaults " +
  "/api-keys /emails /audit%2f /%61udit * http://x/keys"
).split(" ");

test.each(CONTROL)("%s is the control plane's", (path) => {
  expect(isControlPath(path)).toBe(true);
});

test.each(CALLS)("%s is a call", (path) => {
  expect(isControlPath(path)).toBe(false);
});
