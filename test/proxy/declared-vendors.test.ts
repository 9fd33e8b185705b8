import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { formatUsd } from "../../src/core/money.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { doubleSecret, startPlane, type TestKey, type TestPlane } from "../harness/plane.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";
import { declared } from "../vendors/declared/declare.ts";

/** A vendor whose secret is a password, beside an account's id. */
const PAIR = `vendors:
  pair:
    title: Pair
    origin: https://api.pair.example
    account: { pattern: "[a-z0-9]*", description: the account }
    credential: { scheme: basic, position: password }
    operations: [{ name: things, route: POST /things, class: priced, price: { usd: 1 } }]
`;

const NAMES = ["postmark", "sendgrid", "segment", "shopify", "acme", "pair"] as const;
type Name = (typeof NAMES)[number];

let vendor: VendorDouble;
let plane: TestPlane;
const keys = new Map<Name, TestKey>();

beforeAll(async () => {
  vendor = await startVendorDouble(() => ({ status: 200, body: "{}" }));
  plane = await startPlane({
    origins: Object.fromEntries(NAMES.map((name) => [name, vendor.origin])),
    vendors: [...VENDORS, declared(), declared(PAIR)],
  });
  for (const name of NAMES) keys.set(name, await plane.issue({ vendor: name, daily_usd_cap: 100 }));
});

afterAll(async () => {
  await plane.stop();
  await vendor.stop();
});

function token(name: Name): string {
  return keys.get(name)!.token;
}

function post(path: string, headers: Record<string, string>, json: unknown): Promise<Response> {
  const body = typeof json === "string" ? json : JSON.stringify(json);
  return fetch(`${plane.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body,
  });
}

const basic = (user: string, password = "") => `Basic ${btoa(`${user}:${password}`)}`;
const MAIL = { From: "me@acme.example", To: "ada@example.com" };
const PERSONAL = { from: { email: "me@acme.example" }, personalizations: [{ to: [{ email: "ada@example.com" }] }] };
const REFUND = { refund: { currency: "USD", transactions: [{ amount: "5.00" }] } };
const EVENTS = [{ type: "track", event: "e", userId: "u1" }];

interface Case {
  readonly name: Name;
  readonly path: string;
  /** The vault key where the vendor's SDK puts it. */
  readonly headers: (token: string) => Record<string, string>;
  readonly json: (token: string) => unknown;
  /** The secret where the vendor wants it. */
  readonly sent: (secret: string) => readonly [header: string, value: string];
}

const CASES: readonly (readonly [what: string, Case])[] = [
  [
    "a header of the vendor's own",
    {
      name: "postmark",
      path: "/postmark/email",
      headers: (key) => ({ "X-Postmark-Server-Token": key }),
      json: () => MAIL,
      sent: (secret) => ["x-postmark-server-token", secret],
    },
  ],
  [
    "the vendor's header, without a prefix in the path",
    {
      name: "shopify",
      path: "/admin/api/2025-10/orders/1/refunds.json",
      headers: (key) => ({ "X-Shopify-Access-Token": key }),
      json: () => REFUND,
      sent: (secret) => ["x-shopify-access-token", secret],
    },
  ],
  [
    "Bearer",
    {
      name: "sendgrid",
      path: "/sendgrid/v3/mail/send",
      headers: (key) => ({ Authorization: `Bearer ${key}` }),
      json: () => PERSONAL,
      sent: (secret) => ["authorization", `Bearer ${secret}`],
    },
  ],
  [
    "another word than Bearer",
    {
      name: "acme",
      path: "/acme/acme-api/reports",
      headers: (key) => ({ Authorization: `Token ${key}` }),
      json: () => ({}),
      sent: (secret) => ["authorization", `Token ${secret}`],
    },
  ],
  [
    "another header of the SDK's",
    {
      name: "acme",
      path: "/acme/acme-api/reports",
      headers: (key) => ({ "X-Acme-Key": key }),
      json: () => ({}),
      sent: (secret) => ["authorization", `Token ${secret}`],
    },
  ],
  [
    "Basic as user, and in the body",
    {
      name: "segment",
      path: "/v1/batch",
      headers: (key) => ({ Authorization: basic(key) }),
      json: (key) => ({ batch: EVENTS, writeKey: key }),
      sent: (secret) => ["authorization", basic(secret)],
    },
  ],
  [
    "the body alone",
    {
      name: "segment",
      path: "/segment/v1/batch",
      headers: () => ({}),
      json: (key) => ({ writeKey: key, batch: EVENTS }),
      sent: (secret) => ["authorization", basic(secret)],
    },
  ],
  [
    "Basic as password",
    {
      name: "pair",
      path: "/pair/things",
      headers: (key) => ({ Authorization: basic("acc1", key) }),
      json: () => ({}),
      sent: (secret) => ["authorization", basic("", secret)],
    },
  ],
];

describe("a declared vendor", () => {
  test.each(CASES)("takes the vault key as %s, and gets the secret in its place", async (_what, each) => {
    const key = token(each.name);
    const sent = vendor.requests.length;
    const response = await post(each.path, each.headers(key), each.json(key));
    expect([response.status, await response.text()]).toEqual([200, "{}"]);
    expect(vendor.requests).toHaveLength(sent + 1);
    const { headers, target, body, raw } = vendor.requests.at(-1)!;
    const secret = doubleSecret(each.name);
    const [header, value] = each.sent(secret);
    expect(headers[header]).toBe(value);
    expect(target).toBe(each.path.replace(`/${each.name}/`, "/"));
    expect(body).toBe(JSON.stringify(each.json(secret)));
    expect(raw.includes(key)).toBe(false);
  });

  test("that is not this key's is refused in its own shape", async () => {
    const response = await post("/sendgrid/v3/mail/send", { Authorization: `Bearer ${token("postmark")}` }, PERSONAL);
    expect(response.status).toBe(403);
    const { errors, keybrake } = (await response.json()) as {
      errors: { message: string }[];
      keybrake: { code: string };
    };
    expect(keybrake.code).toBe("endpoint_denied");
    expect(errors[0]!.message).toStartWith("Keybrake: This vault key is for postmark");
  });

  const CAPS: readonly (readonly [name: Name, path: string, json: unknown, status: number, header: string])[] = [
    ["postmark", "/postmark/email", MAIL, 429, "X-Postmark-Server-Token"],
    ["sendgrid", "/sendgrid/v3/mail/send", PERSONAL, 429, ""],
    ["segment", "/segment/v1/batch", { batch: EVENTS }, 403, ""],
    ["shopify", "/shopify/admin/api/2025-10/orders/1/refunds.json", REFUND, 403, "X-Shopify-Access-Token"],
    ["acme", "/acme/acme-api/reports", {}, 429, ""],
  ];
  test.each(CAPS)("%s is stopped by the cap of a key, with a status that its SDK does not repeat", async (...row) => {
    const [name, path, json, status, header] = row;
    const poor = await plane.issue({ vendor: name, daily_usd_cap: 0.001 });
    const sent = vendor.requests.length;
    const where = header === "" ? { Authorization: basic(poor.token) } : { [header]: poor.token };
    const response = await post(path, where, json);
    expect(response.status).toBe(status);
    expect(response.headers.get("x-keybrake-cap-hit")).toBe("true");
    expect(await response.text()).toContain("The cap daily_usd_cap is reached");
    expect(vendor.requests).toHaveLength(sent);
  });

  test("is refused what it does not list, and never sent a call whose cost is not known", async () => {
    const sent = vendor.requests.length;
    for (const [path, json] of [
      ["/acme/acme-api/unheard", {}],
      ["/acme/acme-api/audits", {}],
      ["/acme/acme-api/mails", { mails: [{ from: "me@acme.example" }] }],
    ] as const) {
      const response = await post(path, { Authorization: `Token ${token("acme")}` }, json);
      expect([path, response.status, (await response.text()).includes('"cost_unknown"')]).toEqual([path, 403, true]);
    }
    const closed = await post("/acme/acme-api/keys", { Authorization: `Token ${token("acme")}` }, {});
    expect([closed.status, (await closed.text()).includes('"endpoint_denied"')]).toEqual([403, true]);
    expect(vendor.requests).toHaveLength(sent);
  });

  test("counts what the answer says it did cost, and keeps the vendor's id", async () => {
    const key = await plane.issue({ vendor: "acme", daily_usd_cap: 1 });
    vendor.answer = () => ({ status: 200, body: '{"id": "img_1", "made": 2}' });
    const call = (n: number) => post("/acme/acme-api/images", { Authorization: `Token ${key.token}` }, { n });
    expect((await call(10)).status).toBe(200);
    await plane.plane.ledger.drain();
    const { rows } = await plane.store.queryAudit({ keyId: key.id }, { limit: 10 });
    expect(rows.map((row) => [formatUsd(row.exposureMicros), formatUsd(row.costMicros!), row.vendorTxnId])).toEqual([
      ["0.40", "0.08", "img_1"],
    ]);
    vendor.answer = () => ({ status: 200, body: "{}" });
  });
});

describe("a key in the body", () => {
  const other = () => token("acme");
  const key = () => token("segment");

  /** Bodies in which somebody could find the real secret, or another credential, in a place of their choice. */
  const BODIES: readonly (readonly [what: string, body: () => string])[] = [
    ["in an event, too", () => JSON.stringify({ batch: [{ event: key() }], writeKey: key() })],
    [
      "in an event alone, spelt otherwise in its field",
      () => `{"batch":[{"event":"${key()}"}],"writeKey":"${escaped(key())}"}`,
    ],
    ["in a name", () => JSON.stringify({ batch: [{ [key()]: 1 }], writeKey: key() })],
    ["escaped", () => `{"batch":[{"event":"e"}],"writeKey":"${escaped(key())}"}`],
    ["of another vault key", () => JSON.stringify({ batch: EVENTS, writeKey: other() })],
    ["that is none", () => JSON.stringify({ batch: EVENTS, writeKey: "a_write_key_of_their_own" })],
    ["that is a list", () => JSON.stringify({ batch: EVENTS, writeKey: [key()] })],
    ["that is nothing", () => JSON.stringify({ batch: EVENTS, writeKey: null })],
    ["under another spelling", () => JSON.stringify({ batch: EVENTS, WriteKey: "a_write_key_of_their_own" })],
    ["under another spelling, within", () => JSON.stringify({ batch: EVENTS, writekey: { a: "b" } })],
  ];
  test.each(BODIES)("%s is refused, and nothing is sent", async (_what, body) => {
    const sent = vendor.requests.length;
    const response = await post("/v1/batch", { Authorization: basic(key()) }, body());
    expect(response.status).toBe(400);
    expect(((await response.json()) as { code: string }).code).toBe("request_rejected");
    expect(vendor.requests).toHaveLength(sent);
  });

  test("is replaced, and nothing else of the body: not its spaces, not its order", async () => {
    const body = `{ "batch":[ {"event":"caf\\u00e9 ☕"} ],\n"writeKey" : "${key()}" , "sentAt":null}`;
    expect((await post("/v1/batch", { Authorization: basic(key()) }, body)).status).toBe(200);
    expect(vendor.requests.at(-1)!.body).toBe(body.replace(key(), doubleSecret("segment")));
  });

  test("may have its underscores left out, and the answer's echo of the secret is taken out", async () => {
    const spelling = key().replaceAll("_", "");
    vendor.answer = ({ body }) => ({ status: 200, body });
    const response = await post("/v1/batch", { Authorization: basic(key()) }, { batch: EVENTS, writeKey: spelling });
    expect(vendor.requests.at(-1)!.body).toContain(`"writeKey":"${doubleSecret("segment")}"`);
    expect(await response.text()).not.toContain(doubleSecret("segment"));
    vendor.answer = () => ({ status: 200, body: "{}" });
  });

  function escaped(text: string): string {
    return `\\u${text.charCodeAt(0).toString(16).padStart(4, "0")}${text.slice(1)}`;
  }
});

test("a key whose vendor is no longer declared is refused, and the server goes on", async () => {
  const gone = await plane.issue({ vendor: "gone", daily_usd_cap: 1 });
  const headers = { Authorization: `Bearer ${gone.token}` };
  const named = await post("/gone/things", headers, {});
  const text = await named.text();
  expect([named.status, text.includes('"vendor_unknown"')]).toEqual([404, true]);
  // What was declared after the start is met in the same way: a base URL to mend would be a dead end.
  expect(text).toContain("This server does not know gone");
  expect(text).toContain("start the server anew");
  const bare = await post("/things", headers, {});
  expect(bare.status).toBe(404);
  expect((await post("/postmark/email", { "X-Postmark-Server-Token": token("postmark") }, MAIL)).status).toBe(200);
});
