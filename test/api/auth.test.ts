import { afterEach, beforeEach, expect, test } from "bun:test";
import { Gate } from "../../src/api/auth.ts";
import { mintControlToken } from "../../src/vault/control-token.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

const NO_TOKEN = [
  ["no header", {}],
  ["an empty one", { authorization: "" }],
  ["Basic", { authorization: "Basic a2I6eA==" }],
  ["Bearer without a token", { authorization: "Bearer " }],
  ["a token in another header", { "x-api-key": "kb_admin_x" }],
] as const;

test.each(NO_TOKEN)("asks for a token where there is %s", async (_what, headers) => {
  const answer = await served.call("GET", "/vendors", { token: null, headers });
  expect(answer.status).toBe(401);
  expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="keybrake"');
  expect(answer.json.error.code).toBe("unauthenticated");
});

test("refuses a token that is damaged, unknown or revoked, before it reads the body", async () => {
  const damaged = `${served.tokens.admin.slice(0, -1)}${served.tokens.admin.endsWith("x") ? "y" : "x"}`;
  const unknown = mintControlToken("admin").token.reveal();
  await served.control.revokeToken(served.tokenIds.issuer);
  for (const token of [damaged, unknown, served.tokens.issuer, "sk_test_real_secret"]) {
    const answer = await served.call("POST", "/vault/keys", { token, body: "{" });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain('error="invalid_token"');
    expect(answer.text).not.toContain(token);
  }
});

test("takes the scheme in any case (RFC 9110 §11.1)", async () => {
  const headers = { authorization: `bEARER ${served.tokens.admin}` };
  expect((await served.call("GET", "/vendors", { token: null, headers })).status).toBe(200);
});

test("does not ask for a token, or look at one, where anybody may ask", async () => {
  for (const path of ["/", "/healthz", "/readyz", "/docs", "/docs/json"]) {
    expect((await served.call("GET", path, { token: "nonsense" })).status).toBe(200);
  }
});

test("does not tell an unknown caller which routes there are", async () => {
  expect((await served.call("GET", "/nope", { token: null })).status).toBe(401);
  expect((await served.call("GET", "/nope")).status).toBe(404);
});

test("nobody is let into a route that is not in the table, an admin neither", async () => {
  const gate = new Gate(served);
  const headers = { authorization: `Bearer ${served.tokens.admin}` };
  const request = new Request("http://keybrake.internal/novelty", { headers });
  await gate.identify(request);
  expect(() => gate.admit(request, "/novelty")).toThrow("no access rule");
  expect(() => gate.admit(request, "/vendors")).not.toThrow();
});

test("an issuer's token issues, sees and revokes its own keys and no others", async () => {
  const admins = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  const token = served.tokens.issuer;
  const own = (await served.call("POST", "/vault/keys", { token, body: SEED_BODY })).json;
  expect((await served.call("GET", "/vault/keys", { token })).json.keys.map(({ id }: { id: string }) => id)).toEqual([
    own.id,
  ]);
  expect((await served.call("GET", `/vault/keys/${admins.id}`, { token })).status).toBe(404);
  expect((await served.call("DELETE", `/vault/keys/${admins.id}`, { token })).status).toBe(404);
  expect((await served.call("DELETE", `/vault/keys/${own.id}`, { token })).json.revoked).toEqual([own.id]);
  const explain = { key_id: admins.id, method: "GET", path: "/v1/customers/cus_1" };
  expect((await served.call("POST", "/policies/explain", { token, body: explain })).status).toBe(404);
});
