import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { ROUTES, type RouteRow } from "../../src/api/routes.ts";
import { CONTROL_ROLES, mintControlToken } from "../../src/vault/control-token.ts";
import { mintVaultKey } from "../../src/vault/vault-key.ts";
import { startTestServer, type TestServer } from "../harness/server.ts";

/** What a caller sends to say who it is. */
type Proof = Readonly<Record<string, string>>;

let server: TestServer;
let proofs: Readonly<Record<string, Proof>>;
let asked = 0;

const bearer = (token: string): Proof => ({ authorization: `Bearer ${token}` });

/** Every request from an address of its own, or those that fail would be slowed down. */
function ask(method: string, path: string, headers: Proof, body?: unknown): Promise<Response> {
  asked += 1;
  return fetch(`${server.url}${path}`, {
    method,
    headers: {
      "x-forwarded-for": `10.1.${asked >> 8}.${asked & 255}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
}

interface Made {
  readonly id: string;
  readonly token: string;
}

async function make(path: string, body: unknown): Promise<Made> {
  return (await (await ask("POST", path, bearer(server.adminToken), body)).json()) as Made;
}

async function signIn(token: string): Promise<Proof> {
  const answer = await ask("POST", "/session", {}, { token });
  return { cookie: answer.headers.get("set-cookie")!.split(";", 1)[0]!, origin: server.url };
}

const KEY = { vendor: "stripe", expires_in: "1h", allowed_endpoints: ["GET /v1/balance"] };

beforeAll(async () => {
  server = await startTestServer({ config: { behindTlsProxy: true } });
  const tokens = Object.fromEntries(
    await Promise.all(CONTROL_ROLES.map(async (role) => [role, await make("/tokens", { role })] as const)),
  );
  const sessions = Object.fromEntries(
    await Promise.all(
      CONTROL_ROLES.map(async (role) => [`session of ${role}`, await signIn(tokens[role]!.token)] as const),
    ),
  );
  const revoked = await make("/tokens", { role: "admin" });
  const revokedSession = await signIn(revoked.token);
  await ask("DELETE", `/tokens/${revoked.id}`, bearer(server.adminToken));
  const signedOut = await signIn(tokens["admin"]!.token);
  await ask("DELETE", "/session", signedOut);
  proofs = {
    nobody: {},
    "vault key": bearer((await make("/vault/keys", KEY)).token),
    ...Object.fromEntries(CONTROL_ROLES.map((role) => [role, bearer(tokens[role]!.token)])),
    ...sessions,
    "unknown token": bearer(mintControlToken("admin").token.reveal()),
    "damaged token": bearer(`${server.adminToken}x`),
    "revoked token": bearer(revoked.token),
    "session of a revoked token": revokedSession,
    "session that was signed out": signedOut,
    "session of another site": { ...sessions["session of admin"]!, origin: "https://evil.example" },
  };
});
afterAll(() => server.stop());

const IN = ["nobody", "vault key", ...CONTROL_ROLES, ...CONTROL_ROLES.map((role) => `session of ${role}`)] as const;
const OUT = [
  ...["unknown token", "damaged token", "revoked token", "session of a revoked token", "session that was signed out"],
  "session of another site",
] as const;

function expected({ access }: RouteRow, caller: string): number | "let in" {
  if (caller === "session of another site") return 403;
  if (access === "anyone") return "let in";
  const role = CONTROL_ROLES.find((each) => caller === each || caller === `session of ${each}`);
  if (caller === "vault key") return access === "vault_key" ? "let in" : 403;
  if (role === undefined) return 401;
  return access !== "vault_key" && access.includes(role) ? "let in" : 403;
}

/** What no schema takes, so that whoever is let in is told so, and nothing changes. */
async function statusOf({ method, path }: RouteRow, proof: Proof): Promise<number> {
  const concrete = path.replace(/:\w+/g, "x");
  const answer = await (method === "GET"
    ? ask(method, concrete, proof)
    : ask(method, `${concrete}?nonsense=1`, proof, { nonsense: 1 }));
  await answer.body?.cancel();
  return answer.status;
}

describe("every route of the running server", () => {
  test.each(ROUTES.map((row) => [`${row.method} ${row.path}`, row] as const))(
    "%s lets in whom the table names",
    async (_, row) => {
      const callers = [...IN, ...OUT];
      const answered = await Promise.all(callers.map((caller) => statusOf(row, proofs[caller]!)));
      const said = answered.map((status) => ([200, 404, 409, 422].includes(status) ? "let in" : status));
      const wanted = callers.map((caller) => expected(row, caller));
      expect(Object.fromEntries(callers.map((caller, at) => [caller, said[at]]))).toEqual(
        Object.fromEntries(callers.map((caller, at) => [caller, wanted[at]!])),
      );
    },
  );

  test("nothing was changed by those who were not let in, nor by the rest", async () => {
    const keys = (await (await ask("GET", "/vault/keys", bearer(server.adminToken))).json()) as { keys: Made[] };
    const tokens = (await (await ask("GET", "/tokens", bearer(server.adminToken))).json()) as { tokens: Made[] };
    expect([keys.keys.length, tokens.tokens.length]).toEqual([1, CONTROL_ROLES.length + 2]);
  });

  test("a key that this server has not issued is nobody's", async () => {
    expect((await ask("GET", "/vault/self", bearer(mintVaultKey().token.reveal()))).status).toBe(401);
  });

  test("what is no route is 401 to a stranger, and 403, 404 or 405 to everybody else", async () => {
    for (const [method, path] of [
      ["GET", "/vault"],
      ["POST", "/audit"],
      ["PUT", "/vault/keys"],
      ["GET", "/session/x"],
    ] as const) {
      expect([path, (await ask(method, path, {})).status]).toEqual([path, 401]);
      const status = (await ask(method, path, bearer(server.adminToken))).status;
      expect([path, [403, 404, 405].includes(status)]).toEqual([path, true]);
    }
  });
});
