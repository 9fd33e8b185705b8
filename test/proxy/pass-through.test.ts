import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { gzipSync } from "node:zlib";
import { DOUBLE_SECRETS, startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { exchange, statuses } from "../harness/raw-socket.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let vendor: VendorDouble;
let plane: TestPlane;
let key: TestKey;

beforeAll(async () => {
  vendor = await startVendorDouble(() => ({ status: 200, body: "{}" }));
  plane = await startPlane({ origins: { stripe: vendor.origin, resend: vendor.origin } });
  key = await plane.issue({ daily_usd_cap: 100_000 });
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const SUCCEEDED = { id: "pi_1", amount: 2000, amount_received: 2000, currency: "usd", status: "succeeded" };

function call(path: string, init: RequestInit = {}, token = key.token): Promise<Response> {
  return fetch(`${plane.url}${path}`, {
    redirect: "manual",
    ...init,
    headers: { authorization: `Bearer ${token}`, ...(init.body ? FORM : {}), ...init.headers },
  });
}

/** A form that is sent piece by piece, without its length; `trailer` is what comes behind it. */
function inChunks(target: string, pieces: readonly string[], token = key.token, trailer = ""): Promise<string> {
  const head = `POST ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`;
  const framing = `Content-Type: ${FORM["content-type"]}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunks = pieces.map((piece) => `${piece.length.toString(16)}\r\n${piece}\r\n`).join("");
  return exchange(plane.port, `${head}${framing}${chunks}0\r\n${trailer}\r\n`);
}

function pay(headers: Record<string, string> = {}): Promise<Response> {
  const body = "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa";
  return call("/stripe/v1/payment_intents", { method: "POST", body, headers });
}

describe("what reaches the vendor", () => {
  test("is the path, query and body byte for byte, on an allow-list of headers", async () => {
    vendor.answer = () => ({ status: 200, body: JSON.stringify(SUCCEEDED) });
    const body =
      "amount=2000&currency=usd&confirm=true&metadata[note]=caf%C3%A9+au+lait%26&payment_method=pm_card_visa";
    const headers = {
      "stripe-version": "2026-10-28.endive",
      "x-agent-run-id": "run-7",
      "x-custom": "1",
      cookie: "a=b",
      "x-forwarded-for": "1.2.3.4",
    };
    const response = await call("/stripe/v1/payment_intents", { method: "POST", body, headers });
    expect(response.status).toBe(200);
    const request = vendor.requests.at(-1)!;
    expect(request.target).toBe("/v1/payment_intents");
    expect(request.body).toBe(body);
    expect(Object.keys(request.headers).sort()).toEqual([
      "accept",
      "accept-encoding",
      "authorization",
      "connection",
      "content-length",
      "content-type",
      "host",
      "idempotency-key",
      "stripe-version",
      "user-agent",
    ]);
    expect(request.headers["authorization"]).toBe(`Bearer ${DOUBLE_SECRETS.stripe}`);
    expect(request.raw.includes(key.token)).toBe(false);
  });

  test("is a body in chunks, as stripe-go sends it, whole and with its length", async () => {
    vendor.answer = () => ({ status: 200, body: JSON.stringify(SUCCEEDED) });
    const pieces = ["amount=2000&curr", "ency=usd&confirm=true&payment_", "method=pm_card_visa"];
    const answer = await inChunks("/stripe/v1/payment_intents", pieces);
    expect(statuses(answer), answer).toEqual([200]);
    const { headers, body } = vendor.requests.at(-1)!;
    expect(body).toBe(pieces.join(""));
    expect([headers["content-length"], headers["transfer-encoding"]]).toEqual([String(body.length), undefined]);
  });

  test("is no body in chunks where no SDK of the vendor's sends one, or where trailers come behind it", async () => {
    const before = vendor.requests.length;
    const mail = await plane.issue({ vendor: "resend", daily_usd_cap: 10, allowed_endpoints: ["POST /emails"] });
    for (const [target, token, trailer] of [
      ["/resend/emails", mail.token, ""],
      ["/stripe/v1/payment_intents", key.token, "Idempotency-Key: another\r\n"],
    ] as const) {
      const answer = await inChunks(target, ["amount=2000&currency=usd"], token, trailer);
      expect(statuses(answer), answer).toEqual([400]);
      expect(answer).toContain(trailer === "" ? "Transfer-Encoding" : "trailers");
    }
    expect(vendor.requests.length).toBe(before);
  });

  test("keeps the query as it was written", async () => {
    vendor.answer = () => ({ status: 200, body: "{}" });
    await call("/stripe/v1/customers?limit=3&email=a%40b.example&expand[]=data.sources");
    expect(vendor.requests.at(-1)!.target).toBe("/v1/customers?limit=3&email=a%40b.example&expand[]=data.sources");
  });

  test("takes the vendor from the key where the path has no prefix", async () => {
    await call("/v1/customers/cus_9a8b7c6d");
    expect(vendor.requests.at(-1)!.target).toBe("/v1/customers/cus_9a8b7c6d");
  });

  test("takes the key as Basic user name, Basic password, Bearer, and with its underscores left out", async () => {
    const before = vendor.requests.length;
    const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString("base64")}` });
    for (const headers of [
      basic(`${key.token}:`),
      basic(`x:${key.token}`),
      { authorization: `Bearer ${key.token.replaceAll("_", "")}` },
    ]) {
      const response = await fetch(`${plane.url}/stripe/v1/customers`, { headers });
      expect(response.status).toBe(200);
    }
    expect(vendor.requests.length - before).toBe(3);
  });

  test("has an idempotency key of its own per vault key; the client gets its own back", async () => {
    vendor.answer = (request) => ({
      status: 200,
      headers: { "idempotency-key": request.headers["idempotency-key"]! },
      body: JSON.stringify(SUCCEEDED),
    });
    const other = await plane.issue({ daily_usd_cap: 100_000 });
    const response = await pay({ "idempotency-key": "order-1" });
    expect(response.headers.get("idempotency-key")).toBe("order-1");
    const first = vendor.requests.at(-1)!.headers["idempotency-key"]!;
    await pay({ "idempotency-key": "order-1" });
    const again = vendor.requests.at(-1)!.headers["idempotency-key"]!;
    await call(
      "/stripe/v1/payment_intents",
      { method: "POST", body: "amount=1&currency=usd", headers: { "idempotency-key": "order-1" } },
      other.token,
    );
    const foreign = vendor.requests.at(-1)!.headers["idempotency-key"]!;
    expect(first).toMatch(/^kb_[0-9a-f]{48}$/);
    expect(again).toBe(first);
    expect(foreign).not.toBe(first);
  });

  test("does not come from a key of another vendor", async () => {
    const before = vendor.requests.length;
    const response = await call("/resend/emails", {
      method: "POST",
      body: "{}",
      headers: { "content-type": "application/json" },
    });
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ statusCode: 403, keybrake: { code: "endpoint_denied" } });
    expect(vendor.requests.length).toBe(before);
  });
});

describe("what reaches the client", () => {
  test("is the vendor's status, headers and body, without what only concerns the connection or a browser", async () => {
    vendor.answer = () => ({
      status: 201,
      headers: {
        "request-id": "req_9",
        "x-vendor": "yes",
        "set-cookie": "a=b",
        "alt-svc": "h3",
        "clear-site-data": "*",
        "x-keybrake-cost-usd": "0.00",
      },
      body: '{ "odd" :  [1,2 ] }',
    });
    const response = await pay();
    expect(response.status).toBe(201);
    expect(await response.text()).toBe('{ "odd" :  [1,2 ] }');
    expect(response.headers.get("request-id")).toBe("req_9");
    expect(response.headers.get("x-vendor")).toBe("yes");
    for (const name of ["set-cookie", "alt-svc", "clear-site-data"]) expect(response.headers.has(name)).toBe(false);
    expect(response.headers.get("x-keybrake-cost-usd")).toBe("20.00");
    expect(response.headers.get("x-keybrake-request-id")).toMatch(/^call_/);
  });

  test.each([
    ["text/html; charset=utf-8", true],
    ["image/svg+xml", true],
    ["text/javascript", true],
    ["application/json", false],
    ["application/json; charset=utf-8", false],
  ])("of type %s cannot run in a browser as a page of the proxy's own", async (type, isShown) => {
    const own = { "content-type": type, "strict-transport-security": "max-age=1", "service-worker-allowed": "/" };
    vendor.answer = () => ({ status: 200, headers: own, body: "<script>fetch('/vault/keys')</script>" });
    const { headers } = await call("/stripe/v1/customers/cus_1");
    expect(headers.get("content-type")).toBe(type);
    expect(headers.get("content-security-policy")).toBe(isShown ? "sandbox" : null);
    expect(headers.get("x-content-type-options")).toBe(isShown ? "nosniff" : null);
    expect(["strict-transport-security", "service-worker-allowed"].filter((name) => headers.has(name))).toEqual([]);
  });

  test("is a redirect, passed on and never followed", async () => {
    const before = vendor.requests.length;
    vendor.answer = () => ({ status: 302, headers: { location: `${vendor.origin}/v1/elsewhere` }, body: "" });
    const response = await call("/stripe/v1/customers");
    expect(response.status).toBe(302);
    expect(response.headers.get("location")).toBe(`${vendor.origin}/v1/elsewhere`);
    expect(vendor.requests.length - before).toBe(1);
  });

  test("tells what is left of the cap, and warns beyond 80 % of it through the SDK's own notice", async () => {
    const small = await plane.issue({ daily_usd_cap: 50 });
    vendor.answer = () => ({ status: 200, body: JSON.stringify(SUCCEEDED) });
    const body = "amount=2000&currency=usd&confirm=true";
    const first = await call("/stripe/v1/payment_intents", { method: "POST", body }, small.token);
    expect(first.headers.get("x-keybrake-cap-remaining-usd")).toBe("30.00");
    expect(first.headers.has("stripe-notice")).toBe(false);
    const second = await call("/stripe/v1/payment_intents", { method: "POST", body }, small.token);
    expect(second.headers.get("x-keybrake-cap-remaining-usd")).toBe("10.00");
    expect(second.headers.get("stripe-notice")).toContain("$40.00 of the $50.00 daily_usd_cap");
    const third = await call("/stripe/v1/payment_intents", { method: "POST", body }, small.token);
    expect(third.status).toBe(429);
    expect(await third.json()).toMatchObject({
      error: { code: "keybrake_cap_exceeded" },
      keybrake: {
        code: "cap_exceeded",
        cap_usd: "50.00",
        used_usd: "40.00",
        requested_usd: "20.00",
        budget: "daily_usd_cap",
        reset_at: "2026-01-16T00:00:00.000Z",
        key_id: small.id,
      },
    });
  });

  for (const [how, spell] of [
    ["in clear", (secret: string) => secret],
    ["in base64", (secret: string) => Buffer.from(secret).toString("base64")],
    [
      "with lower-case percent escapes",
      (secret: string) => encodeURIComponent(secret).replace(/%../g, (one) => one.toLowerCase()),
    ],
  ] as const) {
    test(`never has the secret that a vendor echoes ${how}, in body or header`, async () => {
      const echoed = spell(DOUBLE_SECRETS.stripe);
      vendor.answer = () => ({
        status: 401,
        headers: { "www-authenticate": echoed },
        body: `{"error":{"message":"bad key ${echoed}"}}`,
      });
      const response = await pay();
      expect([...response.headers].flat().join()).not.toContain(echoed);
      expect(await response.text()).toBe('{"error":{"message":"bad key [redacted]"}}');
    });
  }

  test("never has the secret that is spelled in JSON escapes, and keeps other escapes as they are", async () => {
    const escaped = [...DOUBLE_SECRETS.stripe].map((one) => `\\u00${one.charCodeAt(0).toString(16)}`).join("");
    vendor.answer = () => ({ status: 200, body: `{"echo":"${escaped}","quote":"\\u0022"}` });
    expect(await (await pay()).text()).toBe('{"echo":"[redacted]","quote":"\\u0022"}');
    vendor.answer = () => ({ status: 200, body: '{"name":"\\u0041da"}' });
    expect(await (await pay()).text()).toBe('{"name":"\\u0041da"}');
  });

  test("never has the secret inside the base64 of something longer", async () => {
    for (const before of ["Authorization: Bearer ", "x", "xy", "xyz"]) {
      const echoed = Buffer.from(`${before}${DOUBLE_SECRETS.stripe} and more`).toString("base64");
      vendor.answer = () => ({ status: 200, body: `{"echo":"${echoed}"}` });
      const { echo } = (await (await pay()).json()) as { echo: string };
      expect(Buffer.from(echo, "base64").toString("latin1")).not.toContain(DOUBLE_SECRETS.stripe.slice(4, -4));
    }
  });

  test("never has the secret that is hidden in a compressed answer or cut across the pieces of a stream", async () => {
    vendor.answer = () => ({
      status: 200,
      headers: { "content-encoding": "gzip" },
      body: gzipSync(`{"echo":"${DOUBLE_SECRETS.stripe}"}`),
    });
    const compressed = await pay();
    expect(await compressed.text()).toBe('{"echo":"[redacted]"}');
    const filler = "x".repeat(300_000);
    vendor.answer = () => ({ status: 200, body: `{"data":"${filler}${DOUBLE_SECRETS.stripe}${filler}"}` });
    const streamed = await call("/stripe/v1/customers");
    expect(await streamed.text()).toBe(`{"data":"${filler}[redacted]${filler}"}`);
  });

  test("is the compressed answer as it came, with its cost read all the same", async () => {
    const body = gzipSync(JSON.stringify({ ...SUCCEEDED, amount_received: 700 }));
    vendor.answer = () => ({ status: 200, headers: { "content-encoding": "gzip" }, body });
    const response = await pay();
    expect(response.headers.get("x-keybrake-cost-usd")).toBe("7.00");
    expect(await response.json()).toMatchObject({ amount_received: 700 });
  });

  test("is a HEAD answer without a body, and an OPTIONS answer as the vendor gives it", async () => {
    vendor.answer = (request) => ({
      status: 200,
      headers: { allow: "GET" },
      body: request.method === "HEAD" ? "12345" : "{}",
    });
    const head = await call("/stripe/v1/customers/cus_9a8b7c6d", { method: "HEAD" });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe("");
    expect(vendor.requests.at(-1)!.method).toBe("HEAD");
  });
});

describe("who is answered 401", () => {
  const cases = [
    ["nothing at all", {}, "key_missing"],
    ["the vendor's own secret", { authorization: "Bearer sk_test_somebody" }, "key_unknown"],
    [
      "a vault key with a typo",
      () => ({ authorization: `Bearer ${key.token.slice(0, -1)}${key.token.endsWith("a") ? "b" : "a"}` }),
      "key_unknown",
    ],
  ] as const;
  for (const [what, headers, code] of cases) {
    test(`a caller who sends ${what}; counted, without a row`, async () => {
      const before = { calls: vendor.requests.length, unknown: plane.plane.unknownKeyCalls };
      const rows = (await plane.store.auditTotals({})).calls;
      const sent = typeof headers === "function" ? headers() : headers;
      const response = await fetch(`${plane.url}/stripe/v1/customers`, { headers: sent });
      expect(response.status).toBe(401);
      expect(await response.json()).toMatchObject({ error: { code: `keybrake_${code}` }, keybrake: { code } });
      expect(vendor.requests.length).toBe(before.calls);
      expect(plane.plane.unknownKeyCalls).toBe(before.unknown + 1);
      expect((await plane.store.auditTotals({})).calls).toBe(rows);
    });
  }

  test("a key that has expired, and one that was revoked; each with its row", async () => {
    const short = await plane.issue({}, { expiresAt: plane.clock.now() + 1000 });
    vendor.answer = () => ({ status: 200, body: "{}" });
    expect((await call("/stripe/v1/customers", {}, short.token)).status).toBe(200);
    plane.clock.advance(1000);
    const expired = await call("/stripe/v1/customers", {}, short.token);
    expect(expired.status).toBe(401);
    expect(await expired.json()).toMatchObject({ keybrake: { code: "key_expired" } });
    const dead = await plane.issue({});
    await plane.store.revokeKeys({ ids: [dead.id] }, null, plane.clock.now());
    const revoked = await call("/stripe/v1/customers", {}, dead.token);
    expect(await revoked.json()).toMatchObject({ keybrake: { code: "key_revoked" } });
    const { rows } = await plane.store.queryAudit({ keyId: dead.id }, { limit: 5 });
    expect(rows).toMatchObject([{ policyVerdict: "key_revoked", state: "refused" }]);
  });

  test("nobody by two different keys at once: that is refused as ambiguous", async () => {
    const other = await plane.issue({});
    const basic = Buffer.from(`${key.token}:${other.token}`).toString("base64");
    const response = await fetch(`${plane.url}/stripe/v1/customers`, { headers: { authorization: `Basic ${basic}` } });
    expect(response.status).toBe(400);
  });
});

describe("nothing leaves", () => {
  test("while the store cannot be written; and calls work again when it can", async () => {
    const before = vendor.requests.length;
    const apply = plane.store.apply;
    plane.store.apply = async () => {
      throw new Error("disk full");
    };
    const refused = await pay();
    plane.store.apply = apply;
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ error: { code: "keybrake_store_unavailable" } });
    expect(vendor.requests.length).toBe(before);
    vendor.answer = () => ({ status: 200, body: JSON.stringify(SUCCEEDED) });
    expect((await pay()).status).toBe(200);
  });

  test("while the server drains", async () => {
    const before = vendor.requests.length;
    plane.plane.draining = true;
    const refused = await pay();
    plane.plane.draining = false;
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("2");
    expect(vendor.requests.length).toBe(before);
  });

  test("for a vendor without a secret", async () => {
    const orphan = await plane.issue({ vendor: "twilio" });
    const response = await fetch(`${plane.url}/twilio/2010-04-01/Accounts/AC1/Messages.json`, {
      headers: { authorization: `Bearer ${orphan.token}` },
    });
    expect(response.status).toBe(503);
    const body = await response.text();
    expect(body).toContain("vendor_not_configured");
  });

  test("of a second request that is sent before the first is answered, unless it has its own row and answer", async () => {
    vendor.answer = () => ({ status: 200, body: JSON.stringify(SUCCEEDED) });
    const rows = (await plane.store.auditTotals({})).calls;
    const request = `GET /stripe/v1/customers HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${key.token}\r\n\r\n`;
    const answer = await exchange(plane.port, request + request);
    expect(statuses(answer)).toEqual([200, 200]);
    expect((await plane.store.auditTotals({})).calls).toBe(rows + 2);
  });
});
