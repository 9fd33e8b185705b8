import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { type Bench, eventually, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { exchange, statuses } from "../harness/raw-socket.ts";

let bench: Bench;
let server: RunningKeybrake;
let twin: RunningKeybrake;
let adminPort: number;
let token: string;

beforeAll(async () => {
  bench = await makeBench();
  server = await bench.serve();
  adminPort = await freePort();
  // A second process on the same data, whose control plane has an address of its own.
  const apart = ["--listen", `127.0.0.1:${await freePort()}`, "--admin-listen", `127.0.0.1:${adminPort}`];
  twin = await bench.serve(apart, adminPort);
  token = (await bench.json<{ token: string }>(["token", "issue", "--role", "admin"])).token;
});
afterAll(() => bench.stop());

const head = (port: number) => `Host: 127.0.0.1:${port}\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n`;

function ask(base: string, method: string, path: string, json?: unknown, headers: Record<string, string> = {}) {
  return fetch(`${base}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, "content-type": "application/json", ...headers },
    ...(json === undefined ? {} : { body: JSON.stringify(json) }),
  });
}

const KEY = { vendor: "stripe", daily_usd_cap: 5, expires_in: "1h", allowed_endpoints: ["GET /v1/balance"] };
const planes = () => [server.url, `http://127.0.0.1:${adminPort}`] as const;

describe("a body that is not read", () => {
  test("is 413, and its request is not taken for one without a body: the brake on everything stays on", async () => {
    expect((await ask(server.url, "POST", "/brake", {})).status).toBe(201);
    const large = { vendor: "x".repeat(3_000_000) };
    const answer = await ask(server.url, "DELETE", "/brake", large);
    expect(answer.status).toBe(413);
    expect(await answer.json()).toMatchObject({ error: { code: "body_too_large" } });
    const { brakes } = (await (await ask(server.url, "GET", "/brake")).json()) as { brakes: unknown[] };
    expect(brakes).toHaveLength(1);
    expect((await ask(server.url, "DELETE", "/brake", {})).status).toBe(200);
  });
});

describe("on the wire", () => {
  const LINES: readonly (readonly [line: string, ofMain: number, ofAdmin: number])[] = [
    ["GET //[ HTTP/1.1", 400, 400],
    ["GET //evil.example/vault/keys HTTP/1.1", 400, 400],
    ["GET /vault/keys/%zz HTTP/1.1", 422, 422],
    ["TRACE /vendors HTTP/1.1", 405, 405],
    ["PROPFIND /vendors HTTP/1.1", 405, 405],
    ["HEAD /vendors HTTP/1.1", 200, 200],
  ];

  test.each(LINES)("%s has an answer and is no defect", async (line, ofMain, ofAdmin) => {
    const expected = [
      [server.port, ofMain],
      [adminPort, ofAdmin],
    ] as const;
    for (const [port, status] of expected) {
      const answer = await exchange(port, `${line}\r\n${head(port)}\r\n`);
      expect([port === adminPort, ...statuses(answer)]).toEqual([port === adminPort, status]);
      if (line.startsWith("HEAD")) expect(answer).toEndWith("\r\n\r\n");
    }
    expect(server.output() + twin.output()).not.toContain("failed");
  });
});

describe("two processes on the same data", () => {
  test("give one key for requests with one Idempotency-Key that come at the same moment", async () => {
    for (let round = 0; round < 5; round++) {
      const headers = { "idempotency-key": `race-${round}` };
      const asked = [0, 1, 2, 3, 4, 5, 6, 7].map((at) => ask(planes()[at % 2]!, "POST", "/vault/keys", KEY, headers));
      const answers = await Promise.all(asked);
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 201));
      const issued = (await Promise.all(answers.map((answer) => answer.json()))) as { id: string; vault_key: string }[];
      expect(new Set(issued.map(({ vault_key }) => vault_key)).size).toBe(1);
      const list = await (await ask(server.url, "GET", "/vault/keys?active=true&limit=200")).json();
      const active = (list as { keys: { id: string }[] }).keys.map(({ id }) => id);
      expect(active).toHaveLength(round + 1);
      expect(active).toContain(issued[0]!.id);
    }
  });

  test("give a unique label to one key alone", async () => {
    const body = { ...KEY, label: "only/one", unique_label: true };
    const answers = await Promise.all([0, 1, 2, 3, 4, 5].map((at) => ask(planes()[at % 2]!, "POST", "/keys", body)));
    const statusesOf = answers.map(({ status }) => status).sort();
    expect(statusesOf).toEqual([201, 409, 409, 409, 409, 409]);
    const [won] = (await Promise.all(answers.filter(({ status }) => status === 201).map((one) => one.json()))) as {
      id: string;
    }[];
    for (const answer of answers.filter(({ status }) => status === 409)) {
      expect(await answer.json()).toMatchObject({ error: { key_id: won!.id } });
    }
  });

  test("lose no change of a key that both change, and never bring back one that is revoked", async () => {
    for (let round = 0; round < 5; round++) {
      const { id } = (await (await ask(server.url, "POST", "/vault/keys", KEY)).json()) as { id: string };
      const [caps, endpoints, revoked] = await Promise.all([
        ask(planes()[0], "PATCH", `/vault/keys/${id}`, { daily_usd_cap: 3 }),
        ask(planes()[1], "PATCH", `/vault/keys/${id}`, { allowed_endpoints: ["GET /v1/charges"] }),
        ask(planes()[round % 2]!, "DELETE", `/vault/keys/${id}`),
      ]);
      expect(revoked.status).toBe(200);
      const shown = (await (await ask(server.url, "GET", `/vault/keys/${id}`)).json()) as {
        status: string;
        policy: Record<string, unknown>;
      };
      expect(shown.status).toBe("revoked");
      for (const { status } of [caps, endpoints]) expect([200, 409]).toContain(status);
      expect(shown.policy["daily_usd_cap"]).toBe(caps.status === 200 ? "3.00" : "5.00");
      expect(shown.policy["allowed_endpoints"]).toEqual([
        endpoints.status === 200 ? "GET /v1/charges" : "GET /v1/balance",
      ]);
    }
  });
});

test("a stream ends by itself when its server is told to stop", async () => {
  const other = await bench.serve([], await freePort());
  const stream = await ask(other.url, "GET", "/audit/stream");
  const reader = stream.body!.getReader();
  expect(Buffer.from((await reader.read()).value!).toString()).toStartWith(": rows as they come\nretry: 2000\nid: ");
  const exited = other.kill("SIGTERM");
  const end = await eventually(async () => ((await reader.read()).done ? "ended" : undefined));
  expect(end).toBe("ended");
  expect(await exited).toBe(0);
});
