import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { recordCall } from "../operate/record-call.ts";
import { type Answered, SEED_BODY, type Served, serve } from "./served.ts";

interface Stranger {
  readonly whose: string;
  readonly keyId: string;
  readonly callId: string;
}

describe("an issuer and keys that are not its own", () => {
  let served: Served;
  let token: string;
  let own: string;
  let strangers: readonly Stranger[];

  beforeAll(async () => {
    served = await serve();
    token = served.tokens.issuer;
    const other = (await served.control.issueToken({ role: "issuer" })).token;
    own = (await issue(token, "shared/own")).json.id;
    strangers = await Promise.all([made("an admin's", served.tokens.admin), made("another issuer's", other)]);
  });
  afterAll(() => served.close());

  function issue(by: string, label: string): Promise<Answered> {
    return served.call("POST", "/vault/keys", { token: by, body: { ...SEED_BODY, agent_run_label: label } });
  }

  async function made(whose: string, by: string): Promise<Stranger> {
    const keyId = (await issue(by, "shared/other")).json.id;
    const callId = await recordCall(served, { keyId, exposureUsd: "5", end: { to: "unresolved" } });
    return { whose, keyId, callId };
  }

  const ASKED: readonly (readonly [method: string, path: string, body: ((key: Stranger) => object) | null])[] = [
    ["GET", "/vault/keys/KEY", null],
    ["GET", "/v1/keys/KEY", null],
    ["PATCH", "/keys/KEY", () => ({ daily_usd_cap: 1 })],
    ["PATCH", "/vault/keys/KEY", () => ({ expires_in: "1s" })],
    ["DELETE", "/vault/keys/KEY", null],
    ["DELETE", "/keys/KEY?hard=true&reason=mine", null],
    ["POST", "/vault/keys/revoke", ({ keyId }) => ({ ids: [keyId] })],
    ["POST", "/policies/explain", ({ keyId }) => ({ key_id: keyId, method: "GET", path: "/v1/balance" })],
    ["POST", "/audit/CALL/resolve", () => ({ released: true })],
  ];

  test.each(ASKED)("%s %s is 404, as for a key that there is not", async (method, path, body) => {
    const nobodys = (id: string) => `${id.slice(0, -6)}000000`;
    const [{ keyId, callId }] = strangers as [Stranger];
    const unknown: Stranger = { whose: "nobody's", keyId: nobodys(keyId), callId: nobodys(callId) };
    const answers = [];
    for (const key of [...strangers, unknown]) {
      const asked = path.replace("KEY", key.keyId).replace("CALL", key.callId);
      const answer = await served.call(method, asked, { token, ...(body && { body: body(key) }) });
      answers.push(answer.text.replaceAll(key.keyId, "KEY").replaceAll(key.callId, "CALL"));
      expect([key.whose, answer.status]).toEqual([key.whose, 404]);
    }
    expect(new Set(answers).size).toBe(1);
  });

  test.each([{ label: "shared/other" }, { label_prefix: "shared/o" }, { vendor: "stripe", label: "shared/other" }])(
    "revoking by %j reaches only its own",
    async (body) => {
      const { revoked } = (await served.call("POST", "/vault/keys/revoke", { token, body })).json;
      expect(revoked.filter((id) => id !== own)).toEqual([]);
    },
  );

  test("none of them is in a list, whatever the filter or cursor", async () => {
    const after = `vk_${"z".repeat(26)}`;
    for (const path of [
      "/vault/keys",
      "/vault/keys?label=shared/other",
      "/vault/keys?label_contains=other",
      `/vault/keys?cursor=${strangers[0]!.keyId}`,
      `/vault/keys?cursor=${after}`,
      "/budgets",
      `/budgets?cursor=${after}`,
    ]) {
      const { text } = await served.call("GET", path, { token });
      for (const { keyId } of strangers) expect([path, text.includes(keyId)]).toEqual([path, false]);
    }
    const { rows } = (await served.call("GET", "/spend", { token })).json;
    expect(rows.map((row) => row["run"])).toEqual([]);
    for (const { keyId } of strangers) {
      expect((await served.call("GET", `/spend?key_id=${keyId}`, { token })).json.rows).toEqual([]);
    }
    for (const path of ["/audit", "/audit/totals", "/audit/export", "/audit/stream", "/audit/verify", "/tokens"]) {
      expect((await served.call("GET", path, { token })).status).toBe(403);
    }
  });

  test("and all of them are as they were, after everything above and `all`", async () => {
    await served.call("POST", "/vault/keys/revoke", { token, body: { all: true } });
    for (const { keyId, callId } of strangers) {
      const key = (await served.call("GET", `/vault/keys/${keyId}`)).json;
      expect(key).toMatchObject({ status: "active", policy: { daily_usd_cap: "500.00" } });
      const { rows } = (await served.call("GET", `/audit?key_id=${keyId}`)).json;
      expect(rows).toMatchObject([{ id: callId, state: "unresolved" }]);
    }
    expect((await served.call("GET", `/vault/keys/${own}`)).json.status).toBe("revoked");
    expect(served.hardStops).toEqual([]);
  });
});

describe("a field that is the server's to set", () => {
  let served: Served;
  beforeAll(async () => {
    served = await serve();
  });
  afterAll(() => served.close());

  const OF_RECORDS = (
    "id key_id token token_hash vault_key hint status version created_at expires_at revoked_at revoke_reason issued_by " +
    "issuedBy role spend actor constructor toString __proto__ warnings"
  ).split(" ");

  test.each(OF_RECORDS)("%s is refused in every body", async (name) => {
    const body = (fields: object) => JSON.stringify(fields).replace(/\}$/, `,${JSON.stringify(name)}:null}`);
    const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
    const bodies = [
      ["POST", "/vault/keys", SEED_BODY],
      ["PATCH", `/vault/keys/${id}`, { daily_usd_cap: 1 }],
      ["POST", "/vault/keys/revoke", { ids: [id] }],
      ["POST", "/brake", { vendor: "stripe" }],
      ["PUT", "/vendors/stripe/secret", { secret: "sk_test_real_secret" }],
      ...(name === "role" ? [] : [["POST", "/tokens", { role: "auditor" }] as const]),
    ] as const;
    for (const [method, path, fields] of bodies) {
      const answer = await served.call(method, path, { body: body(fields) });
      expect([path, answer.status]).toEqual([path, 422]);
    }
    expect((await served.call("GET", `/vault/keys/${id}`)).json).toMatchObject({ status: "active" });
  });

  test.each(["agent_run_label", "label", "metadata", "template", "agent_name", "unique_label", "inputs"])(
    "%s of an issued key cannot be changed",
    async (name) => {
      const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
      expect((await served.call("PATCH", `/vault/keys/${id}`, { body: { [name]: "x" } })).status).toBe(422);
    },
  );
});

describe("what an issuer's token holds it to cannot be changed afterwards", () => {
  let served: Served;
  beforeEach(async () => {
    served = await serve();
  });
  afterEach(() => served.close());

  test.each([
    { daily_usd_cap: 51 },
    { daily_usd_cap: null },
    { daily_usd_cap: "50.000001" },
    { on_unknown_cost: "allow" },
  ])("a ceiling of $50, by PATCH with %j", async (body) => {
    const { token } = await served.control.issueToken({ role: "issuer", max_daily_usd: 50 });
    const key = { ...SEED_BODY, daily_usd_cap: 50 };
    const { id } = (await served.call("POST", "/vault/keys", { token, body: key })).json;
    const changed = await served.call("PATCH", `/vault/keys/${id}`, { token, body });
    expect(changed.status).toBe(403);
    const issued = { ...key, ...body };
    const fields = Object.fromEntries(Object.entries(issued).filter(([, value]) => value !== null));
    expect((await served.call("POST", "/vault/keys", { token, body: fields })).status).toBe(403);
    expect((await served.call("GET", `/vault/keys/${id}`)).json.policy["daily_usd_cap"]).toBe("50.00");
  });

  test.each([
    { daily_usd_cap_total: 51 },
    { daily_usd_cap_total: null },
    { vendors: { twilio: { on_unknown_cost: "allow" } } },
  ])("a ceiling of $50 over several vendors, by PATCH with %j", async (body) => {
    const { token } = await served.control.issueToken({ role: "issuer", max_daily_usd: 50 });
    const vendors = { stripe: { allowed_endpoints: ["GET /v1/balance"] }, twilio: { daily_usd_cap: 1000 } };
    const key = { vendors, daily_usd_cap_total: 50, expires_in: "1h" };
    const issued = await served.call("POST", "/vault/keys", { token, body: key });
    expect(issued.status).toBe(201);
    const before = (await served.call("GET", `/vault/keys/${issued.json.id}`)).json;
    const changed = await served.call("PATCH", `/vault/keys/${issued.json.id}`, { token, body });
    expect(changed.status).toBe(403);
    expect((await served.call("GET", `/vault/keys/${issued.json.id}`)).json).toEqual(before);
  });

  test.each([
    { daily_usd_cap: 501 },
    { daily_usd_cap: null },
    { max_amount_per_call_usd: 121 },
    { allowed_endpoints: ["* /**"] },
    { allowed_endpoints: null },
    { parameters: null },
    { expires_in: "3h" },
    { vendor: "twilio" },
    { cap_window: "rolling_24h" },
    { on_unknown_cost: "allow" },
  ])("a template, by PATCH with %j", async (body) => {
    const { token } = await served.control.issueToken({ role: "issuer", templates: ["billing"] });
    const issued = await served.call("POST", "/vault/keys", {
      token,
      body: { template: "billing", inputs: { customers: "cus_1" } },
    });
    expect(issued.status).toBe(201);
    const before = (await served.call("GET", `/vault/keys/${issued.json.id}`)).json;
    const changed = await served.call("PATCH", `/vault/keys/${issued.json.id}`, { token, body });
    expect([403, 422]).toContain(changed.status);
    expect((await served.call("GET", `/vault/keys/${issued.json.id}`)).json).toEqual(before);
  });
});

describe("cursors, headers and numbers that were tampered with", () => {
  let served: Served;
  let keyId: string;
  beforeAll(async () => {
    served = await serve();
    keyId = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json.id;
    await recordCall(served, { keyId });
  });
  afterAll(() => served.close());

  const CURSORS = [
    "x",
    "-1",
    "0x1",
    "1e9",
    "' OR 1=1 --",
    "vk_%",
    "vk_../x",
    "zzzzzzzzzzz",
    "9".repeat(400),
    "\u0000",
    "é",
  ];

  test.each(CURSORS)("%j is a cursor of neither keys nor audit, or one that shows nothing new", async (cursor) => {
    for (const path of [
      "/vault/keys?cursor=",
      "/budgets?cursor=",
      "/audit?before=",
      "/audit?after=",
      "/audit?cursor=",
    ]) {
      const answer = await served.call("GET", path + encodeURIComponent(cursor));
      expect([200, 422]).toContain(answer.status);
      if (path.startsWith("/audit") && answer.status === 200) expect(answer.json.rows.length).toBeLessThanOrEqual(1);
    }
  });

  test("a part of a label is text, and no pattern", async () => {
    for (const wild of ["%", "_", "*", "ray-billing/0_", "' OR '1'='1"]) {
      const asked = encodeURIComponent(wild);
      expect((await served.call("GET", `/vault/keys?label_contains=${asked}`)).json.keys).toEqual([]);
      expect((await served.call("GET", `/audit?label_contains=${asked}`)).json.rows).toEqual([]);
    }
  });

  test("no header makes another method, role, address or caller of a request", async () => {
    const headers = {
      "x-http-method-override": "DELETE",
      "x-method-override": "DELETE",
      "x-forwarded-for": "127.0.0.1",
      "x-forwarded-host": "evil.example",
      "x-original-url": "/tokens",
      "x-rewrite-url": "/tokens",
      "x-role": "admin",
      "x-user": "admin",
      cookie: `token=${served.tokens.admin}`,
    };
    const shown = await served.call("GET", `/vault/keys/${keyId}`, { token: served.tokens.auditor, headers });
    expect(shown).toMatchObject({ status: 200, json: { status: "active" } });
    expect((await served.call("GET", "/tokens", { token: served.tokens.auditor, headers })).status).toBe(403);
    expect((await served.call("GET", "/vendors", { token: null, headers })).status).toBe(401);
    const two = `Bearer ${served.tokens.auditor}, Bearer ${served.tokens.admin}`;
    expect((await served.call("GET", "/tokens", { token: null, headers: { authorization: two } })).status).toBe(401);
  });

  const NUMBERS = [
    "1e308",
    "1e21",
    "-0",
    "0.0000001",
    "9007199254740993",
    "9".repeat(400),
    '"9e99"',
    '"NaN"',
    '"Infinity"',
    '""',
    '"٣"',
  ];

  test.each(NUMBERS)("%s is taken for what it is, or refused, wherever a number is asked for", async (number) => {
    const fields = [
      "daily_usd_cap",
      "total_usd_cap",
      "max_amount_per_call_usd",
      "daily_send_cap",
      "max_write_operations",
      "requests_per_minute",
      "expires_in",
      "dedup_window",
    ];
    for (const field of fields) {
      const body = `{"vendor":"stripe","expires_in":"1h",${JSON.stringify(field)}:${number}}`;
      for (const [method, path, text] of [
        ["POST", "/vault/keys", body],
        ["PATCH", `/vault/keys/${keyId}`, `{${JSON.stringify(field)}:${number}}`],
      ] as const) {
        const answer = await served.call(method, path, { body: text });
        expect([field, method, [200, 201, 422].includes(answer.status)]).toEqual([field, method, true]);
        if (answer.status < 300 && field.includes("usd")) {
          expect(answer.json.policy[field]).toMatch(/^[0-9]+\.[0-9]{2,6}$/);
        }
      }
    }
    for (const [path, body] of [
      ["/tokens", `{"role":"issuer","max_daily_usd":${number}}`],
      ["/audit/call_x/resolve", `{"settled_usd":${number}}`],
    ] as const) {
      expect((await served.call("POST", path, { body })).status).toBeLessThan(500);
    }
    const limit = encodeURIComponent(number.replaceAll('"', "") || "0");
    for (const path of ["/vault/keys", "/audit", "/budgets"]) {
      expect((await served.call("GET", `${path}?limit=${limit}`)).status).toBe(422);
    }
    expect(served.logged).toEqual([]);
  });

  test("lists are as long as they may be, and no longer", async () => {
    const ids = Array.from({ length: 1001 }, (_, at) => `vk_${at}`);
    const revoke = (body: object) => served.call("POST", "/vault/keys/revoke", { body });
    expect((await revoke({ ids })).status).toBe(422);
    const unknown = await revoke({ ids: ids.slice(1) });
    expect(unknown.status).toBe(404);
    expect((await revoke({ ids: Array(1000).fill(keyId) })).json).toEqual<object>({
      revoked: [keyId],
      already_revoked: [],
    });
    const allowed_endpoints = Array.from({ length: 10_001 }, (_, at) => `GET /v1/${at}`);
    const many = await served.call("POST", "/vault/keys", { body: { ...SEED_BODY, allowed_endpoints } });
    expect(many).toMatchObject({ status: 422 });
    const metadata = Object.fromEntries(Array.from({ length: 51 }, (_, at) => [`m${at}`, "x"]));
    expect((await served.call("POST", "/vault/keys", { body: { ...SEED_BODY, metadata } })).status).toBe(422);
  });
});

describe("a body full of mistakes is answered in few words", () => {
  const many = (count: number, value: unknown) =>
    Object.fromEntries(Array.from({ length: count }, (_, at) => [`f${at}`, value]));
  const BODIES: readonly (readonly [what: string, fields: object])[] = [
    ["fields that there are not", many(90_000, 1)],
    ["a field with a long name", { ["d".repeat(900_000)]: 1 }],
    ["kinds of money that there are not", { caps: many(60_000, { daily_usd: 1 }) }],
    ["caps that there are not", { caps: { refund: many(60_000, 1) } }],
    ["endpoints that are none", { allowed_endpoints: Array(9_999).fill("nonsense") }],
    ["values that are no text", { metadata: many(60_000, 1) }],
    ["names in the metadata", { metadata: many(60_000, "x") }],
    ["rules about parameters", { parameters: many(40_000, { zz: 1 }) }],
    ["inputs", { template: "billing", inputs: many(60_000, "x") }],
  ];

  test.each(BODIES)("%s", async (_what, fields) => {
    const served = await serve();
    try {
      const body = "template" in fields ? fields : { vendor: "stripe", expires_in: "1h", ...fields };
      const answer = await served.call("POST", "/vault/keys", { body });
      expect(answer.status).toBe(422);
      expect(answer.text.length).toBeLessThan(150_000);
      expect((answer.json.error.problems ?? []).length).toBeLessThanOrEqual(60);
    } finally {
      await served.close();
    }
  });

  test("and a policy as large as it may be is issued", async () => {
    const served = await serve();
    try {
      const allowed_endpoints = Array.from({ length: 10_000 }, (_, at) => `GET /v1/customers/cus_${at}`);
      const answer = await served.call("POST", "/vault/keys", { body: { ...SEED_BODY, allowed_endpoints } });
      expect(answer.status).toBe(201);
    } finally {
      await served.close();
    }
  });
});

test("pages of keys and of the audit show each thing once, while others are added", async () => {
  const served = await serve();
  try {
    const add = async () => {
      served.clock.nowMs += 1;
      const { id } = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json;
      return { key: id, call: await recordCall(served, { keyId: id }) };
    };
    const made = [];
    for (let at = 0; at < 7; at++) made.push(await add());
    const seen = { keys: [] as string[], rows: [] as string[] };
    let [keys, rows] = ["", ""];
    do {
      const page = (await served.call("GET", `/vault/keys?limit=2${keys}`)).json;
      seen.keys.push(...page.keys.map(({ id }) => id));
      keys = page.next_cursor === null ? "" : `&cursor=${page.next_cursor}`;
      const audit = (await served.call("GET", `/audit?limit=2${rows}`)).json;
      seen.rows.unshift(...audit.rows.map(({ id }) => id));
      rows = audit.next_cursor === null ? "" : `&cursor=${audit.next_cursor}`;
      await add();
    } while (keys !== "" || rows !== "");
    expect(seen.keys.toReversed()).toEqual(made.map(({ key }) => key));
    expect(seen.rows).toEqual(made.map(({ call }) => call));
  } finally {
    await served.close();
  }
});
