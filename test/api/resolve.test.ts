import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { endCall, recordCall } from "../operate/record-call.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;
let keyId: string;

beforeEach(async () => {
  served = await serve();
  keyId = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json.id;
});
afterEach(() => served.close());

function unresolved(ofKey = keyId): Promise<string> {
  return recordCall(served, { keyId: ofKey, exposureUsd: "30", end: { to: "unresolved" } });
}

const resolve = (id: string, body: unknown, token = served.tokens.admin) =>
  served.call("POST", `/audit/${id}/resolve`, { body, token });

describe("POST /audit/{id}/resolve", () => {
  test("settles, and says what it did to the cap, under the token's name", async () => {
    const id = await unresolved();
    const { status, json } = await resolve(id, { settled_usd: "29.99", reason: "pi_1" });
    expect(status).toBe(200);
    expect(json).toEqual<object>({
      id: expect.stringMatching(/^call_/),
      refers_to: id,
      state: "settled",
      cost_usd: "29.99",
      exposure_usd: "30.00",
      flag: `operator:${served.tokenIds.admin}; reason: pi_1`,
      reason: "pi_1",
      vault_key_id: keyId,
      agent_run_label: "ray-billing/01",
      budget: {
        budget: "daily_usd_cap",
        unit: "usd",
        window: "utc_day",
        cap: "500.00",
        used_before: "30.00",
        used_after: "29.99",
        remaining: "470.01",
        reset_at: "2026-01-02T00:00:00.000Z",
      },
      warnings: [],
    });
  });

  test("releases, and the call is no longer listed as unresolved", async () => {
    const id = await unresolved();
    expect((await served.call("GET", "/audit?state=unresolved")).json.rows.map((row) => row.id)).toEqual([id]);
    expect((await resolve(id, { released: true })).status).toBe(200);
    expect((await served.call("GET", "/audit?state=unresolved")).json.rows).toEqual([]);
    const { rows } = (await served.call("GET", "/audit")).json;
    expect(rows.at(-1)).toMatchObject({ refers_to: id, state: "released", cost_source: "manual", cost_usd: "0.00" });
  });

  test("is 404 for a call that there is not, and 409 for one that is at the vendor or resolved", async () => {
    const [id, held] = [await unresolved(), await recordCall(served, { keyId, exposureUsd: "1" })];
    expect((await resolve(id, { released: true })).status).toBe(200);
    const unknown = await resolve(`call_${"z".repeat(22)}`, { released: true });
    expect(unknown).toMatchObject({ status: 404, json: { error: { code: "not_found" } } });
    const atVendor = await resolve(held, { released: true });
    expect(atVendor).toMatchObject({ status: 409, json: { error: { code: "conflict" } } });
    expect(atVendor.json.message).toContain("still at the vendor");
    await endCall(served, held, "settled", "1");
    expect((await served.store.queryAudit({}, { limit: 9 })).rows).toHaveLength(3);
  });

  const WRONG: readonly (readonly [body: unknown, status: number, message: string])[] = [
    [{}, 422, "nothing says what became of the call"],
    [{ settled_usd: "1", released: true }, 422, "both given"],
    [{ settled_usd: "-1" }, 422, "is not a dollar amount"],
    [{ settled_usd: 1e-9 }, 422, "is not a dollar amount"],
    [{ settled_usd: null }, 422, 'settled_usd must be dollars, like "29.99"'],
    [{ settled_usd: true }, 422, 'settled_usd must be dollars, like "29.99"'],
    [{ released: false }, 422, "released must be true"],
    [{ released: "true" }, 422, "released must be true"],
    [{ relaesed: true }, 422, "did you mean released?"],
    [{ released: true, reason: 5 }, 422, "reason must be text"],
    ["{", 400, "not valid JSON"],
    [undefined, 400, "JSON"],
  ];

  test.each(WRONG)("refuses %j, and the call stays unresolved", async (body, status, message) => {
    const id = await unresolved();
    const answer = await resolve(id, body);
    expect([answer.status, answer.json.message]).toEqual([status, expect.stringContaining(message)]);
    expect((await served.call("GET", "/audit?state=unresolved")).json.rows).toHaveLength(1);
  });

  test("is for admins, and for the issuer of the call's key", async () => {
    const foreign = await unresolved();
    const issued = await served.call("POST", "/vault/keys", { body: SEED_BODY, token: served.tokens.issuer });
    const own = await unresolved(issued.json.id);
    expect((await resolve(foreign, { released: true }, served.tokens.issuer)).status).toBe(404);
    expect((await resolve(own, { released: true }, served.tokens.auditor)).status).toBe(403);
    const done = await resolve(own, { released: true }, served.tokens.issuer);
    expect(done.text).toContain(`operator:${served.tokenIds.issuer}`);
    expect(done.status).toBe(200);
  });

  test("is in the documentation, with its body", async () => {
    const { components } = (await served.call("GET", "/docs/json")).json as unknown as {
      components: { schemas: Record<string, object> };
    };
    const body = JSON.stringify(components.schemas["ResolveCall"]);
    for (const field of ["settled_usd", "released", "reason"]) expect(body).toContain(field);
  });
});
