import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { type Bench, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const SECRET = "sk_test_control_plane_real_secret";

let bench: Bench;
let vendor: VendorDouble;
let server: RunningKeybrake;
let adminToken: string;

beforeAll(async () => {
  bench = await makeBench();
  vendor = await startVendorDouble(succeededIntent);
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: SECRET });
  server = await bench.serve();
  adminToken = /kb_admin_\w+/.exec(server.output())![0];
});

afterAll(async () => {
  await bench.stop();
  await vendor.stop();
});

interface Asked {
  readonly token?: string | null;
  /** JSON as it goes over the wire. */
  readonly json?: string;
  readonly headers?: Record<string, string>;
}

function ask(method: string, path: string, { token = adminToken, json, headers = {} }: Asked = {}): Promise<Response> {
  return fetch(`${server.url}${path}`, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(json === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(json === undefined ? {} : { body: json }),
  });
}

interface Issued {
  readonly id: string;
  readonly key_id: string;
  readonly vault_key: string;
  readonly token: string;
  readonly base_url: string;
  readonly expires_at: string;
  readonly agent_run_label: string;
}

/** A PaymentIntent as stripe-python sends it from the frameworks' own examples. */
function createPaymentIntent(issued: Issued, idempotencyKey: string): Promise<Response> {
  return fetch(`${issued.base_url}/v1/payment_intents`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${issued.vault_key}`,
      "content-type": "application/x-www-form-urlencoded",
      "idempotency-key": idempotencyKey,
      "stripe-version": "2025-03-31.basil",
      "user-agent": "Stripe/v1 PythonBindings/12.0.0",
    },
    body: "amount=2999&currency=usd&customer=cus_9a8b7c",
  });
}

/** As Python's json module writes what the examples of the four frameworks post. */
const EXAMPLES = [
  {
    framework: "Ray",
    label: "ray-billing/01000000",
    expiresInMs: 7_200_000,
    json: '{"vendor": "stripe", "daily_usd_cap": 500.0, "allowed_endpoints": ["POST /v1/payment_intents"], "expires_in": "2h", "agent_run_label": "ray-billing/01000000"}',
  },
  {
    framework: "Dramatiq",
    label: "dramatiq/1f0e3dad",
    expiresInMs: 7_200_000,
    json: '{"vendor": "stripe", "daily_usd_cap": 300.0, "allowed_endpoints": ["POST /v1/payment_intents"], "expires_in": "2h", "agent_run_label": "dramatiq/1f0e3dad"}',
  },
  {
    framework: "Modal",
    label: "modal-billing/cus_9a8b7c",
    expiresInMs: 300_000,
    json: '{"vendor": "stripe", "daily_usd_cap": 50.0, "allowed_endpoints": ["POST /v1/payment_intents"], "expires_in": "5m", "agent_run_label": "modal-billing/cus_9a8b7c"}',
  },
  {
    framework: "Prefect",
    label: "prefect-billing/5d2f9a4e",
    expiresInMs: 14_400_000,
    json: '{"vendor": "stripe", "daily_usd_cap": 500.0, "allowed_endpoints": ["POST /v1/payment_intents", "GET /v1/customers/*"], "expires_in": "4h", "agent_run_label": "prefect-billing/5d2f9a4e"}',
  },
] as const;

describe("the body that the example posts, at each of the three paths, gives a key that works:", () => {
  for (const { framework, label, expiresInMs, json } of EXAMPLES) {
    for (const path of ["/vault/keys", "/v1/keys", "/keys"]) {
      test(`${framework} at ${path}`, async () => {
        const response = await ask("POST", path, { json });
        expect(response.status).toBe(201);
        const issued = (await response.json()) as Issued;
        expect(issued).toMatchObject({ vendor: "stripe", agent_run_label: label, base_url: `${server.url}/stripe` });
        expect(issued.vault_key).toMatch(/^vault_key_/);
        expect([issued.token, issued.key_id]).toEqual([issued.vault_key, issued.id]);
        const left = Date.parse(issued.expires_at) - Date.now();
        expect(left).toBeGreaterThan(expiresInMs - 60_000);
        expect(left).toBeLessThanOrEqual(expiresInMs);
        const before = vendor.requests.length;
        const paid = await createPaymentIntent(issued, `${framework}-${path}`);
        expect(paid.status).toBe(200);
        expect(paid.headers.get("x-keybrake-request-id")).toMatch(/^call_/);
        expect(vendor.requests.slice(before)).toMatchObject([
          { method: "POST", target: "/v1/payment_intents", headers: { authorization: `Bearer ${SECRET}` } },
        ]);
        const audit = await ask("GET", `/audit?label_contains=${encodeURIComponent(label)}&key_id=${issued.id}`);
        expect(audit.status).toBe(200);
        expect(await audit.json()).toMatchObject({
          rows: [{ agent_run_label: label, policy_verdict: "allowed", vault_key_id: issued.id }],
        });
      });
    }
  }
});

async function issue(own: Record<string, unknown> = {}): Promise<Issued> {
  const body = { ...(JSON.parse(EXAMPLES[0].json) as Record<string, unknown>), ...own };
  return (await (await ask("POST", "/vault/keys", { json: JSON.stringify(body) })).json()) as Issued;
}

test("Prefect's second endpoint lets its customers be read, and nothing else be", async () => {
  const issued = (await (await ask("POST", "/vault/keys", { json: EXAMPLES[3].json })).json()) as Issued;
  const headers = { authorization: `Bearer ${issued.vault_key}` };
  expect((await fetch(`${issued.base_url}/v1/customers/cus_9a8b7c`, { headers })).status).toBe(200);
  expect((await fetch(`${issued.base_url}/v1/customers`, { headers })).status).toBe(403);
  expect((await fetch(`${issued.base_url}/v1/balance`, { headers })).status).toBe(403);
});

describe("DELETE /vault/keys/{id}", () => {
  test("is in force for the next call, which is a 401 and no vendor call, and may be repeated", async () => {
    const issued = await issue();
    expect((await createPaymentIntent(issued, "before")).status).toBe(200);
    const before = vendor.requests.length;
    expect((await ask("DELETE", `/vault/keys/${issued.id}`)).status).toBe(200);
    const late = await createPaymentIntent(issued, "after");
    expect(late.status).toBe(401);
    expect(await late.json()).toMatchObject({ keybrake: { code: "key_revoked" } });
    expect(vendor.requests.length).toBe(before);
    expect((await ask("DELETE", `/vault/keys/${issued.id}`)).status).toBe(200);
  });

  test("with hard=true aborts the call in flight before it answers", async () => {
    const issued = await issue();
    const before = vendor.requests.length;
    vendor.answer = () => "hang";
    const call = createPaymentIntent(issued, "hangs");
    while (vendor.requests.length === before) await Bun.sleep(1);
    vendor.answer = succeededIntent;
    expect((await ask("DELETE", `/vault/keys/${issued.id}?hard=true&reason=stuck%20loop`)).status).toBe(200);
    expect((await call).status).toBe(504);
  });
});

test("a repeat with the same Idempotency-Key gets the same key, and one with another body is refused", async () => {
  const headers = { "idempotency-key": "issue-once-1" };
  const first = await (await ask("POST", "/vault/keys", { json: EXAMPLES[0].json, headers })).json();
  const again = await (await ask("POST", "/keys", { json: EXAMPLES[0].json, headers })).json();
  expect((again as Issued).vault_key).toBe((first as Issued).vault_key);
  expect((await ask("POST", "/vault/keys", { json: EXAMPLES[2].json, headers })).status).toBe(409);
});

describe("who may ask", () => {
  for (const [method, path] of [
    ["POST", "/vault/keys"],
    ["GET", "/vault/keys"],
    ["GET", "/audit"],
    ["POST", "/brake"],
  ] as const) {
    const json = method === "POST" ? EXAMPLES[0].json : undefined;
    const given = json === undefined ? {} : { json };

    test(`${method} ${path} is 401 without a token and with a wrong one, 403 with a vault key`, async () => {
      const issued = await issue();
      expect((await ask(method, path, { token: null, ...given })).status).toBe(401);
      expect((await ask(method, path, { token: `${adminToken}x`, ...given })).status).toBe(401);
      expect((await ask(method, path, { token: issued.vault_key, ...given })).status).toBe(403);
    });
  }

  test("a token that the command line issued works at once, and its role holds", async () => {
    const admin = await bench.json<{ token: string }>(["token", "issue", "--role", "admin"]);
    const auditor = await bench.json<{ token: string }>(["token", "issue", "--role", "auditor"]);
    expect((await ask("GET", "/vault/keys", { token: admin.token })).status).toBe(200);
    expect((await ask("GET", "/audit", { token: auditor.token })).status).toBe(200);
    const refused = await ask("POST", "/vault/keys", { token: auditor.token, json: EXAMPLES[0].json });
    expect(refused.status).toBe(403);
  });

  test("a vault key may look at itself, with what is left of it", async () => {
    const issued = await issue({ daily_usd_cap: 40 });
    expect((await createPaymentIntent(issued, "self")).status).toBe(200);
    const self = await ask("GET", "/vault/self", { token: issued.vault_key });
    expect(self.status).toBe(200);
    const text = await self.text();
    expect(text).toContain("29.99");
    expect(text).not.toContain(issued.vault_key);
  });
});

test("a misspelt field is 422 with the nearest name, and no key is issued", async () => {
  const before = ((await (await ask("GET", "/vault/keys?limit=200")).json()) as { keys: unknown[] }).keys.length;
  const response = await ask("POST", "/vault/keys", {
    json: '{"vendor": "stripe", "daily_usd_capp": 500.0, "expires_in": "2h"}',
  });
  expect(response.status).toBe(422);
  const text = await response.text();
  expect(text).toContain("daily_usd_capp");
  expect(text).toMatch(/daily_usd_cap\b/);
  const after = ((await (await ask("GET", "/vault/keys?limit=200")).json()) as { keys: unknown[] }).keys.length;
  expect(after).toBe(before);
});

describe("without a token", () => {
  for (const path of ["/healthz", "/readyz", "/docs", "/docs/json"]) {
    test(`${path} answers`, async () => {
      expect((await ask("GET", path, { token: null })).status).toBe(200);
    });
  }

  test("/docs is a page that asks no other host for anything", async () => {
    const response = await ask("GET", "/docs", { token: null });
    expect(response.headers.get("content-type")).toContain("text/html");
    const page = await response.text();
    const elsewhere = [...page.matchAll(/(?:https?:)?\/\/[a-z0-9.-]+\.[a-z]{2,}/gi)].map(([url]) => url);
    expect(elsewhere).toEqual([]);
  });

  test("/docs/json describes the routes that the examples call", async () => {
    const { paths } = (await (await ask("GET", "/docs/json", { token: null })).json()) as { paths: object };
    expect(Object.keys(paths)).toEqual(expect.arrayContaining(["/vault/keys", "/vault/keys/{id}", "/audit"]));
  });
});
