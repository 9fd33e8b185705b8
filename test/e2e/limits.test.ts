import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import {
  type Bench,
  BINARY,
  eventually,
  type IssuedKey,
  makeBench,
  type RunningKeybrake,
} from "../harness/keybrake.ts";
import { exchange, statuses } from "../harness/raw-socket.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const CALLS_PER_KEY_MAX = 4;
const SETTINGS = `limits:\n  body_timeout: 2s\n  concurrent_calls_per_key_max: ${CALLS_PER_KEY_MAX}\n`;
const GOOD_CALL_MS = 2_000;
/** Far below drain_timeout, and what a busy machine may take to end a process. */
const AT_ONCE_MS = 10_000;
/** Ten seconds for a head, and the rounds in which a listener looks. */
const SLOW_CLIENT_MS = 16_000;
/** More than the sockets' buffers between a vendor and a client take. */
const LARGE_ANSWER = Buffer.alloc(24 * 1024 * 1024, "a");

let bench: Bench;
let vendor: VendorDouble;
let server: RunningKeybrake;
/** Calls whose description says `wait` are answered when this is called. */
let letGo: () => void;

beforeAll(async () => {
  bench = await makeBench();
  const gate = new Promise<void>((done) => {
    letGo = done;
  });
  vendor = await startVendorDouble(async (request) => {
    if (request.body.includes("wait")) await gate;
    if (request.method === "GET") return { status: 200, body: LARGE_ANSWER };
    return succeededIntent(request);
  });
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_limits_real_secret" });
  writeFileSync(join(bench.dataDir, "keybrake.yaml"), SETTINGS);
  server = await bench.serve();
});

afterAll(async () => {
  await bench.stop();
  await vendor.stop();
});

const issueKey = (label: string) => issueChargeKey(bench, "1000", label);

test("clients that do not read their answer are cut off, count as calls of their key, and leave it usable", async () => {
  const policy = ["--vendor", "stripe", "--allowed-endpoints", "GET /v1/customers", "--daily-usd-cap", "1"];
  const key = await bench.json<IssuedKey>(["key", "issue", ...policy, "--expires-in", "1h"]);
  const authorization = `Bearer ${key.vault_key}`;
  const bytes = `GET /stripe/v1/customers HTTP/1.1\r\nhost: a\r\nauthorization: ${authorization}\r\n\r\n`;
  const clients = await openClients(server.port, CALLS_PER_KEY_MAX, bytes, { isReading: false });
  const read = async () => {
    const response = await fetch(`${server.url}/stripe/v1/customers`, { headers: { authorization } });
    await response.arrayBuffer();
    return response.status;
  };
  await eventually(async () => ((await read()) === 429 ? true : undefined));
  await eventually(async () => ((await read()) === 200 ? true : undefined));
  clients.destroy();
});

const HEAD = "POST /stripe/v1/payment_intents HTTP/1.1\r\nhost: 127.0.0.1\r\n";

function halfBody(key: IssuedKey): string {
  const type = "content-type: application/x-www-form-urlencoded";
  return `${HEAD}authorization: Bearer ${key.vault_key}\r\n${type}\r\ncontent-length: 100\r\n\r\namount=`;
}

interface SlowClients {
  readonly open: number;
  destroy(): void;
}

/** Clients that send this much and then nothing more. */
async function openClients(
  port: number,
  count: number,
  bytes: string,
  { isReading = true }: { isReading?: boolean } = {},
): Promise<SlowClients> {
  const sockets = new Set<Socket>();
  const clients = Array.from(
    { length: count },
    () =>
      new Promise<void>((done) => {
        const socket = connect(port, "127.0.0.1", () => socket.write(bytes, () => done()));
        sockets.add(socket);
        socket.on("close", () => sockets.delete(socket));
        if (isReading) socket.on("data", () => {});
        else socket.pause();
        socket.on("error", () => done());
      }),
  );
  await Promise.all(clients);
  return {
    get open() {
      return sockets.size;
    },
    destroy: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

async function expectGoodCall(at: { readonly url: string }, key: IssuedKey): Promise<void> {
  const startedMs = performance.now();
  expect((await charge(at, key)).status).toBe(200);
  expect(performance.now() - startedMs).toBeLessThan(GOOD_CALL_MS);
}

describe("500 clients that send half a head and 200 that send half a body", () => {
  test("do not keep a good call waiting, and are gone when their time is up", async () => {
    const key = await issueKey("slow/1");
    const heads = await openClients(server.port, 500, `${HEAD}x-slow: `);
    const bodies = await openClients(server.port, 200, halfBody(key));
    const startedMs = performance.now();
    expect([heads.open, bodies.open]).toEqual([500, 200]);
    for (let call = 0; call < 5; call++) await expectGoodCall(server, key);
    while (heads.open + bodies.open > 0 && performance.now() - startedMs < SLOW_CLIENT_MS) await Bun.sleep(50);
    expect([heads.open, bodies.open]).toEqual([0, 0]);
    const rows = await bench.json<{ state: string }[]>(["audit", "--key", key.id, "--limit", "1000"]);
    expect(Map.groupBy(rows, ({ state }) => state).get("settled")).toHaveLength(5);
    expect(Map.groupBy(rows, ({ state }) => state).get("refused")).toHaveLength(200);
    expect(rows).toHaveLength(205);
  }, 30_000);
});

test("a process that may open few files lives on, and serves, with more slow clients than it has files", async () => {
  const key = await issueKey("files/1");
  const port = await freePort();
  const limited = Bun.spawn(["sh", "-c", 'ulimit -n 1024 && exec "$0" serve', BINARY], {
    env: { ...bench.environment, KEYBRAKE_LISTEN: `127.0.0.1:${port}` },
    stdio: ["ignore", "ignore", "ignore"],
  });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() =>
    fetch(`${url}/healthz`).then(
      ({ ok }) => ok || undefined,
      () => undefined,
    ),
  );
  const clients = await openClients(port, 1_300, `${HEAD}x-slow: `);
  for (let call = 0; call < 3; call++) await expectGoodCall({ url }, key);
  expect(clients.open).toBeGreaterThan(100);
  clients.destroy();
  limited.kill("SIGTERM");
  expect(await limited.exited).toBe(0);
});

describe("what is too large is refused before it is read:", () => {
  test("a body over 1 MB with 413 in the vendor's own shape, without a vendor call", async () => {
    const key = await issueKey("large/1");
    const before = vendor.requests.length;
    const response = await charge(server, key, "x".repeat(1024 * 1024));
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringContaining("limit is 1048576") },
      keybrake: { code: "body_too_large" },
    });
    expect(vendor.requests.length).toBe(before);
    expect(await bench.json<unknown[]>(["audit", "--key", key.id])).toMatchObject([
      { state: "refused", policy_verdict: "body_too_large", exposure_usd: "0.00" },
    ]);
  });

  test("a body that only says that it has 200 MB", async () => {
    const key = await issueKey("large/2");
    const head = `${HEAD}authorization: Bearer ${key.vault_key}\r\ncontent-type: application/x-www-form-urlencoded\r\n`;
    const answer = await exchange(server.port, `${head}content-length: 209715200\r\n\r\namount=500`);
    expect(statuses(answer)).toEqual([413]);
    expect(answer.toLowerCase()).toContain("connection: close");
  });

  test("a head over 16 KB with 431", async () => {
    const answer = await exchange(server.port, `${HEAD}x-large: ${"x".repeat(20_000)}\r\n\r\n`);
    expect(statuses(answer)).toEqual([431]);
  });
});

test("more calls of one key at once than its limit are refused with 429 and Retry-After, those of another are not", async () => {
  const [key, other] = [await issueKey("burst/1"), await issueKey("burst/2")];
  const before = vendor.requests.length;
  const calls = Array.from({ length: 20 }, () => charge(server, key, "wait"));
  let refused: Response[] = [];
  await eventually(() => (vendor.requests.length === before + CALLS_PER_KEY_MAX ? true : undefined));
  expect((await charge(server, other)).status).toBe(200);
  letGo();
  const responses = await Promise.all(calls);
  refused = responses.filter(({ status }) => status !== 200);
  expect(responses.length - refused.length).toBe(CALLS_PER_KEY_MAX);
  for (const response of refused) {
    expect(response.status).toBe(429);
    expect(response.headers.get("retry-after")).toMatch(/^[1-9][0-9]*$/);
    expect(response.headers.get("x-keybrake-cap-hit")).toBeNull();
    expect(await response.json()).toMatchObject({ keybrake: { code: "rate_exceeded" } });
  }
  expect((await charge(server, key)).status).toBe(200);
});

describe("SIGTERM", () => {
  test("lets a running call finish, refuses new ones with 503, and leaves nothing held", async () => {
    const key = await issueKey("drain/1");
    let answer = () => {};
    const gate = new Promise<void>((done) => {
      answer = done;
    });
    vendor.answer = async (request) => {
      await gate;
      return succeededIntent(request);
    };
    const before = vendor.requests.length;
    const running = charge(server, key);
    await eventually(() => (vendor.requests.length > before ? true : undefined));
    const exit = server.kill("SIGTERM");
    await eventually(() => (server.output().includes('"stopping"') ? true : undefined));
    const late = await charge(server, key);
    expect(late.status).toBe(503);
    expect(late.headers.get("retry-after")).toMatch(/^[1-9][0-9]*$/);
    expect(await late.json()).toMatchObject({ keybrake: { code: "draining" } });
    answer();
    expect((await running).status).toBe(200);
    const finishedMs = performance.now();
    expect(await exit).toBe(0);
    expect(performance.now() - finishedMs).toBeLessThan(AT_ONCE_MS);
    expect(server.output()).not.toContain('"error"');
    const rows = await bench.json<{ state: string }[]>(["audit", "--limit", "1000"]);
    expect(rows.filter(({ state }) => state === "held" || state === "unresolved")).toEqual([]);
    expect(await bench.json<unknown[]>(["audit", "--key", key.id])).toMatchObject([
      { state: "settled", cost_usd: "5.00" },
      { state: "refused", policy_verdict: "draining" },
    ]);
  });

  test("ends an idle server at once", async () => {
    const idle = await bench.serve();
    const startedMs = performance.now();
    expect(await idle.kill("SIGTERM")).toBe(0);
    expect(performance.now() - startedMs).toBeLessThan(AT_ONCE_MS);
  });
});
