import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { type Bench, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { ACCOUNT_SID, setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const FORM = "application/x-www-form-urlencoded";

type VendorName = "stripe" | "twilio" | "resend";

interface Sent {
  readonly path?: string;
  readonly body?: string;
}

/** How a vendor's SDK asks for something that costs, and what its errors look like. */
interface VendorManner {
  readonly secret: string;
  readonly path: string;
  readonly type: string;
  readonly body: string;
  /** An endpoint that no policy here allows, and a path that two parsers could read differently. */
  readonly other: string;
  readonly ambiguous: string;
  credential(token: string): string;
  /** What stands in the error beside `keybrake`. */
  error(status: number): Record<string, unknown>;
}

const MANNERS: Readonly<Record<VendorName, VendorManner>> = {
  stripe: {
    secret: "sk_test_shapes_real_secret_0123456789",
    path: "/v1/payment_intents",
    type: FORM,
    body: "amount=500&currency=usd&confirm=true&payment_method=pm_card_visa",
    other: "/v1/payouts",
    ambiguous: "/v1/charges/%2e%2e/payouts",
    credential: (token) => `Bearer ${token}`,
    error: (status) => ({
      error: {
        type: status >= 500 ? "api_error" : "invalid_request_error",
        code: expect.stringMatching(/^keybrake_[a-z_]+$/),
        message: expect.stringMatching(/^Keybrake: /),
      },
    }),
  },
  twilio: {
    secret: "e2e0real0twilio0auth0token0abcdef",
    path: `/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`,
    type: FORM,
    body: "To=%2B14155550100&From=%2B14155550199&Body=hello",
    other: `/2010-04-01/Accounts/${ACCOUNT_SID}/Calls.json`,
    ambiguous: `/2010-04-01//Accounts/${ACCOUNT_SID}/Messages.json`,
    credential: (token) => `Basic ${btoa(`${ACCOUNT_SID}:${token}`)}`,
    error: (status) => ({
      code: expect.any(Number),
      message: expect.stringMatching(/^Keybrake: /),
      more_info: expect.stringMatching(/^https:\/\//),
      status,
    }),
  },
  resend: {
    secret: "re_shapes_real_secret_0123456789",
    path: "/emails",
    type: "application/json",
    body: '{"from":"a@example.com","to":["b@example.org"],"subject":"hi","text":"hello"}',
    other: "/broadcasts",
    ambiguous: "/emails/../broadcasts",
    credential: (token) => `Bearer ${token}`,
    error: (status) => ({
      statusCode: status,
      name: expect.stringMatching(/^[a-z_]+$/),
      message: expect.stringMatching(/^Keybrake: /),
    }),
  },
};
const NAMES = Object.keys(MANNERS) as VendorName[];

let bench: Bench;
let server: RunningKeybrake;
const doubles = {} as Record<VendorName, VendorDouble>;

beforeAll(async () => {
  bench = await makeBench();
  const message = { sid: `SM${"0".repeat(32)}`, status: "queued", num_segments: "1", price: null };
  doubles.stripe = await startVendorDouble(succeededIntent);
  doubles.twilio = await startVendorDouble(() => ({ status: 201, body: JSON.stringify(message) }));
  doubles.resend = await startVendorDouble(() => ({ status: 200, body: '{"id":"email_double_1"}' }));
  for (const name of NAMES)
    await setVendor(bench, name, { origin: doubles[name].origin, secret: MANNERS[name].secret });
  server = await bench.serve();
});

afterAll(async () => {
  await bench.stop();
  for (const double of Object.values(doubles)) await double.stop();
});

let issued = 0;

function issueKey(vendor: VendorName, caps: readonly string[] = ["--daily-usd-cap", "100"]): Promise<IssuedKey> {
  const endpoint = MANNERS[vendor].path.replace(ACCOUNT_SID, "*");
  issued += 1;
  const policy = ["--vendor", vendor, "--allowed-endpoints", `POST ${endpoint}`, ...caps];
  return bench.json<IssuedKey>(["key", "issue", ...policy, "--expires-in", "1h", "--label", `shapes/${issued}`]);
}

function send(vendor: VendorName, token: string | undefined, { path, body }: Sent = {}): Promise<Response> {
  const manner = MANNERS[vendor];
  return fetch(`${server.url}/${vendor}${path ?? manner.path}`, {
    method: "POST",
    headers: {
      "content-type": manner.type,
      ...(token === undefined ? {} : { authorization: manner.credential(token) }),
    },
    body: body ?? manner.body,
  });
}

interface Case {
  readonly code: string;
  readonly status: number;
  /** Whether the call has a row: every call with a known key has one. */
  readonly rows: number;
  /** The answer to the last call. */
  run(vendor: VendorName): Promise<{ response: Response; key: IssuedKey | undefined }>;
}

/** A call with a key of its own, after `before` has been done to that key. */
async function after(vendor: VendorName, before: (key: IssuedKey) => Promise<unknown>, sent: Sent = {}) {
  const key = await issueKey(vendor);
  await before(key);
  return { response: await send(vendor, key.vault_key, sent), key };
}
const nothing = async () => {};

const CASES: readonly Case[] = [
  {
    code: "key_missing",
    status: 401,
    rows: 0,
    run: async (vendor) => ({ response: await send(vendor, undefined), key: undefined }),
  },
  {
    code: "key_unknown",
    status: 401,
    rows: 0,
    run: async (vendor) => ({ response: await send(vendor, "vault_key_nobody"), key: undefined }),
  },
  {
    code: "key_revoked",
    status: 401,
    rows: 1,
    run: (vendor) => after(vendor, ({ id }) => bench.cli(["key", "revoke", id])),
  },
  {
    code: "endpoint_denied",
    status: 403,
    rows: 1,
    run: (vendor) => after(vendor, nothing, { path: MANNERS[vendor].other }),
  },
  {
    code: "encoding_unsupported",
    status: 415,
    rows: 1,
    run: async (vendor) => {
      const key = await issueKey(vendor);
      const { path, credential, body } = MANNERS[vendor];
      const headers = { authorization: credential(key.vault_key), "content-type": "text/plain" };
      return { response: await fetch(`${server.url}/${vendor}${path}`, { method: "POST", headers, body }), key };
    },
  },
  {
    code: "body_too_large",
    status: 413,
    rows: 1,
    run: (vendor) => after(vendor, nothing, { body: "x".repeat(1024 * 1024 + 1) }),
  },
];

describe("a refusal has the vendor's own shape and one object keybrake, sends nothing, and leaves its row:", () => {
  for (const { code, status, rows, run } of CASES) {
    for (const vendor of NAMES) {
      test(`${status} ${code} at ${vendor}`, async () => {
        const before = doubles[vendor].requests.length;
        const { response, key } = await run(vendor);
        expect(response.status).toBe(status);
        expect(response.headers.get("content-type")).toContain("application/json");
        expect(response.headers.get("x-keybrake-cap-hit")).toBeNull();
        expect(response.headers.get("retry-after")).toBeNull();
        const body = (await response.json()) as { keybrake: Record<string, unknown> };
        const { keybrake, ...shape } = body;
        expect(shape).toEqual(MANNERS[vendor].error(status));
        const requestId = response.headers.get("x-keybrake-request-id");
        expect(keybrake).toMatchObject({ code, message: expect.any(String), request_id: requestId });
        expect(keybrake["key_id"]).toBe(key?.id);
        expect(doubles[vendor].requests.length).toBe(before);
        const audit = key ? await bench.json<object[]>(["audit", "--key", key.id]) : [];
        expect(audit).toMatchObject(
          Array.from({ length: rows }, () => ({ id: requestId, policy_verdict: code, state: "refused" })),
        );
      });
    }
  }
});

describe("a cap hit", () => {
  for (const [vendor, caps, details] of [
    [
      "stripe",
      ["--daily-usd-cap", "9"],
      { budget: "daily_usd_cap", requested_usd: "5.00", cap_usd: "9.00", used_usd: "5.00" },
    ],
    ["twilio", ["--daily-send-cap", "1"], { budget: "daily_send_cap", cap_sends: 1, used_sends: 1 }],
    ["resend", ["--daily-send-cap", "1"], { budget: "daily_send_cap", cap_sends: 1, used_sends: 1 }],
  ] as const) {
    test(`at ${vendor} is 429, says cap, used and reset, and tells no client to try again`, async () => {
      const key = await issueKey(vendor, caps);
      const first = await send(vendor, key.vault_key);
      expect(first.ok).toBe(true);
      const response = await send(vendor, key.vault_key);
      expect(response.status).toBe(429);
      expect(response.headers.get("x-keybrake-cap-hit")).toBe("true");
      expect(response.headers.get("retry-after")).toBeNull();
      const { keybrake, ...shape } = (await response.json()) as { keybrake: Record<string, unknown> };
      expect(shape).toEqual(MANNERS[vendor].error(429));
      expect(keybrake).toMatchObject({ code: "cap_exceeded", key_id: key.id, ...details });
      expect(keybrake["reset_at"]).toMatch(/^\d{4}-\d\d-\d\dT00:00:00\.000Z$/);
    });
  }
});

describe("an answer that was forwarded", () => {
  for (const vendor of NAMES) {
    test(`from ${vendor} says what it cost and what is left, beside the vendor's own`, async () => {
      const key = await issueKey(vendor);
      const response = await send(vendor, key.vault_key);
      expect(response.ok).toBe(true);
      const [row] = await bench.json<Record<string, unknown>[]>(["audit", "--key", key.id]);
      expect(response.headers.get("x-keybrake-request-id")).toBe(String(row!["id"]));
      expect(response.headers.get("x-keybrake-cost-usd")).toMatch(/^\d+\.\d{2,6}$/);
      expect(response.headers.get("x-keybrake-cap-remaining-usd")).toMatch(/^\d+\.\d{2,6}$/);
      expect(await response.json()).not.toHaveProperty("keybrake");
    });
  }

  test("has the agent's own ids in its row, and they are not forwarded", async () => {
    const key = await issueKey("stripe");
    const { path, type, body, credential } = MANNERS.stripe;
    const ids = { "x-agent-run-id": "run-7", "x-agent-name": "biller", "x-triggering-event-id": "evt_1" };
    const headers = { authorization: credential(key.vault_key), "content-type": type, ...ids };
    expect((await fetch(`${server.url}/stripe${path}`, { method: "POST", headers, body })).status).toBe(200);
    expect(await bench.json<object[]>(["audit", "--key", key.id])).toMatchObject([
      { agent_run_id: "run-7", agent_name: "biller", triggering_event_id: "evt_1" },
    ]);
    expect(doubles.stripe.requests.at(-1)!.raw.toString()).not.toMatch(/x-agent|x-triggering|run-7|biller|evt_1/i);
  });
});

describe("no vendor", () => {
  test("by that name is 404 vendor_unknown, in a shape that every SDK takes for an error", async () => {
    const { vault_key } = await issueKey("stripe");
    const headers = { authorization: `Bearer ${vault_key}` };
    const response = await fetch(`${server.url}/nobody/v1/charges`, { headers });
    expect(response.status).toBe(404);
    expect(await response.json()).toMatchObject({
      error: { code: "keybrake_vendor_unknown" },
      keybrake: { code: "vendor_unknown" },
    });
  });

  test("behind its address is 502 upstream_unreachable, and the hold is given back", async () => {
    const key = await issueKey("stripe");
    const { secret } = MANNERS.stripe;
    await setVendor(bench, "stripe", { origin: `http://127.0.0.1:${await freePort()}`, secret });
    const response = await send("stripe", key.vault_key);
    await setVendor(bench, "stripe", { origin: doubles.stripe.origin, secret });
    expect(response.status).toBe(502);
    expect(await response.json()).toMatchObject({
      ...MANNERS.stripe.error(502),
      keybrake: { code: "upstream_unreachable" },
    });
    const shown = await bench.json<{ spend: Record<string, string> }>(["key", "show", key.id]);
    expect(shown.spend).toMatchObject({ settled_usd: "0.00", held_usd: "0.00" });
  });

  test("with a secret is 503 vendor_not_configured", async () => {
    const key = await issueKey("resend");
    expect(await bench.cli(["vendor", "remove", "resend"])).toMatchObject({ code: 0 });
    const response = await send("resend", key.vault_key);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ keybrake: { code: "vendor_not_configured" } });
  });
});
