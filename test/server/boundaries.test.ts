import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { exchange, statuses } from "../harness/raw-socket.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

/** Ways to write a path so that one reader takes it for the control plane's and another for a call. */
const SPELLINGS: readonly string[] = [
  "/vault/keys",
  "/keys",
  "/v1/keys",
  "/session",
  "/tokens",
  "/docs",
  "/metrics",
  "/audit/export",
  "//vault/keys",
  "/./vault/keys",
  "/stripe/../vault/keys",
  "/stripe/%2e%2e/vault/keys",
  "/stripe/..%2fvault/keys",
  "/stripe\\..\\vault\\keys",
  "/stripe//../vault/keys",
  "/VAULT/keys",
  "/%76ault/keys",
  "/vault%2Fkeys",
  "/vault;x/keys",
  "/vault\tkeys",
  "/vault/keys#/stripe",
  "http://127.0.0.1/vault/keys",
  "http://127.0.0.1/stripe/../vault/keys",
  "vault/keys",
  "*",
];

const CALLS: readonly string[] = [
  "/stripe/v1/balance",
  "/v1/balance",
  "/vault/../stripe/v1/balance",
  "/vault/%2e%2e/stripe/v1/balance",
  "/docs/../stripe/v1/balance",
  "//stripe/v1/balance",
  "/healthz/../stripe/v1/balance",
  "http://127.0.0.1/stripe/v1/balance",
  "/2010-04-01/Accounts/AC1/Messages.json",
];

/** What only the control plane says of itself. */
const OF_THE_CONTROL_PLANE = /"keys":|"tokens":|"role":|"openapi"|keybrake_build_info|"hint":"keybrake token|"docs":/;

function send(
  port: number,
  method: string,
  target: string,
  headers: readonly string[] = [],
  body = "",
): Promise<string> {
  const head = [`${method} ${target} HTTP/1.1`, `Host: 127.0.0.1:${port}`, "Connection: close", ...headers];
  if (body) head.push(`Content-Length: ${body.length}`);
  return exchange(port, `${head.join("\r\n")}\r\n\r\n${body}`, { quietMs: 1_000 });
}

describe("with --admin-listen", () => {
  let server: TestServer;
  let vaultKey: string;
  const bearer = (token: string) => [`Authorization: Bearer ${token}`];

  beforeAll(async () => {
    server = await startTestServer({ flags: { adminListen: `127.0.0.1:${await freePort()}`, sandbox: true } });
    const issued = await fetch(`${server.adminUrl}/vault/keys`, {
      method: "POST",
      headers: { authorization: `Bearer ${server.adminToken}`, "content-type": "application/json" },
      body: JSON.stringify({ vendor: "stripe", allowed_endpoints: ["* /**"], expires_in: "1h" }),
    });
    vaultKey = ((await issued.json()) as { vault_key: string }).vault_key;
  });
  afterAll(() => server.stop());

  test.each(SPELLINGS)("%j reaches no route of the control plane where agents come in", async (target) => {
    for (const method of ["GET", "POST", "DELETE"]) {
      for (const token of [server.adminToken, vaultKey]) {
        const answer = await send(server.port, method, target, bearer(token));
        expect(
          statuses(answer).every((status) => status >= 400),
          answer,
        ).toBe(true);
        expect(answer).not.toMatch(OF_THE_CONTROL_PLANE);
      }
    }
  });

  test.each(CALLS)("%j reaches no vendor where operators come in", async (target) => {
    const answer = await send(server.adminPort, "GET", target, bearer(vaultKey));
    expect(
      statuses(answer).every((status) => status >= 400),
      answer,
    ).toBe(true);
    expect(answer).not.toContain("x-keybrake-request-id");
  });

  test("a session is nobody's where agents come in, and no cookie reaches a vendor", async () => {
    const signedIn = await fetch(`${server.adminUrl}/session`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ token: server.adminToken }),
    });
    const cookie = `Cookie: ${signedIn.headers.get("set-cookie")!.split(";", 1)[0]!}`;
    const alone = await send(server.port, "GET", "/stripe/v1/balance", [cookie]);
    expect(statuses(alone)).toEqual([401]);
    expect(alone).toContain("key_missing");
    const both = await send(server.port, "GET", "/stripe/v1/balance", [cookie, ...bearer(vaultKey)]);
    expect(statuses(both)).toEqual([200]);
    expect(both.toLowerCase()).not.toContain("set-cookie");
  });
});

describe("on one address", () => {
  let server: TestServer;
  beforeAll(async () => {
    server = await startTestServer({ flags: { sandbox: true } });
  });
  afterAll(() => server.stop());

  const admin = () => [`Authorization: Bearer ${server.adminToken}`];
  const JSON_TYPE = "Content-Type: application/json";

  test.each(SPELLINGS.slice(8))("%j is no second spelling of a control path", async (target) => {
    const answer = await send(server.port, "GET", target, admin());
    expect(
      statuses(answer).every((status) => status >= 400),
      answer,
    ).toBe(true);
    expect(answer).not.toMatch(OF_THE_CONTROL_PLANE);
  });

  test.each(CALLS.slice(2, 8))("%j is no second spelling of a call", async (target) => {
    expect(statuses(await send(server.port, "GET", target, admin()))[0]).toBeGreaterThanOrEqual(400);
  });

  test("answers to no name but its own, on any route that says something", async () => {
    for (const path of ["/", "/docs", "/docs/json", "/metrics", "/vault/keys", "/session"]) {
      const bytes = `GET ${path} HTTP/1.1\r\nHost: rebound.example:${server.port}\r\nConnection: close\r\n${admin()[0]}\r\n\r\n`;
      expect([path, ...statuses(await exchange(server.port, bytes))]).toEqual([path, 421]);
    }
  });

  /** What a page of another site can make a browser send without asking first. */
  const FORGED: readonly (readonly [what: string, method: string, headers: readonly string[], body: string])[] = [
    ["a form", "POST", ["Content-Type: application/x-www-form-urlencoded"], "%7B%22x%22%3A1%7D=1"],
    ["a form in plain text", "POST", ["Content-Type: text/plain"], '{"reason":"x"}'],
    ["a form with a file", "POST", ["Content-Type: multipart/form-data; boundary=x"], "--x--"],
    ["a script with no-cors", "POST", ["Content-Type: text/plain;charset=UTF-8", "Sec-Fetch-Mode: no-cors"], "{}"],
    ["a sandboxed frame", "POST", ["Origin: null", JSON_TYPE], "{}"],
    ["a script of another site", "POST", ["Origin: https://evil.example", JSON_TYPE], "{}"],
    ["a page at another port", "POST", ["Origin: http://127.0.0.1:1", "Sec-Fetch-Site: same-site", JSON_TYPE], "{}"],
    ["a form without a body", "POST", ["Sec-Fetch-Site: cross-site"], ""],
    ["a beacon", "POST", ["Origin: https://evil.example", "Content-Type: text/plain"], "{}"],
  ];

  test.each(FORGED)("%s changes nothing with the operator's cookie", async (_what, method, headers, body) => {
    const signedIn = await send(
      server.port,
      "POST",
      "/session",
      [JSON_TYPE],
      JSON.stringify({ token: server.adminToken }),
    );
    const cookie = /set-cookie: ([^;]+)/i.exec(signedIn)![1]!;
    const answer = await send(server.port, method, "/brake", [`Cookie: ${cookie}`, ...headers], body);
    expect([403, 415]).toContain(statuses(answer)[0]!);
    const brakes = await send(server.port, "GET", "/brake", admin());
    expect(brakes).toContain('{"brakes":[]}');
  });

  test("a preflight gets no permission, and no answer of the control plane has any for other origins", async () => {
    const preflight = [
      ...["Origin: https://evil.example", "Access-Control-Request-Method: POST"],
      ...["Access-Control-Request-Headers: authorization,content-type", "Access-Control-Request-Private-Network: true"],
    ];
    const answers = [
      await send(server.port, "OPTIONS", "/vault/keys", preflight),
      await send(server.port, "OPTIONS", "/session", preflight),
      await send(server.port, "GET", "/healthz", ["Origin: https://evil.example"]),
      await send(server.port, "GET", "/vault/keys", admin()),
    ];
    for (const answer of answers) expect(answer.toLowerCase()).not.toContain("access-control-");
    expect(statuses(answers[0]!)[0]).toBeGreaterThanOrEqual(400);
  });

  test("a WebSocket is not opened, by any page", async () => {
    const upgrade = ["Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA=="];
    for (const path of ["/audit/stream", "/", "/stripe/v1/balance"]) {
      const head = [`GET ${path} HTTP/1.1`, `Host: 127.0.0.1:${server.port}`, "Connection: Upgrade", ...upgrade];
      const answer = await exchange(server.port, `${head.join("\r\n")}\r\nOrigin: https://evil.example\r\n\r\n`);
      expect(statuses(answer)[0]).toBeGreaterThanOrEqual(400);
      expect(answer).not.toContain("101 ");
    }
  });

  test("every answer forbids caches, frames, guessing at types and other sites' pages, also one that refuses", async () => {
    const wanted = [
      ["cache-control", "no-store"],
      ["x-content-type-options", "nosniff"],
      ["referrer-policy", "no-referrer"],
      ["cross-origin-resource-policy", "same-origin"],
    ];
    const asked: readonly (readonly [path: string, init: RequestInit])[] = [
      ["/", {}],
      ["/docs", {}],
      ["/docs/json", {}],
      ["/healthz", {}],
      ["/vault/keys", {}],
      ["/vault/nope", { headers: { authorization: `Bearer ${server.adminToken}` } }],
      ["/tokens", { headers: { authorization: `Bearer ${server.adminToken}` } }],
      ["/audit/export", { headers: { authorization: `Bearer ${server.adminToken}` } }],
      ["/vault/keys/%2e%2e", {}],
      ["/vault/keys", { method: "POST", body: "x".repeat(2_000_000) }],
    ];
    for (const [path, init] of asked) {
      const { headers } = await fetch(`${server.url}${path}`, init);
      expect([path, ...wanted.map(([name]) => [name, headers.get(name!)])]).toEqual([path, ...wanted]);
      expect([path, headers.get("content-security-policy")]).toEqual([
        path,
        expect.stringContaining("default-src 'none'"),
      ]);
      expect([path, headers.get("content-security-policy")]).toEqual([
        path,
        expect.stringContaining("frame-ancestors 'none'"),
      ]);
      expect(headers.has("access-control-allow-origin")).toBe(false);
    }
  });
});
