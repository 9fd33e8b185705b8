import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { SESSION_MS } from "../../src/operate/sessions.ts";
import { mintSessionId } from "../../src/vault/session-id.ts";
import { SEED_BODY, type Served, serve } from "./served.ts";

const PAGE = { origin: "http://127.0.0.1:7878", "sec-fetch-site": "same-origin" };

let served: Served;
let told: string[];

beforeEach(async () => {
  told = [];
  const note = (event: string, fields?: object) => told.push(JSON.stringify({ event, ...fields }));
  served = await serve({}, { log: { info: note, error: note } });
});
afterEach(() => served.close());

/** Signs in as the dashboard does; the `Cookie` header that the browser then sends. */
async function signIn(token = served.tokens.admin, headers: Record<string, string> = {}): Promise<string> {
  const answer = await served.call("POST", "/session", {
    token: null,
    body: { token },
    headers: { ...PAGE, ...headers },
  });
  expect(answer.status).toBe(200);
  return answer.headers.get("set-cookie")!.split(";", 1)[0]!;
}

const as = (cookie: string, headers: Record<string, string> = PAGE) => ({
  token: null,
  headers: { cookie, ...headers },
});

test("signs a browser in with a token, which then stands nowhere in the answer", async () => {
  const token = served.tokens.issuer;
  const answer = await served.call("POST", "/session", { token: null, body: { token }, headers: PAGE });
  expect(answer.json).toEqual({
    role: "issuer",
    token_id: served.tokenIds.issuer,
    name: null,
    templates: null,
    max_daily_usd: null,
    expires_at: "2026-01-01T12:00:00.000Z",
  } as never);
  expect(answer.headers.getSetCookie()).toEqual([
    expect.stringMatching(
      /^keybrake_session_7878=kb_session_[0-9A-Za-z]{49}; Path=\/; Max-Age=43200; HttpOnly; SameSite=Strict$/,
    ),
  ]);
  expect(answer.headers.get("cache-control")).toBe("no-store");
  expect(answer.text).not.toContain(token);
});

test("a session does what its token may, and no more", async () => {
  const cookie = await signIn(served.tokens.issuer);
  expect((await served.call("GET", "/session", as(cookie))).json.role).toBe("issuer");
  const issued = await served.call("POST", "/vault/keys", { ...as(cookie), body: SEED_BODY });
  expect(issued.status).toBe(201);
  expect((await served.call("GET", "/tokens", as(cookie))).status).toBe(403);
  const own = await served.call("GET", "/vault/keys", { token: served.tokens.issuer });
  expect(own.json.keys.map(({ id }) => id)).toEqual([issued.json.id]);
});

test("says whose a bearer token is, too, which has no end", async () => {
  expect((await served.call("GET", "/session")).json as never).toMatchObject({ role: "admin", expires_at: null });
});

const NOT_TOKENS = [
  ["nothing like a token", "sk_test_real_secret"],
  ["a session's id", mintSessionId().token.reveal()],
  ["an empty text", ""],
] as const;

test.each(NOT_TOKENS)("signs nobody in with %s, and does not repeat it", async (_what, token) => {
  const answer = await served.call("POST", "/session", { token: null, body: { token } });
  expect(answer.status).toBe(401);
  expect(answer.headers.has("set-cookie")).toBe(false);
  if (token) expect(answer.text + told.join("")).not.toContain(token);
});

test("signs nobody in with a vault key", async () => {
  const token = (await served.call("POST", "/vault/keys", { body: SEED_BODY })).json.vault_key;
  expect((await served.call("POST", "/session", { token: null, body: { token } })).status).toBe(401);
});

test("repeats nothing of a body that is not as it must be", async () => {
  for (const body of [{ tokn: served.tokens.admin }, { token: [served.tokens.admin] }, { token: "x", more: "y" }]) {
    const answer = await served.call("POST", "/session", { token: null, body });
    expect(answer.status).toBe(422);
    expect(answer.text).not.toContain(served.tokens.admin);
  }
});

describe("a session ends", () => {
  test("at sign-out, for whoever has its cookie", async () => {
    const cookie = await signIn();
    const answer = await served.call("DELETE", "/session", as(cookie));
    expect(answer.text).toBe('{"ended":true}');
    expect(answer.headers.get("set-cookie")).toContain("keybrake_session_7878=; Path=/; Max-Age=0;");
    const after = await served.call("GET", "/vendors", as(cookie));
    expect(after.status).toBe(401);
    expect(after.headers.get("set-cookie")).toContain("Max-Age=0");
  });

  test("at its time, however much it was used", async () => {
    const cookie = await signIn();
    served.clock.nowMs += SESSION_MS - 1;
    expect((await served.call("GET", "/vendors", as(cookie))).status).toBe(200);
    served.clock.nowMs += 1;
    expect((await served.call("GET", "/vendors", as(cookie))).status).toBe(401);
  });

  test("at once when its token is revoked", async () => {
    const cookie = await signIn(served.tokens.auditor);
    await served.control.revokeToken(served.tokenIds.auditor);
    expect((await served.call("GET", "/vendors", as(cookie))).status).toBe(401);
  });

  test("when the same browser signs in anew: what somebody planted is worth nothing afterwards", async () => {
    const planted = await signIn(served.tokens.auditor);
    const own = await signIn(served.tokens.admin, { cookie: planted });
    expect(own).not.toBe(planted);
    expect((await served.call("GET", "/vendors", as(planted))).status).toBe(401);
    expect((await served.call("GET", "/vendors", as(own))).status).toBe(200);
  });

  test("when twenty newer ones of its token have begun", async () => {
    const first = await signIn();
    for (let count = 0; count < 20; count++) {
      served.clock.nowMs += 1;
      await signIn();
    }
    expect((await served.call("GET", "/vendors", as(first))).status).toBe(401);
  });
});

test("a cookie that was changed, made up, or sent twice is nobody's", async () => {
  const cookie = await signIn();
  const name = cookie.slice(0, cookie.indexOf("="));
  const last = cookie.endsWith("x") ? "y" : "x";
  for (const other of [
    `${cookie.slice(0, -1)}${last}`,
    `${name}=${mintSessionId().token.reveal()}`,
    `${name}=`,
    `${name}=${served.tokens.admin}`,
    `__Host-${cookie}`,
    `${cookie}; ${name}=${mintSessionId().token.reveal()}`,
    `${cookie}; ${cookie}`,
  ]) {
    expect([other, (await served.call("GET", "/vendors", as(other))).status]).toEqual([other, 401]);
  }
  expect((await served.call("GET", "/vendors", as(`theme=dark; ${cookie}; a=b`))).status).toBe(200);
});

const FROM: readonly (readonly [method: string, headers: Record<string, string>, status: number])[] = [
  ["GET", {}, 200],
  ["GET", { "sec-fetch-site": "same-origin" }, 200],
  ["GET", { "sec-fetch-site": "none" }, 200],
  ["GET", { "sec-fetch-site": "same-site" }, 403],
  ["GET", { "sec-fetch-site": "cross-site" }, 403],
  ["DELETE", {}, 403],
  ["DELETE", { origin: "http://127.0.0.1:7878" }, 200],
  ["DELETE", { "sec-fetch-site": "same-origin" }, 200],
  ["DELETE", { "sec-fetch-site": "none" }, 403],
  ["DELETE", { "sec-fetch-site": "same-site" }, 403],
  ["DELETE", { origin: "http://127.0.0.1:7878", "sec-fetch-site": "cross-site" }, 403],
  ["DELETE", { origin: "http://127.0.0.1:3000" }, 403],
  ["DELETE", { origin: "null" }, 403],
];

test.each(FROM)("%s on a session with %j is answered %i", async (method, headers, status) => {
  const cookie = await signIn();
  expect((await served.call(method, "/brake", as(cookie, headers))).status).toBe(status);
});

test("a token needs no Origin, and what comes with it by cookie does not count", async () => {
  const cookie = await signIn();
  expect((await served.call("DELETE", "/brake", { headers: { cookie } })).status).toBe(200);
  const auditor = await served.call("DELETE", "/brake", { token: served.tokens.auditor, headers: { cookie, ...PAGE } });
  expect(auditor.status).toBe(403);
  expect((await served.call("GET", "/vendors", { token: "nonsense", headers: { cookie, ...PAGE } })).status).toBe(401);
});

test("logs who signed in and out, and no id of a session", async () => {
  const cookie = await signIn();
  await served.call("DELETE", "/session", as(cookie));
  expect(told).toEqual([
    JSON.stringify({ event: "signed_in", token_id: served.tokenIds.admin, role: "admin" }),
    JSON.stringify({ event: "signed_out", token_id: served.tokenIds.admin }),
  ]);
});

describe("over TLS", () => {
  const HOST = { host: "proxy.example", origin: "https://proxy.example" };

  test.each([
    ["behind a proxy that adds it", { behindTlsProxy: true, publicUrl: "https://proxy.example" }],
    ["by the name that is public", { publicUrl: "https://proxy.example" }],
  ])("%s, the cookie is the host's alone and never sent in clear", async (_where, config) => {
    await served.close();
    served = await serve({ config });
    const body = { token: served.tokens.admin };
    const answer = await served.call("POST", "/session", { token: null, body, headers: HOST });
    const set = answer.headers.get("set-cookie")!;
    expect(set).toStartWith("__Host-keybrake_session_7878=");
    expect(set).toEndWith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure");
    const cookie = set.split(";", 1)[0]!;
    expect((await served.call("GET", "/vendors", as(cookie, HOST))).status).toBe(200);
    const unprefixed = cookie.replace("__Host-", "");
    expect((await served.call("GET", "/vendors", as(unprefixed, HOST))).status).toBe(401);
  });
});
