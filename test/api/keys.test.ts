import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { recordCall } from "../operate/record-call.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

describe("the published examples work unchanged", () => {
  test.each(["/vault/keys", "/v1/keys", "/keys"])("POST %s with a cap, endpoints, expiry and label", async (path) => {
    const answer = await served.call("POST", path, { body: SEED_BODY });
    expect(answer.status).toBe(201);
    expect(answer.json.vault_key).toStartWith("vault_key_");
    expect(answer.json).toMatchObject({
      key_id: answer.json.id,
      token: answer.json.vault_key,
      vendor: "stripe",
      base_url: "http://127.0.0.1:7878/stripe",
      agent_run_label: "ray-billing/01",
      expires_at: "2026-01-01T02:00:00.000Z",
      policy: { daily_usd_cap: "500.00" },
    });
  });

  test("label says the same as agent_run_label", async () => {
    const { agent_run_label, ...body } = SEED_BODY;
    const answer = await served.call("POST", "/v1/keys", { body: { ...body, label: agent_run_label } });
    expect(answer.json.agent_run_label).toBe(agent_run_label);
    const both = await served.call("POST", "/v1/keys", { body: { ...SEED_BODY, label: "another" } });
    expect(both.status).toBe(422);
  });

  test("DELETE by id stops the key, and again is no error", async () => {
    const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
    const first = await served.call("DELETE", `/vault/keys/${id}`);
    expect(first).toMatchObject({ status: 200, json: { id, key_id: id, revoked: [id], already_revoked: [] } });
    const again = await served.call("DELETE", `/v1/keys/${id}`);
    expect(again).toMatchObject({ status: 200, json: { revoked: [], already_revoked: [id] } });
    expect((await served.call("GET", `/keys/${id}`)).json.status).toBe("revoked");
  });

  test("GET /audit by a part of the label", async () => {
    const issue = async (label: string) =>
      (await served.call("POST", "/keys", { body: { ...SEED_BODY, label, agent_run_label: label } })).json.id;
    await recordCall(served, { keyId: await issue("tenant:acme:run-1") });
    await recordCall(served, { keyId: await issue("tenant:other:run-1") });
    const { rows } = (await served.call("GET", "/audit?label_contains=tenant:acme")).json;
    expect(rows.map((row) => row["agent_run_label"])).toEqual(["tenant:acme:run-1"]);
  });
});

test("issues from a template, with inputs and narrower fields", async () => {
  const body = { template: "billing", inputs: { customers: ["cus_1"] }, daily_usd_cap: "20", label: "run" };
  const answer = await served.call("POST", "/vault/keys", { body });
  expect(answer).toMatchObject({ status: 201, json: { template: "billing", policy: { customers: ["cus_1"] } } });
  const wider = await served.call("POST", "/vault/keys", { body: { ...body, daily_usd_cap: 501 } });
  expect(wider).toMatchObject({ status: 422 });
  expect(wider.json.message).toContain("wider than the template's 500.00");
});

test("a label in use is 409 with the active key's id", async () => {
  const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  const answer = await served.call("POST", "/vault/keys", { body: { ...SEED_BODY, unique_label: true } });
  expect(answer).toMatchObject({ status: 409, json: { error: { code: "conflict", key_id: id } } });
});

test("lists page by page, filtered, and never with a token", async () => {
  for (const label of ["a/1", "a/2", "b/1"]) {
    served.clock.nowMs += 1;
    await served.call("POST", "/vault/keys", { body: { ...SEED_BODY, agent_run_label: label } });
  }
  const first = (await served.call("GET", "/vault/keys?label_contains=a/&limit=1&active=true")).json;
  expect(first.keys).toHaveLength(1);
  const second = (await served.call("GET", `/vault/keys?label_contains=a/&limit=1&cursor=${first.next_cursor}`)).json;
  const labels = [...first.keys, ...second.keys].map((key) => key.agent_run_label);
  expect(labels).toEqual(["a/2", "a/1"]);
  expect(second.next_cursor).toBeNull();
  expect(JSON.stringify(first)).not.toMatch(/vault_key_[0-9A-Za-z]{20}/);
});

test("PATCH changes caps, endpoints and expiry, and null takes a rule away", async () => {
  const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  const body = { daily_usd_cap: null, total_usd_cap: 10, allowed_endpoints: ["GET /v1/balance"], expires_in: "5m" };
  const answer = await served.call("PATCH", `/vault/keys/${id}`, { body });
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({ expires_at: "2026-01-01T00:05:00.000Z" });
  expect(answer.json.policy).toEqual({
    vendor: "stripe",
    expires_in: "2h",
    total_usd_cap: "10.00",
    allowed_endpoints: ["GET /v1/balance"],
  });
  for (const wrong of [
    {},
    { daily_usd_capp: 1 },
    { agent_run_label: "x" },
    { total_usd_cap: "x" },
    { vendor: "twilio" },
  ]) {
    expect((await served.call("PATCH", `/vault/keys/${id}`, { body: wrong })).status).toBe(422);
  }
});

test("POST /vault/keys/revoke revokes by label prefix, and needs to be told what", async () => {
  const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  for (const body of [{}, { all: false }, { label_prefix: "" }, { ids: "vk_1" }]) {
    expect((await served.call("POST", "/vault/keys/revoke", { body })).status).toBe(422);
  }
  const body = { label_prefix: "ray-billing/", hard: true, reason: "stuck loop" };
  const answer = await served.call("POST", "/v1/keys/revoke", { body });
  expect(answer.json).toEqual<object>({ revoked: [id], already_revoked: [] });
  expect(served.hardStops).toHaveLength(1);
});

test("DELETE takes hard and a reason from the query", async () => {
  const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  await served.call("DELETE", `/vault/keys/${id}?hard=true&reason=stuck%20loop`);
  expect(served.hardStops).toHaveLength(1);
  expect((await served.call("GET", `/vault/keys/${id}`)).json.revoke_reason).toBe("stuck loop");
});

describe("GET /vault/self", () => {
  test("tells a vault key its own policy, spend, what is left and when it resets", async () => {
    const { id, vault_key, vault_key_alphanumeric } = (await served.call("POST", "/keys", { body: SEED_BODY })).json;
    await recordCall(served, { keyId: id, exposureUsd: "30", end: { to: "settled", costUsd: "29.99" } });
    for (const token of [vault_key, vault_key_alphanumeric]) {
      const answer = await served.call("GET", "/vault/self", { token });
      expect(answer.status).toBe(200);
      expect(answer.json).toMatchObject({ key_id: id, status: "active", policy: { daily_usd_cap: "500.00" } });
      expect(answer.json.spend.budgets[0]).toMatchObject({ remaining: "470.01", reset_at: "2026-01-02T00:00:00.000Z" });
    }
  });

  test("is 401 for a vault key of another server", async () => {
    const { mintVaultKey } = await import("../../src/vault/vault-key.ts");
    const answer = await served.call("GET", "/vault/self", { token: mintVaultKey().token.reveal() });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toContain("invalid_token");
  });
});

test("GET /budgets shows what active keys may still spend", async () => {
  const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
  const revoked = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json.id;
  await served.call("DELETE", `/vault/keys/${revoked}`);
  await recordCall(served, { keyId: id, exposureUsd: "30" });
  expect((await served.call("GET", "/budgets?vendor=stripe")).json).toEqual<object>({
    shared: [],
    budgets: [
      {
        key_id: id,
        agent_run_label: "ray-billing/01",
        vendor: "stripe",
        vendors: ["stripe"],
        budget: "daily_usd_cap",
        unit: "usd",
        window: "utc_day",
        cap: "500.00",
        used: "30.00",
        remaining: "470.00",
        reset_at: "2026-01-02T00:00:00.000Z",
      },
    ],
    next_cursor: null,
  });
});
