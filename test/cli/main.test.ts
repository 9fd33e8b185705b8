import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { VENDORS } from "../../src/vendors/index.ts";

/** The program as a process of its own: what no test inside this process can show. */
const MAIN = resolve(import.meta.dir, "../../src/main.ts");

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "keybrake-main-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function start(argv: readonly string[], environment: Readonly<Record<string, string>> = {}) {
  return Bun.spawn([process.execPath, MAIN, ...argv], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
    env: {
      PATH: process.env["PATH"] ?? "",
      TMPDIR: folder,
      HOME: folder,
      XDG_STATE_HOME: join(folder, "state"),
      ...environment,
    },
  });
}

async function run(argv: readonly string[], environment?: Readonly<Record<string, string>>) {
  const child = start(argv, environment);
  const [out, err, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { out, err, code };
}

/** Text of a stream up to and with `end`. */
async function readTo(
  reader: { read(): Promise<{ done: boolean; value?: Uint8Array | undefined }> },
  end: RegExp,
): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  while (!end.test(text)) {
    const { done, value } = await reader.read();
    if (done) break;
    text += decoder.decode(value, { stream: true });
  }
  return text;
}

describe("the program", () => {
  test("works on the platform's state directory by default, makes it private, and says so", async () => {
    const { out, err, code } = await run(["vendor", "list", "--json"]);
    const data = join(folder, "state", "keybrake");
    expect(code).toBe(0);
    expect((JSON.parse(out) as { name: string }[]).map(({ name }) => name)).toEqual(VENDORS.map(({ name }) => name));
    expect(err).toBe(`keybrake: data directory ${data}\n`);
    expect(statSync(data).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(data)) expect(statSync(join(data, name)).mode & 0o077).toBe(0);
  });

  test("ends with 2 for wrong usage and 1 for a failure", async () => {
    expect((await run(["nonsense"])).code).toBe(2);
    expect((await run(["key", "show", "vk_nothere"])).code).toBe(1);
  });

  test("ends without a word when its reader leaves", async () => {
    const child = Bun.spawn(
      ["bash", "-c", '"$0" "$1" completion zsh | true; echo "$' + '{PIPESTATUS[0]}"', process.execPath, MAIN],
      { stdout: "pipe", stderr: "pipe", env: { PATH: process.env["PATH"] ?? "", HOME: folder } },
    );
    expect(await child.stdout.text()).toBe("0\n");
    expect(await child.stderr.text()).toBe("");
  });

  test("does not take a secret from a piped empty stdin", async () => {
    expect(await run(["vendor", "set", "stripe"])).toMatchObject({
      code: 1,
      err: expect.stringContaining("error: the secret for stripe is empty"),
    });
  });
});

describe("keybrake serve", () => {
  test("serves a key that the command line issues beside it, honours its revoke at once, and drains at SIGTERM", async () => {
    const data = join(folder, "data");
    const server = start(["serve", "--sandbox", "--data", data, "--listen", "127.0.0.1:0"]);
    const reader = server.stderr.getReader();
    const started = await readTo(reader, /kb_admin_\w+\n/);
    const url = /listens on (\S+)/.exec(started)![1]!;
    const read = [
      "--vendor",
      "stripe",
      "--allowed-endpoints",
      "GET /v1/balance",
      "--expires-in",
      "1m",
      "--label",
      "e2e",
    ];
    const issued = await run(["key", "issue", ...read, "--quiet", "--data", data]);
    expect(issued).toMatchObject({ code: 0, err: "" });
    const call = () => fetch(`${url}/stripe/v1/balance`, { headers: { authorization: `Bearer ${issued.out.trim()}` } });
    const allowed = await call();
    expect([allowed.status, allowed.headers.get("x-keybrake-sandbox")]).toEqual([200, "true"]);
    await allowed.text();
    expect((await run(["key", "revoke", "--run", "e2e", "--data", data])).code).toBe(0);
    const refused = await call();
    expect(refused.status).toBe(401);
    await refused.text();
    const audit = await run(["audit", "--data", data]);
    expect(audit.out).toEndWith("2 calls, 1 refused, $0.00 settled, $0.00 held, $0.00 unresolved\n");
    server.kill("SIGTERM");
    expect(await server.exited).toBe(0);
    expect(await readTo(reader, /"event":"stopped"/)).toContain('"event":"stopping","signal":"SIGTERM"');
  });

  test("does not start on an address of other machines without TLS in front", async () => {
    const { code, err } = await run(["serve", "--listen", "0.0.0.0:0"]);
    expect(code).toBe(1);
    expect(err).toMatch(/^keybrake: error: 0\.0\.0\.0:0 is reachable .*\nkeybrake: hint: .*--behind-tls-proxy/);
  });
});

test("the demo tells the whole story, without colours in a pipe, and leaves nothing behind", async () => {
  const { code, out, err } = await run(["demo", "--fast"]);
  expect([code, err]).toEqual([0, ""]);
  expect(out.match(/200 charged/g)).toHaveLength(5);
  expect(out.match(/429 cap_exceeded/g)).toHaveLength(3);
  expect(out).toContain("8 calls, 3 refused, $100.00 settled, $0.00 held, $0.00 unresolved\n");
  expect(out).toContain("call 9  $20.00  401 key_revoked\n");
  expect(out).toContain("What next");
  expect(out).not.toContain("\u001b");
  // Bun keeps its own cache of the sources in HOME.
  expect(readdirSync(folder).filter((name) => name !== ".bun")).toEqual([]);
});
