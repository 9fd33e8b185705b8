import { afterEach, beforeEach, expect, test } from "bun:test";
import { type Answered, SEED_BODY, type Served, serve } from "./served.ts";

let served: Served;

beforeEach(async () => {
  served = await serve();
});
afterEach(() => served.close());

function issue(key: string, body: object = SEED_BODY, token = served.tokens.admin): Promise<Answered> {
  return served.call("POST", "/vault/keys", { body, token, headers: { "idempotency-key": key } });
}

async function keysIssued(): Promise<number> {
  return (await served.call("GET", "/vault/keys")).json.keys.length;
}

test("a repeat gets the same key for a day, and no second one is made", async () => {
  const first = await issue("run-1");
  served.clock.nowMs += 86_399_999;
  const again = await served.call("POST", "/v1/keys", { body: SEED_BODY, headers: { "idempotency-key": "run-1" } });
  expect(again.status).toBe(201);
  expect(again.json).toEqual(first.json);
  expect(await keysIssued()).toBe(1);
  served.clock.nowMs += 1;
  expect((await issue("run-1")).json.id).not.toBe(first.json.id);
});

test("another body under the same key is 409, and issues nothing", async () => {
  await issue("run-1");
  expect((await issue("run-1", { ...SEED_BODY, daily_usd_cap: 501 })).status).toBe(409);
  expect(await keysIssued()).toBe(1);
});

test("one operator's key says nothing to another", async () => {
  const first = await issue("run-1");
  const other = await issue("run-1", SEED_BODY, served.tokens.issuer);
  expect(other.status).toBe(201);
  expect(other.json.id).not.toBe(first.json.id);
});

test("a refused request is not remembered", async () => {
  expect((await issue("run-1", { ...SEED_BODY, vendor: "strip" })).status).toBe(422);
  expect((await issue("run-1")).status).toBe(201);
});

test("of twins that come at once, both get the same key, and the other one is revoked", async () => {
  const [a, b] = await Promise.all([issue("run-1"), issue("run-1")]);
  expect(a!.json).toEqual(b!.json);
  const active = (await served.call("GET", "/vault/keys?active=true")).json.keys;
  expect(active.map(({ id }: { id: string }) => id)).toEqual([a!.json.id]);
});

test("twins with a unique label get the same key, and not 409", async () => {
  const body = { ...SEED_BODY, unique_label: true };
  const [a, b] = await Promise.all([issue("run-1", body), issue("run-1", body)]);
  expect([a!.status, b!.status]).toContain(201);
  const again = await issue("run-1", body);
  expect(again.status).toBe(201);
  expect([a!.json.id, b!.json.id]).toContain(again.json.id);
});

test("a key whose answer cannot be remembered is revoked: nobody was told of it", async () => {
  Object.assign(served.store, { rememberAnswer: () => Promise.reject(new Error("disk I/O error")) });
  expect((await issue("run-1")).status).toBe(500);
  expect((await served.call("GET", "/vault/keys?active=true")).json.keys).toEqual([]);
});

test("refuses a key that is none", async () => {
  for (const key of ["a b", "x".repeat(256)]) expect((await issue(key)).status).toBe(422);
});
