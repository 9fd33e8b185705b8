import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { methodsOf, ROUTES } from "../../src/api/routes.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;
let vaultKey: string;
let keyId: string;

beforeAll(async () => {
  served = await serve();
  const issued = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  [vaultKey, keyId] = [issued.vault_key, issued.id];
});
afterAll(() => served.close());

const READS = ROUTES.filter(({ method }) => method === "GET");

describe("HEAD is answered as GET is, without the body", () => {
  test.each(READS)("$path", async ({ path, access }) => {
    const real = path
      .replace("/vault/keys/:id", `/vault/keys/${keyId}`)
      .replace("/policies/:name", "/policies/billing")
      .replace(":name", "stripe");
    for (const token of [access === "vault_key" ? vaultKey : served.tokens.admin, null]) {
      const get = await served.fetchRaw("GET", real, { token });
      await get.body?.cancel();
      const head = await served.fetchRaw("HEAD", real, { token });
      expect([head.status, head.body]).toEqual([get.status, null]);
      expect(head.headers.get("content-type")).toBe(get.headers.get("content-type"));
    }
  });

  test("and stays within the roles", async () => {
    expect((await served.fetchRaw("HEAD", "/tokens", { token: served.tokens.auditor })).status).toBe(403);
    expect((await served.fetchRaw("HEAD", "/audit", { token: vaultKey })).status).toBe(403);
  });
});

describe("another method is 405 with those that there are", () => {
  test.each([
    ["PUT", "/vault/keys", "POST, GET, HEAD"],
    ["OPTIONS", "/keys", "POST, GET, HEAD"],
    ["DELETE", "/v1/keys", "POST, GET, HEAD"],
    ["POST", "/vault/self", "GET, HEAD"],
    ["OPTIONS", "/vault/keys/revoke", "POST"],
    ["PATCH", "/brake", "GET, HEAD, POST, DELETE"],
    ["TRACE", "/vendors", "GET, HEAD"],
    ["PROPFIND", "/tokens/tok_1", "DELETE"],
    ["HEAD", "/tokens/tok_1", "DELETE"],
  ])("%s %s", async (method, path, allow) => {
    const answer = await served.fetchRaw(method, path);
    expect([answer.status, answer.headers.get("allow")]).toEqual([405, allow]);
    if (method !== "HEAD") expect(await answer.json()).toMatchObject({ error: { code: "method_not_allowed" } });
  });

  test("but nobody is told who bears no token", async () => {
    expect((await served.call("PUT", "/vault/keys", { token: null })).status).toBe(401);
  });

  test("what is no route has none", () => {
    expect(methodsOf("/nope")).toEqual([]);
    expect(methodsOf("/vault/keys/a/b")).toEqual([]);
    expect(methodsOf("/v1/keys/vk_1")).toEqual(["GET", "HEAD", "PATCH", "DELETE"]);
  });
});

describe("JSON that is nested deep is 422, and neither walked nor repeated", () => {
  const nested = (open: string, close: string, levels: number) => `${open.repeat(levels)}1${close.repeat(levels)}`;
  const BODIES = [
    ["a list", (levels: number) => nested("[", "]", levels)],
    ["a field's value", (levels: number) => `{"metadata":${nested('{"a":', "}", levels)}}`],
    ["an unknown field's", (levels: number) => `{"zzz":${nested("[", "]", levels)}}`],
    ["a list that is left open", (levels: number) => "[".repeat(levels)],
  ] as const;
  const ROUTES_WITH_BODY = ROUTES.filter(
    ({ method, path }) => ["POST", "PUT", "PATCH"].includes(method) && path !== "/session",
  );

  test.each(BODIES)("%s", async (_what, body) => {
    for (const { method, path } of ROUTES_WITH_BODY) {
      const answer = await served.call(method, path.replace(/:\w+/, "x"), { body: body(100_000) });
      expect([path, answer.status]).toEqual([path, 422]);
      expect(answer.json.message).toContain("32 levels");
      expect(answer.text.length).toBeLessThan(500);
    }
    expect((await served.call("POST", "/session", { token: null, body: body(100_000) })).status).toBe(422);
    expect(served.logged).toEqual([]);
  });

  test("and brackets within texts are no levels", async () => {
    const body = { ...SEED_BODY, metadata: { note: `"\\${"[{".repeat(100)}` } };
    expect((await served.call("POST", "/vault/keys", { body })).status).toBe(201);
  });
});

test("a parameter that is given twice is refused: which of them counts?", async () => {
  for (const path of ["/audit?run=a&run=b", "/audit?limit=1&limit=2", "/vault/keys?active=true&%61ctive=false"]) {
    const answer = await served.call("GET", path);
    expect([path, answer.status]).toEqual([path, 422]);
    expect(answer.json.message).toContain("more than once");
  }
  expect((await served.call("DELETE", `/vault/keys/${keyId}?hard=false&hard=true`)).status).toBe(422);
});
