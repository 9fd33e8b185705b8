import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../harness/free-port.ts";
import {
  type Bench,
  BINARY,
  type CliResult,
  eventually,
  type IssuedKey,
  makeBench,
  type RunningKeybrake,
} from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

const SECRET = "sk_test_remote_real_secret_0123456789";

let bench: Bench;
let server: RunningKeybrake;
let vendor: VendorDouble;
let tokens: Record<"admin" | "issuer" | "auditor", string>;
/** The operator's own machine: nothing of the server's is there. */
const home = mkdtempSync(join(tmpdir(), "keybrake-remote-"));
const said: string[] = [];

beforeAll(async () => {
  bench = await makeBench();
  vendor = await startVendorDouble(succeededIntent);
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: SECRET });
  server = await bench.serve();
  const tokenOf = async (...flags: string[]) =>
    (await bench.json<{ token: string }>(["token", "issue", ...flags])).token;
  tokens = {
    admin: await tokenOf("--role", "admin"),
    issuer: await tokenOf("--role", "issuer", "--template", "billing", "--max-daily-usd", "100"),
    auditor: await tokenOf("--role", "auditor"),
  };
});

afterAll(async () => {
  await bench.stop();
  await vendor.stop();
  rmSync(home, { recursive: true, force: true });
});

function environmentOf(role: keyof typeof tokens): Record<string, string> {
  return {
    PATH: process.env["PATH"] ?? "",
    HOME: home,
    KEYBRAKE_URL: `${server.url}/`,
    KEYBRAKE_API_KEY: tokens[role],
    NO_COLOR: "1",
  };
}

/** The binary on the operator's machine. */
async function remote(
  role: keyof typeof tokens,
  args: readonly string[],
  { stdin, environment = {} }: { stdin?: string; environment?: Record<string, string> } = {},
): Promise<CliResult> {
  const child = Bun.spawn([BINARY, ...args], {
    cwd: home,
    env: { ...environmentOf(role), ...environment },
    stdin: stdin === undefined ? "ignore" : Buffer.from(stdin),
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  said.push(stdout, stderr);
  return { code, stdout, stderr };
}

async function charge({ vault_key }: IssuedKey): Promise<number> {
  const body = new URLSearchParams({ amount: "2000", currency: "usd", customer: "cus_1" });
  const headers = { authorization: `Bearer ${vault_key}` };
  return (await fetch(`${server.url}/stripe/v1/payment_intents`, { method: "POST", headers, body })).status;
}

const ISSUE = ["key", "issue", "--template", "billing", "--label", "ray-billing/01", "--daily-usd-cap", "50", "--json"];

test("a key that is issued from elsewhere works, is seen and revoked from there, and leaves nothing there", async () => {
  const issued = JSON.parse((await remote("admin", ISSUE)).stdout) as IssuedKey;
  expect(await charge(issued)).toBe(200);
  expect(await charge(issued)).toBe(200);
  expect(await charge(issued)).toBe(429);
  const rows = JSON.parse((await remote("admin", ["audit", "--key", issued.id, "--json"])).stdout) as object[];
  expect(rows).toMatchObject([{ cost_usd: "20.00" }, { cost_usd: "20.00" }, { policy_verdict: "cap_exceeded" }]);
  expect((await remote("admin", ["key", "revoke", issued.id, "--reason", "stuck"])).stdout).toBe(
    `revoked ${issued.id}\n`,
  );
  expect(await charge(issued)).toBe(401);
  const shown = await remote("admin", ["key", "show", issued.id]);
  expect(shown.stderr).toBe(`keybrake: server ${server.url}\n`);
  expect(shown.stdout).toContain("revoked (stuck)");
  expect(existsSync(join(home, ".local"))).toBe(false);
});

describe("what is read is byte for byte what the server's own machine prints:", () => {
  test.each([
    ["key list --json"],
    ["key list"],
    ["budget list --json"],
    ["vendor list"],
    ["vendor prices twilio --json"],
    ["vendor operations stripe"],
    ["audit --format csv"],
    ["audit --json"],
    ["audit export --format csv"],
    ["audit verify"],
    ["policy list"],
    ["policy show billing"],
    ['policy explain --template billing "POST /v1/payment_intents" -d amount=500 -d currency=usd'],
    ["policy suggest --run ray-billing/01"],
    ["policy replay --template billing --json"],
    ["resolve --json"],
    ["token list --json"],
    ["brake list --json"],
    ["alert list --json"],
    ["doctor"],
  ])("%s", async (line) => {
    const args = [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, bare]) => quoted ?? bare!);
    const [there, here] = [await bench.cli(args), await remote("admin", args)];
    const mask = (text: string) => text.replace(/clock says \S+|\d+ MB are free/g, "#");
    expect([here.code, mask(here.stdout)]).toEqual([there.code, mask(there.stdout)]);
    const place = /^keybrake: (?:server|data directory) .*\n/;
    expect(here.stderr.replace(place, "")).toBe(there.stderr.replace(place, ""));
  });
});

test("an export is a file that the server's machine can check, hash by hash", async () => {
  const file = join(home, "audit.ndjson");
  expect((await remote("auditor", ["audit", "export", "--output", file])).code).toBe(0);
  expect((await bench.cli(["audit", "verify", "--file", file])).stdout).toContain("in order by every hash");
  const here = await remote("auditor", ["audit", "verify", "--file", file]);
  expect(here.stdout).toContain("by every link and sum, but no hash");
  expect(here.stderr).toContain("the key is the server's");
});

describe("an issuer", () => {
  test("issues within its template and ceiling, and sees its own keys alone", async () => {
    const issued = await remote("issuer", ISSUE);
    expect(issued.code).toBe(0);
    const { id } = JSON.parse(issued.stdout) as IssuedKey;
    const keys = JSON.parse((await remote("issuer", ["key", "list", "--json"])).stdout) as IssuedKey[];
    expect(keys.map((key) => key.id)).toEqual([id]);
  });

  test.each([
    [["key", "issue", "--template", "email", "--label", "x"], "may not issue template"],
    [["key", "issue", "--template", "billing", "--daily-usd-cap", "400"], "at most $100.00"],
    [["audit"], "the role issuer may not do this"],
    [["token", "list"], "use a token with the role admin"],
    [["vendor", "remove", "stripe"], "the role issuer may not do this"],
  ])("is refused %j with exit code 1", async (args, message) => {
    const { code, stdout, stderr } = await remote("issuer", args);
    expect([code, stdout]).toEqual([1, ""]);
    expect(stderr).toContain(message);
  });
});

describe("an auditor", () => {
  test("reads", async () => {
    for (const args of [["audit"], ["audit", "verify"], ["key", "list"], ["budget", "list"]])
      expect((await remote("auditor", args)).code).toBe(0);
  });

  test.each([
    [["key", "issue", "--template", "billing"]],
    [["brake"]],
    [["vendor", "set", "stripe"]],
    [["audit", "prune", "--older-than", "30d", "--yes"]],
    [["doctor"]],
  ])("is refused %j", async (args) => {
    const { code, stderr } = await remote("auditor", args, { stdin: "sk_test_another_real_secret_1\n" });
    expect(code).toBe(1);
    expect(stderr).toContain("the role auditor may not do this");
  });
});

test("a secret goes from stdin to the server, which seals it, and is printed nowhere", async () => {
  const set = await remote("admin", ["vendor", "set", "resend"], { stdin: "re_remote_real_secret_42\n" });
  expect(set.code).toBe(0);
  const { configured } = (await bench.json<{ name: string; configured: boolean }[]>(["vendor", "list"])).find(
    ({ name }) => name === "resend",
  )!;
  expect(configured).toBe(true);
  expect((await remote("admin", ["vendor", "remove", "resend"])).code).toBe(0);
});

describe("what is of this machine is said and not done elsewhere:", () => {
  test.each([
    [["backup", "copy.db"], 2, "KEYBRAKE_URL is set, and backups are made"],
    [["restore", "copy.db"], 2, "KEYBRAKE_URL is set, and backups are made"],
    [["policy", "new", "x", "--preset", "billing"], 2, "KEYBRAKE_URL is set, and a new template is a file"],
    [["key", "list", "--data", "here"], 2, "--data is given, which is of this machine"],
    [["blowout", "--vendor", "stripe", "--calls-per-minute", "9"], 0, "prices are those of this machine"],
  ])("%j", async (args, code, message) => {
    const result = await remote("admin", args);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(message);
  });

  test("templates in files are checked here", async () => {
    mkdirSync(join(home, "own"), { recursive: true });
    await Bun.write(join(home, "own/mail.yaml"), "vendor: resend\nallowed_endpoints: [POST /emails]\n");
    expect((await remote("admin", ["policy", "lint", "own/mail.yaml"])).stdout).toContain(
      "own/mail.yaml:2:21: warning",
    );
  });
});

describe("a proxy of the environment", () => {
  test("never sees plain HTTP, with the token in it", async () => {
    const nobody = `http://127.0.0.1:${await freePort()}`;
    const environment = { HTTP_PROXY: nobody, http_proxy: nobody, HTTPS_PROXY: nobody, ALL_PROXY: nobody };
    expect((await remote("admin", ["key", "list"], { environment })).code).toBe(0);
  });

  test("is used for TLS, where it sees a name and never the token", async () => {
    const seen: string[] = [];
    const proxy = Bun.listen({
      hostname: "127.0.0.1",
      port: await freePort(),
      socket: {
        data: (socket, data) => {
          seen.push(data.toString());
          socket.end("HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n");
        },
      },
    });
    const environment = { KEYBRAKE_URL: "https://keybrake.example", HTTPS_PROXY: `http://127.0.0.1:${proxy.port}` };
    const { code } = await remote("admin", ["key", "list"], { environment });
    proxy.stop(true);
    expect(code).toBe(1);
    expect(seen.join("")).toStartWith("CONNECT keybrake.example:443 HTTP/1.1\r\n");
    expect(seen.join("")).not.toContain(tokens.admin);
  });
});

test("a server that is not there is said with exit code 1, whichever command it is", async () => {
  const environment = { KEYBRAKE_URL: `http://127.0.0.1:${await freePort()}` };
  for (const args of [["key", "list"], ["brake"], ["audit", "export"]]) {
    const { code, stderr } = await remote("admin", args, { environment });
    expect(code).toBe(1);
    expect(stderr).toContain("keybrake: error: nothing answers at http://127.0.0.1:");
  }
});

test("audit --follow outlasts a restart of the server and leaves no row out", async () => {
  const issued = JSON.parse((await remote("admin", ISSUE)).stdout) as IssuedKey;
  const child = Bun.spawn([BINARY, "audit", "--follow", "--key", issued.id, "--format", "ndjson"], {
    cwd: home,
    env: environmentOf("auditor"),
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const got = { out: "", err: "" };
  const collect = async (stream: ReadableStream<Uint8Array>, name: keyof typeof got) => {
    for await (const chunk of stream) got[name] += Buffer.from(chunk).toString("utf8");
  };
  const collected = [collect(child.stdout, "out"), collect(child.stderr, "err")];
  const rows = () => got.out.split("\n").length - 1;
  await eventually(() => got.err.includes("server http") || undefined);
  expect(await charge(issued)).toBe(200);
  await eventually(() => rows() === 1 || undefined);
  await server.kill();
  await eventually(() => got.err.includes("trying again until it is there") || undefined);
  server = await bench.serve();
  expect(await charge(issued)).toBe(200);
  await eventually(() => rows() === 2 || undefined);
  child.kill("SIGINT");
  expect(await child.exited).toBe(0);
  await Promise.all(collected);
  expect(got.err).toContain("the server is there again; nothing is left out");
  said.push(got.out, got.err);
}, 30_000);

test("in all that was printed there is no token and no secret", () => {
  const everything = said.join("");
  for (const secret of [...Object.values(tokens), SECRET, "real_secret"]) expect(everything).not.toContain(secret);
  expect(readFileSync(join(home, "audit.ndjson"), "utf8")).not.toContain("real_secret");
});
