import { Database } from "bun:sqlite";
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, deflateSync, gzipSync } from "node:zlib";
import {
  type Bench,
  type CliResult,
  eventually,
  type IssuedKey,
  makeBench,
  type RunningKeybrake,
} from "../harness/keybrake.ts";
import { exchange } from "../harness/raw-socket.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { startTraceCollector, type TraceCollector } from "../harness/trace-collector.ts";
import { ACCOUNT_SID, setVendor } from "../harness/vendor-account.ts";
import {
  type DoubleAnswer,
  type RecordedRequest,
  startVendorDouble,
  type VendorDouble,
} from "../harness/vendor-double.ts";

/** With characters that base64 and base64url, and percent-escaping, each spell in their own way. */
const SECRETS = {
  stripe: "sk_test_canary_>>>???~real/secret+0123456789",
  twilio: "canary0real0twilio0auth0token0ab",
  resend: "re_canary_real_secret_0123456789",
};
const ROTATED = "sk_test_canary_rotated_real_secret_0123456789";
const MISPLACED = "sk_test_canary_misplaced_secret_0123456789";
/** By which the collector of traces knows its senders. */
const COLLECTOR_KEY = "otlp_canary_>>>???~key_0123456789";
const BASIC_PAIR = `${ACCOUNT_SID}:${SECRETS.twilio}`;

let bench: Bench;
let server: RunningKeybrake;
const doubles = {} as Record<keyof typeof SECRETS, VendorDouble>;
const keys = {} as Record<keyof typeof SECRETS, IssuedKey>;
let adminToken: string;
let collector: TraceCollector;

/** Everything that came out of Keybrake, by where it came from. */
const seen: { readonly from: string; readonly bytes: Buffer }[] = [];
/** Tokens that exist; none of them may be at rest. */
const vaultKeys: string[] = [];

function note(from: string, ...parts: readonly (string | Uint8Array)[]): void {
  for (const part of parts) seen.push({ from, bytes: Buffer.from(part) });
}

/** As a vendor, a log or a file may spell it. */
function spellingsOf(secret: string): readonly (readonly [encoding: string, text: string])[] {
  const bytes = Buffer.from(secret);
  return [
    ["as it is", secret],
    ["in base64", bytes.toString("base64").replace(/=+$/, "")],
    ["in base64url", bytes.toString("base64url")],
    ["in hex", bytes.toString("hex")],
    ["in upper-case hex", bytes.toString("hex").toUpperCase()],
    ["percent-escaped", encodeURIComponent(secret)],
    ["in JSON", JSON.stringify(secret).slice(1, -1)],
  ];
}

/** The first place where a spelling of `secret` stands, for a message that says more than `true`. */
function leakOf(secret: string, places: typeof seen): string | undefined {
  for (const [encoding, text] of spellingsOf(secret)) {
    const place = places.find(({ bytes }) => bytes.includes(text));
    if (place) return `${secret.slice(0, 14)}… ${encoding} in ${place.from}`;
  }
  return undefined;
}

/** What a vendor answers, by a word in the request. An echo comes in every spelling, in a header and in the body. */
function answerAs(vendor: keyof typeof SECRETS, good: (request: RecordedRequest) => DoubleAnswer) {
  return (request: RecordedRequest): DoubleAnswer => {
    const asked = /outcome[-_]([a-z0-9]+)/.exec(`${request.target} ${request.body}`)?.[1] ?? "good";
    const credential = request.headers["authorization"] ?? "";
    const secret = SECRETS[vendor];
    const echo = JSON.stringify({
      id: "echo_1",
      headers: request.headers,
      secrets: spellingsOf(secret).map(([, text]) => text),
      pairs: vendor === "twilio" ? spellingsOf(BASIC_PAIR).map(([, text]) => text) : [],
      padding: "p".repeat(asked === "large" ? 600_000 : 10),
      again: [credential, secret],
    });
    const compressed = { gzip: gzipSync, br: brotliCompressSync, deflate: deflateSync } as const;
    switch (asked) {
      case "declined":
        return { status: 402, body: JSON.stringify({ error: { type: "card_error", message: `no: ${credential}` } }) };
      case "failed":
        return { status: 500, body: `<pre>Error at ${credential}</pre>`, headers: { "content-type": "text/html" } };
      case "reset":
        return "reset";
      case "hang":
        return "hang";
      case "truncated":
        return { truncated: `{"authorization":"${credential}"` };
      case "echo":
      case "large":
        return { status: 200, body: echo, headers: { "x-echo": credential, "request-id": secret } };
      case "redirect":
        return { status: 302, body: "", headers: { location: `https://example.com/?key=${secret}` } };
      case "largegzip": {
        // Hardly to be compressed, so that it is longer than what is read whole.
        const noise = Buffer.from(crypto.getRandomValues(new Uint8Array(60_000)))
          .toString("base64")
          .repeat(8);
        return {
          status: 200,
          body: gzipSync(`${noise}${echo}`, { level: 0 }),
          headers: { "content-encoding": "gzip" },
        };
      }
      case "gzip":
      case "br":
      case "deflate":
        return { status: 200, body: compressed[asked](echo), headers: { "content-encoding": asked } };
      case "zstd":
        return { status: 200, body: Bun.zstdCompressSync(echo), headers: { "content-encoding": "zstd" } };
      default:
        return good(request);
    }
  };
}

const GOOD = {
  stripe: succeededIntent,
  twilio: (): DoubleAnswer => ({
    status: 201,
    body: JSON.stringify({ sid: `SM${"0".repeat(32)}`, status: "queued", num_segments: "1", price: null }),
  }),
  resend: (): DoubleAnswer => ({ status: 200, body: JSON.stringify({ id: "email_double_1" }) }),
};

async function cli(args: readonly string[], options?: Parameters<Bench["cli"]>[1]): Promise<CliResult> {
  const result = await bench.cli(args, options);
  note(`keybrake ${args.slice(0, 2).join(" ")}`, result.stdout, result.stderr);
  return result;
}

async function call(path: string, init: RequestInit & { key?: string }): Promise<Response> {
  const { key, headers, ...rest } = init;
  const credential = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(`${server.url}${path}`, {
    ...rest,
    headers: { ...credential, ...(headers as Record<string, string>) },
    redirect: "manual",
  });
  note(`the answer to ${path}`, JSON.stringify([...response.headers]), await response.clone().bytes());
  return response;
}

const FORM = { "content-type": "application/x-www-form-urlencoded" };
const CHARGE = "amount=100&currency=usd&confirm=true&payment_method=pm_card_visa";

/** One call that costs something at each vendor, whose double answers with `outcome`. */
async function callEach(outcome: string): Promise<number[]> {
  const word = `outcome_${outcome}`;
  const sms = new URLSearchParams({ To: "+14155550100", From: "+14155550199", Body: word }).toString();
  const mail = JSON.stringify({ from: "a@example.com", to: ["b@example.org"], subject: "hi", text: word });
  const responses = await Promise.all([
    call("/stripe/v1/payment_intents", {
      method: "POST",
      key: keys.stripe.vault_key,
      headers: FORM,
      body: `${CHARGE}&description=${word}`,
    }),
    call(`/twilio/2010-04-01/Accounts/${ACCOUNT_SID}/Messages.json`, {
      method: "POST",
      headers: { ...FORM, authorization: `Basic ${btoa(`${ACCOUNT_SID}:${keys.twilio.vault_key}`)}` },
      body: sms,
    }),
    call("/resend/emails", {
      method: "POST",
      key: keys.resend.vault_key,
      headers: { "content-type": "application/json" },
      body: mail,
    }),
  ]);
  return responses.map(({ status }) => status);
}

function control(method: string, path: string, body?: unknown, token = adminToken): Promise<Response> {
  const json = body === undefined ? {} : { "content-type": "application/json" };
  const init = body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) };
  return call(path, { method, headers: { authorization: `Bearer ${token}`, ...json }, ...init });
}

beforeAll(async () => {
  bench = await makeBench();
  for (const name of Object.keys(SECRETS) as (keyof typeof SECRETS)[]) {
    doubles[name] = await startVendorDouble(answerAs(name, GOOD[name]));
    await setVendor({ cli }, name, { origin: doubles[name].origin, secret: SECRETS[name] });
    const issue = ["key", "issue", "--vendor", name, "--allowed-endpoints", "* /**", "--expires-in", "1h"];
    const caps = name === "resend" ? ["--daily-send-cap", "1000"] : ["--daily-usd-cap", "500"];
    keys[name] = await bench.json<IssuedKey>([...issue, ...caps, "--label", `canary/${name}`]);
    vaultKeys.push(keys[name].vault_key);
  }
  collector = startTraceCollector();
  bench.environment["COLLECTOR_HEADERS"] = `x-api-key=${encodeURIComponent(COLLECTOR_KEY)}`;
  const traces = `traces: { endpoint: "${collector.url}", headers_env: COLLECTOR_HEADERS, run_labels: true }`;
  const settings = `limits:\n  upstream_timeout: 1s\nlog_level: debug\n${traces}\n`;
  writeFileSync(join(bench.dataDir, "keybrake.yaml"), settings, { mode: 0o600 });
  server = await bench.serve();
  adminToken = /kb_admin_\w+/.exec(server.output())![0];
});

afterAll(async () => {
  await bench.stop();
  collector.stop();
  for (const double of Object.values(doubles)) await double.stop();
});

/** The places where something of Keybrake's is at rest, read now. */
function atRest(): typeof seen {
  const files = readdirSync(bench.dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map((file) => join(file.parentPath, file.name));
  return paths.map((path) => ({ from: path.slice(bench.dataDir.length + 1), bytes: readFileSync(path) }));
}

/** What the server says by itself: its log, at the level debug, and its traces. */
function told(): typeof seen {
  const traces = collector.requests.map(({ body }) => ({ from: "a trace", bytes: Buffer.from(body) }));
  return [{ from: "the server's output", bytes: Buffer.from(server.output()) }, ...traces];
}

function expectNoLeak(): void {
  const places = [...seen, ...told(), ...atRest()];
  const pair = Buffer.from(BASIC_PAIR).toString("base64");
  const leaks = [...Object.values(SECRETS), ROTATED, MISPLACED, COLLECTOR_KEY, BASIC_PAIR, pair].map((each) =>
    leakOf(each, places),
  );
  expect(leaks.filter((leak) => leak !== undefined)).toEqual([]);
}

const STATUSES: readonly (readonly [outcome: string, statuses: readonly number[]])[] = [
  ["good", [200, 201, 200]],
  ["declined", [402, 402, 402]],
  ["failed", [500, 500, 500]],
  ["reset", [504, 504, 504]],
  ["hang", [504, 504, 504]],
  ["truncated", [504, 504, 504]],
  ["redirect", [302, 302, 302]],
  ["echo", [200, 200, 200]],
  ["large", [200, 200, 200]],
  ["gzip", [200, 200, 200]],
  ["br", [200, 200, 200]],
  ["deflate", [200, 200, 200]],
];

describe("no spelling of a vendor's secret comes out of", () => {
  for (const [outcome, statuses] of STATUSES) {
    test(`a call whose vendor answers: ${outcome}`, async () => {
      expect(await callEach(outcome)).toEqual([...statuses]);
      expectNoLeak();
    });
  }

  for (const outcome of ["echo", "large", "gzip", "largegzip", "br", "deflate", "zstd"]) {
    test(`a read that costs nothing, whose vendor answers: ${outcome}`, async () => {
      const path = `/stripe/v1/customers?email=outcome_${outcome}@example.com`;
      await call(path, { key: keys.stripe.vault_key });
      expectNoLeak();
    });
  }

  test("a refusal: another vendor's key, a vendor that is none, no key, a wrong one", async () => {
    const { vault_key: right } = keys.stripe;
    const wrong = `${right.slice(0, -1)}${right.endsWith("0") ? "1" : "0"}`;
    for (const [path, key] of [
      ["/stripe/v1/payment_intents", keys.twilio.vault_key],
      ["/nobody/v1/charges", keys.stripe.vault_key],
      ["/stripe/v1/balance", undefined],
      ["/stripe/v1/balance", wrong],
      ["/twilio/2010-04-01/Accounts.json", keys.twilio.vault_key],
      ["/resend/api-keys", keys.resend.vault_key],
    ] as const) {
      const response = await call(path, key === undefined ? {} : { key });
      expect([path, response.status >= 400]).toEqual([path, true]);
    }
    expectNoLeak();
  });

  test("malformed requests over a raw socket", async () => {
    const authorization = `authorization: Bearer ${keys.stripe.vault_key}\r\n`;
    for (const bytes of [
      `GET /stripe/v1/../v1/balance HTTP/1.1\r\nhost: a\r\n${authorization}\r\n`,
      `GET /stripe/v1/balance HTTP/1.1\r\nhost: a\r\n${authorization}${authorization}\r\n`,
      `GET /stripe/v1/balance HTTP/1.1\r\nhost: a\r\n${authorization} folded\r\n\r\n`,
      `GET /stripe/v1/balance HTTP/9.9\r\n${authorization}\r\n`,
      `POST /stripe/v1/charges HTTP/1.1\r\nhost: a\r\n${authorization}content-length: 3\r\ncontent-length: 4\r\n\r\nabc`,
      `\u0000\u0001${keys.stripe.vault_key}\r\n\r\n`,
    ]) {
      note("the answer to a malformed request", await exchange(server.port, bytes));
    }
    expectNoLeak();
  });

  test("the control plane, where a secret goes in, also under a wrong name or with a wrong type", async () => {
    expect((await control("PUT", "/vendors/stripe/secret", { secret: ROTATED })).status).toBe(200);
    expect(await callEach("good")).toEqual([200, 201, 200]);
    expect((await control("PUT", "/vendors/stripe/secret", { secret: SECRETS.stripe })).status).toBe(200);
    for (const body of [
      { sceret: MISPLACED },
      { secret: [MISPLACED] },
      { secret: { value: MISPLACED } },
      { secret: `${MISPLACED} and more` },
      `{"secret": "${MISPLACED}`,
    ]) {
      expect((await control("PUT", "/vendors/stripe/secret", body)).status).toBeGreaterThanOrEqual(400);
    }
    for (const path of [
      "/vendors",
      "/vault/keys",
      "/audit",
      "/audit/export",
      "/metrics",
      "/brake",
      "/docs",
      "/docs/json",
    ]) {
      expect((await control("GET", path)).status).toBe(200);
    }
    await control("POST", "/vendors/stripe/test");
    expectNoLeak();
  });

  test("the command line", async () => {
    for (const args of [
      ["vendor", "list"],
      ["vendor", "list", "--json"],
      ["vendor", "test", "stripe"],
      ["vendor", "test", "twilio"],
      ["key", "list", "--json"],
      ["key", "show", keys.stripe.id, "--json"],
      ["audit", "--json", "--limit", "1000"],
      ["audit", "--format", "csv"],
      ["audit", "--format", "ndjson"],
      ["doctor"],
      ["doctor", "--json"],
      ["token", "list", "--json"],
      ["vendor", "set", "stripe", MISPLACED],
      ["vendor", "set", MISPLACED],
      ["vendor", "set", "stripe", `--secret=${MISPLACED}`],
      ["key", "show", keys.stripe.vault_key],
      ["key", "revoke", keys.stripe.vault_key],
    ]) {
      await cli(args);
    }
    await cli(["vendor", "set", "stripe"], { stdin: `${MISPLACED} and more` });
    await cli(["vendor", "set", "stripe", "--from-env", MISPLACED]);
    expectNoLeak();
  });
});

describe("a vault key", () => {
  test("that an agent puts where it does not belong is written down nowhere", async () => {
    const { vault_key: token } = keys.stripe;
    const key = token;
    await call(`/stripe/v1/customers/${token}`, { key });
    await call(`/stripe/v1/customers?email=${token}`, { key });
    await call(`/stripe/v1/${token}`, { key });
    await call("/stripe/v1/customers", { key, headers: { "x-agent-run-id": token, "x-agent-name": `agent ${token}` } });
    await call("/stripe/v1/customers", { key, headers: { "x-triggering-event-id": token } });
    const body = `${CHARGE}&customer=${token}`;
    await call("/stripe/v1/payment_intents", {
      method: "POST",
      key,
      headers: { ...FORM, "idempotency-key": token },
      body,
    });
    const rows = await bench.json<unknown[]>(["audit", "--key", keys.stripe.id, "--limit", "1000"]);
    expect(rows.length).toBeGreaterThan(6);
    expect(JSON.stringify(rows)).not.toContain(token);
    await call("/stripe/v1/customers", { key, headers: { traceparent: token, tracestate: `a=${token}` } });
    const spans = await eventually(() => (collector.spans.length > 20 ? collector.spans : undefined));
    expect(JSON.stringify(spans, (_, value) => (typeof value === "bigint" ? String(value) : value))).not.toContain(
      token,
    );
    expect(spans.some(({ attributes }) => attributes["keybrake.run_label"] === "canary/stripe")).toBe(true);
    expect(server.output()).toMatch(/"level":"debug","event":"call","call":"call_/);
    expect(server.output()).not.toContain(token);
  });

  test("is in no file and no log line, and neither is an admin's token", async () => {
    await control("POST", "/vault/keys", { vendor: "stripe", expires_in: "1h", agent_run_label: "canary/issued" });
    const answer = seen.findLast(({ from }) => from === "the answer to /vault/keys")!;
    vaultKeys.push(/vault_key_\w+/.exec(answer.bytes.toString())![0]);
    const places = atRest();
    expect(places.map(({ from }) => from)).toEqual(expect.arrayContaining(["keybrake.db", "keybrake.db-wal"]));
    const leaks = [...vaultKeys, adminToken].map((token) => leakOf(token, places));
    expect(leaks.filter((leak) => leak !== undefined)).toEqual([]);
    expect(vaultKeys.map((token) => leakOf(token, told())).filter((leak) => leak !== undefined)).toEqual([]);
  });
});

describe("a handler that fails", () => {
  const SOURCE = /\.ts\b|\bat \/|node:|<html|function |=>|SyntaxError|\/\$bunfs/;

  test("answers an error of a few words: no trace, no source, no secret", async () => {
    const broken = await bench.json<IssuedKey>([
      "key",
      "issue",
      "--vendor",
      "stripe",
      "--daily-usd-cap",
      "5",
      "--expires-in",
      "1h",
    ]);
    const database = new Database(join(bench.dataDir, "keybrake.db"));
    database.run(`UPDATE vault_keys SET policy = '{"vendor":"stripe","allowed_endpoints":7}' WHERE id = ?`, [
      broken.id,
    ]);
    const data = await call("/stripe/v1/balance", { key: broken.vault_key });
    const self = await control("GET", "/vault/self", undefined, broken.vault_key);
    const shown = await control("GET", `/vault/keys/${broken.id}`);
    for (const response of [data, self, shown]) {
      expect(response.status).toBe(500);
      expect(response.headers.get("content-type")).toContain("application/json");
      const text = await response.text();
      expect(text.length).toBeLessThan(1_000);
      expect(text).not.toMatch(SOURCE);
    }
    database.run("DELETE FROM vault_keys WHERE id = ?", [broken.id]);
    database.close();
    expect((await call("/healthz", {})).status).toBe(200);
    expectNoLeak();
  });
});

describe("the data directory", () => {
  test("and everything in it is the owner's alone", () => {
    expect(statSync(bench.dataDir).mode & 0o777).toBe(0o700);
    const open = readdirSync(bench.dataDir, { recursive: true, withFileTypes: true })
      .map((entry) => ({ path: join(entry.parentPath, entry.name), wanted: entry.isDirectory() ? 0o700 : 0o600 }))
      .filter(({ path, wanted }) => (statSync(path).mode & 0o777) !== wanted)
      .map(({ path }) => `${path.slice(bench.dataDir.length + 1)} ${(statSync(path).mode & 0o777).toString(8)}`);
    expect(open).toEqual([]);
  });
});

describe("the folder that the binary is started in", () => {
  test("gives it no settings and no code: .env and bunfig.toml are not read", async () => {
    const folder = bench.environment["HOME"]!;
    const marker = join(folder, "preloaded");
    writeFileSync(join(folder, ".env"), "KEYBRAKE_URL=http://127.0.0.1:9\nNODE_TLS_REJECT_UNAUTHORIZED=0\n");
    writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
    writeFileSync(join(folder, "preload.ts"), `require("node:fs").writeFileSync(${JSON.stringify(marker)}, "")\n`);
    expect(await cli(["key", "list"])).toMatchObject({ code: 0 });
    const { kill } = await bench.serve([], bench.port + 2);
    expect(await kill()).toBe(0);
    expect(await Bun.file(marker).exists()).toBe(false);
  });
});

test("nothing of all this is left held once the server has stopped", async () => {
  expect(await server.kill()).toBe(0);
  const rows = await eventually(async () => {
    const found = await bench.json<{ state: string }[]>(["audit", "--limit", "1000"]);
    return found.length > 0 ? found : undefined;
  });
  expect(rows.filter(({ state }) => state === "held")).toEqual([]);
  expectNoLeak();
});
