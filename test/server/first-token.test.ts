import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startTestServer, type TestServer } from "../harness/server.ts";

let root: string;
const servers: TestServer[] = [];
const start = async (): Promise<TestServer> => {
  const server = await startTestServer({ data: join(root, "data") });
  servers.push(server);
  return server;
};

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "keybrake-first-"));
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  rmSync(root, { recursive: true, force: true });
});

const ask = (server: TestServer, method: string, path: string, token: string) =>
  fetch(`${server.url}${path}`, { method, headers: { authorization: `Bearer ${token}` } });

/** Every file of the data directory, byte for byte. */
function onDisk(): string {
  const files = readdirSync(join(root, "data"), { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  expect(files.map(({ name }) => name)).toContain("keybrake.db");
  return files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), "latin1")).join("\n");
}

/** The spellings in which a text could have been kept. */
function spellings(text: string): string[] {
  const random = text.slice(text.lastIndexOf("_") + 1);
  return [random, Buffer.from(text).toString("base64").slice(0, -4), Buffer.from(random).toString("hex")];
}

test("the first admin token, and a session's id, stand in no file and no line of the log", async () => {
  const server = await start();
  const answer = await fetch(`${server.url}/session`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ token: server.adminToken }),
  });
  const cookie = answer.headers.get("set-cookie")!.split(";", 1)[0]!;
  const session = cookie.slice(cookie.indexOf("=") + 1);
  const signedIn = { headers: { cookie } };
  expect((await fetch(`${server.url}/vendors`, signedIn)).status).toBe(200);
  expect((await fetch(`${server.url}/vendors`, { headers: { cookie: `${cookie}x` } })).status).toBe(401);
  const kept = `${onDisk()}\n${server.logged.join("\n")}`;
  await server.stop();
  for (const spelling of [...spellings(server.adminToken), ...spellings(session)]) {
    expect(spelling.length).toBeGreaterThan(40);
    expect(`${kept}\n${onDisk()}`.includes(spelling)).toBe(false);
  }
  // Sessions outlast the restart, by their hash.
  const again = await start();
  const [name] = cookie.split("=", 1);
  const own = { headers: { cookie: `${name}=${session}` } };
  expect((await fetch(`${again.url}/vendors`, own)).status).toBe(200);
});

test("no later start gives out another one, not even when every token was revoked", async () => {
  const first = await start();
  const { tokens } = (await (await ask(first, "GET", "/tokens", first.adminToken)).json()) as {
    tokens: { id: string }[];
  };
  expect(tokens).toHaveLength(1);
  expect((await ask(first, "DELETE", `/tokens/${tokens[0]!.id}`, first.adminToken)).status).toBe(200);
  expect((await ask(first, "GET", "/tokens", first.adminToken)).status).toBe(401);
  await first.stop();
  expect((await start()).firstAdminToken).toBeUndefined();
});
