import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { charge, FIVE_DOLLARS, issueChargeKey } from "../harness/stripe-charge.ts";
import { setVendor } from "../harness/vendor-account.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

let bench: Bench;
let vendor: VendorDouble;
let server: RunningKeybrake;
let key: IssuedKey;
/** Lets the vendor answer. */
let open: () => void;

beforeEach(async () => {
  bench = await makeBench();
  const gate = new Promise<void>((done) => {
    open = done;
  });
  vendor = await startVendorDouble(async (request): Promise<DoubleAnswer> => {
    if (request.body.includes("hang")) return "hang";
    if (request.body.includes("slow")) await gate;
    return answerOf(request);
  });
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_drain_real_secret" });
  key = await issueChargeKey(bench, "1000", "drain/1");
});

afterEach(async () => {
  await bench.stop();
  await vendor.stop();
});

/** Large ones do not fit a socket's buffer. */
const LARGE_BYTES = 400_000;

function answerOf(request: RecordedRequest): DoubleAnswer {
  if (!request.body.includes("large")) return succeededIntent(request);
  const answer = succeededIntent(request) as { status: number; body: string };
  const intent = JSON.parse(answer.body) as Record<string, unknown>;
  return { ...answer, body: JSON.stringify({ ...intent, statement: "x".repeat(LARGE_BYTES) }) };
}

async function serve(drainTimeout = "10m"): Promise<void> {
  writeFileSync(join(bench.dataDir, "keybrake.yaml"), `limits:\n  drain_timeout: ${drainTimeout}\n`, { mode: 0o600 });
  server = await bench.serve();
}

/** Calls that have reached the vendor. */
async function underWay(count: number, description: string): Promise<Promise<Response>[]> {
  const before = vendor.requests.length;
  const calls = Array.from({ length: count }, () => charge(server, key, description));
  await eventually(() => (vendor.requests.length === before + count ? true : undefined));
  return calls;
}

const readiness = async () => (await fetch(`${server.url}/readyz`)).status;
const draining = () => eventually(async () => ((await readiness()) === 503 ? true : undefined));

interface Row {
  readonly state: string;
  readonly policy_verdict: string;
  readonly exposure_usd: string;
}

/** By state; read by another process, after the server has ended. */
async function states(): Promise<Record<string, number>> {
  const rows = await bench.json<Row[]>(["audit", "--limit", "1000"]);
  return Object.fromEntries(Object.entries(Object.groupBy(rows, ({ state }) => state)).map(([k, v]) => [k, v!.length]));
}

function livingLeases(): number {
  const database = new Database(join(bench.dataDir, "keybrake.db"), { readonly: true });
  const { count } = database.query("SELECT count(*) AS count FROM leases WHERE until > ?").get(Date.now()) as {
    count: number;
  };
  database.close();
  return count;
}

async function rawSocket(text: string): Promise<Socket> {
  const socket = connect(server.port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((done) => socket.once("connect", done));
  await new Promise<void>((done) => void socket.write(text, () => done()));
  return socket;
}

for (const signal of ["SIGTERM", "SIGINT"] as const) {
  test(`${signal} answers new calls 503 in the vendor's shape, and lets the 20 that are under way finish`, async () => {
    await serve();
    expect(await readiness()).toBe(200);
    const calls = await underWay(20, "slow");
    const ended = server.kill(signal);
    await draining();
    const refused = await charge(server, key);
    expect(refused.status).toBe(503);
    expect(refused.headers.get("retry-after")).toBe("2");
    const body = (await refused.json()) as { error: { type: string; message: string }; keybrake: { code: string } };
    expect(body).toMatchObject({ error: { type: "api_error" }, keybrake: { code: "draining" } });
    open();
    for (const call of calls) expect((await call).status).toBe(200);
    expect(await ended).toBe(0);
    expect(vendor.requests).toHaveLength(20);
    expect(await states()).toEqual({ settled: 20, refused: 1 });
    expect(livingLeases()).toBe(0);
  });
}

test("calls that outlast drain_timeout are aborted and keep their hold as unresolved", async () => {
  await serve("1s");
  const calls = await underWay(3, "hang");
  expect(livingLeases()).toBe(1);
  expect(await server.kill()).toBe(0);
  for (const call of calls) expect((await call).status).toBe(504);
  expect(server.output()).toContain('"event":"calls_aborted","count":3,"cause":"the drain took too long"');
  const rows = await bench.json<Row[]>(["audit"]);
  const row = { state: "unresolved", policy_verdict: "upstream_timeout", exposure_usd: "5.00" };
  expect(rows).toMatchObject([row, row, row]);
  expect(livingLeases()).toBe(0);
});

test("a second signal lets nothing finish, and the calls are unresolved all the same", async () => {
  await serve();
  const calls = await underWay(20, "hang");
  const ended = server.kill();
  await draining();
  void server.kill();
  expect(await ended).toBe(143);
  for (const call of calls) expect((await call).status).toBe(504);
  expect(server.output()).toContain('"event":"calls_aborted","count":20,"cause":"a second signal"');
  expect(await states()).toEqual({ unresolved: 20 });
  expect(livingLeases()).toBe(0);
});

describe("the end is not held up by a client that", () => {
  const head =
    "POST /stripe/v1/payment_intents HTTP/1.1\r\nhost: x\r\ncontent-type: application/x-www-form-urlencoded\r\n";
  const scenarios: readonly (readonly [does: string, text: () => string])[] = [
    ["keeps an idle connection", () => "GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n"],
    ["has sent nothing", () => ""],
    ["has sent half a head", () => head],
    [
      "has sent half a body",
      () => `${head}authorization: Bearer ${key.vault_key}\r\ncontent-length: 100\r\n\r\namount=5`,
    ],
  ];
  for (const [does, text] of scenarios) {
    test(does, async () => {
      await serve();
      const socket = await rawSocket(text());
      expect(await server.kill()).toBe(0);
      socket.destroy();
    });
  }

  test("does not take its answer", async () => {
    await serve();
    const body = `${FIVE_DOLLARS}&description=large`;
    const text = `${head}authorization: Bearer ${key.vault_key}\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
    const socket = await rawSocket(text);
    socket.pause();
    await eventually(() => (vendor.requests.length === 1 ? true : undefined));
    expect(await server.kill()).toBe(0);
    socket.destroy();
    expect(await states()).toEqual({ settled: 1 });
  });
});

test("answers that are being sent when the last call ends arrive whole", async () => {
  await serve();
  const calls = await underWay(20, "slow+large");
  const ended = server.kill();
  await draining();
  open();
  for (const call of calls) expect((await (await call).text()).length).toBeGreaterThan(LARGE_BYTES);
  expect(await ended).toBe(0);
});
