import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { type Served, serve } from "./served.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

describe("vendors", () => {
  test("a secret goes in and never comes out", async () => {
    const set = await served.call("PUT", "/vendors/stripe/secret", { body: { secret: "sk_test_real_secret" } });
    expect(set).toMatchObject({ status: 200, json: { name: "stripe", configured: true, version: 1 } });
    const list = await served.call("GET", "/vendors", { token: served.tokens.auditor });
    expect(list.json.vendors[0]).toMatchObject({ name: "stripe", configured: true });
    const removed = await served.call("DELETE", "/vendors/stripe/secret");
    expect(removed.json).toEqual<object>({ name: "stripe", removed: true });
    for (const answer of [set, list, removed]) expect(answer.text).not.toContain("real_secret");
  });

  const WRONG: readonly (readonly [what: string, body: object])[] = [
    ["a secret that is no text", { secret: ["sk_test_real_secret"] }],
    ["a secret with a space", { secret: "sk_test_real_secret x" }],
    ["a secret under another name", { sercet: "sk_test_real_secret" }],
    ["a secret with a bad origin", { secret: "sk_test_real_secret", origin: "http://x.example" }],
    ["a secret with an account that there is none of", { secret: "sk_test_real_secret", account_id: "acct_1" }],
  ];

  test.each(WRONG)("%s is refused without being repeated", async (_what, body) => {
    const answer = await served.call("PUT", "/vendors/stripe/secret", { body });
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain("real_secret");
    expect((await served.call("GET", "/vendors")).json.vendors[0]!.configured).toBe(false);
  });

  test("a secret that is a number is refused without being repeated", async () => {
    const answer = await served.call("PUT", "/vendors/stripe/secret", { body: { secret: 4242424242 } });
    expect(answer).toMatchObject({ status: 422, json: { message: "secret must be text" } });
    expect(answer.text).not.toContain("4242424242");
  });

  test("another vendor is 404, and a test without a secret says what to do", async () => {
    expect((await served.call("PUT", "/vendors/strip/secret", { body: { secret: "x" } })).status).toBe(404);
    const test = await served.call("POST", "/vendors/stripe/test");
    expect(test.status).toBe(422);
    expect(test.json.error.hint).toContain("keybrake vendor set stripe");
  });
});

describe("the brake", () => {
  test("is engaged, shown and released", async () => {
    const engaged = await served.call("POST", "/brake", { body: { vendor: "stripe", hard: true, reason: "runaway" } });
    expect(engaged).toMatchObject({ status: 201, json: { vendor: "stripe", label_prefix: null, reason: "runaway" } });
    expect(served.hardStops).toHaveLength(1);
    expect((await served.call("GET", "/brake")).json.brakes).toEqual<readonly object[]>([engaged.json]);
    const released = await served.call("DELETE", "/brake?vendor=stripe");
    expect(released.json.released).toEqual<readonly object[]>([engaged.json]);
    expect((await served.call("GET", "/brake")).json.brakes).toEqual([]);
  });

  test("stops everything for {}, and is not pulled by a request without a body", async () => {
    expect((await served.call("POST", "/brake")).status).toBe(400);
    expect((await served.call("POST", "/brake", { body: {} })).status).toBe(201);
    expect((await served.call("DELETE", "/brake", { body: { vendor: "stripe" } })).status).toBe(404);
    expect((await served.call("DELETE", "/brake", { body: {} })).json.released).toHaveLength(1);
  });

  test("refuses a misspelt target: it would be everything", async () => {
    for (const body of [{ vender: "stripe" }, { vendor: "strip" }, { label_prefix: "" }, { vendor: null }]) {
      expect((await served.call("POST", "/brake", { body })).status).toBe(422);
    }
    expect((await served.call("GET", "/brake")).json.brakes).toEqual([]);
  });
});

describe("tokens", () => {
  test("one is issued, works, and works no more once it is revoked", async () => {
    const body = { role: "issuer", name: "ray", templates: ["billing"], max_daily_usd: 100 };
    const { status, json } = await served.call("POST", "/tokens", { body });
    expect(status).toBe(201);
    expect(json).toMatchObject({ role: "issuer", max_daily_usd: "100.00" });
    const key = { template: "billing", daily_usd_cap: 50 };
    expect((await served.call("POST", "/vault/keys", { token: json.token, body: key })).status).toBe(201);
    const above = { template: "billing" };
    expect((await served.call("POST", "/vault/keys", { token: json.token, body: above })).status).toBe(403);
    expect((await served.call("DELETE", `/tokens/${json.id}`)).json).toEqual<object>({ id: json.id, revoked: true });
    expect((await served.call("GET", "/vault/keys", { token: json.token })).status).toBe(401);
    expect((await served.call("GET", "/tokens")).text).not.toContain(json.token);
  });

  test("another role is refused with the roles that there are", async () => {
    const answer = await served.call("POST", "/tokens", { body: { role: "root" } });
    expect(answer).toMatchObject({ status: 422 });
    expect(answer.json.message).toBe('role must be admin or issuer or auditor, not "root"');
    expect((await served.call("POST", "/tokens", { body: {} })).json.message).toBe("role is missing");
  });
});

describe("policies", () => {
  test("are listed and shown with their source", async () => {
    const { policies } = (await served.call("GET", "/policies")).json;
    expect(policies.map(({ name }: { name: string }) => name)).toContain("billing");
    expect((await served.call("GET", "/policies/billing")).json.source).toContain("daily_usd_cap: 500");
    expect((await served.call("GET", "/policies/..%2Fsecret")).status).toBe(404);
  });

  test("explain what the proxy would do", async () => {
    const body = {
      template: "billing",
      method: "POST",
      path: "/v1/payment_intents",
      body: "amount=15000&currency=usd",
    };
    const answer = await served.call("POST", "/policies/explain", { body });
    expect(answer.json).toMatchObject({ verdict: "amount_denied", status: 403, rule: "max_amount_per_call_usd" });
    const wrong = await served.call("POST", "/policies/explain", { body: { ...body, method: "TRACE" } });
    expect(wrong.status).toBe(422);
  });

  test("are tried on what is recorded", async () => {
    const replay = (body: object) => served.call("POST", "/policies/replay", { body });
    expect((await replay({ template: "billing", run: "nobody" })).json).toMatchObject({
      template: "billing",
      vendor: "stripe",
      allowed: { calls: 0, usd: "0.00" },
      not_checked: ["parameters", "allowed_currencies"],
    });
    expect((await replay({ template: "biling" })).status).toBe(404);
    expect((await replay({ template: "billing", since: "yesterday" })).status).toBe(422);
    expect((await replay({ run: "nobody" })).json.message).toBe("a replay needs a template");
    const source = { file_name: "own.yaml", text: "vendor: stripe\nallowed_endpoints: [GET /v1/customers/*]\n" };
    expect((await replay({ source })).json).toMatchObject({ template: "own" });
  });
});
