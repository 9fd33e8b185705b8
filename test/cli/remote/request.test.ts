import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Unreachable } from "../../../src/cli/remote/failure.ts";
import { RemoteClient, segment } from "../../../src/cli/remote/request.ts";
import { Problem } from "../../../src/core/problem.ts";
import { mintControlToken } from "../../../src/vault/control-token.ts";
import { freePort } from "../../harness/free-port.ts";

const { token } = mintControlToken("admin");

let server: ReturnType<typeof Bun.serve> | undefined;
afterEach(() => server?.stop(true));

function serve(fetch: (request: Request) => Response | Promise<Response>, tls?: { cert: string; key: string }) {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch, ...(tls ? { tls } : {}) });
  return server.port;
}

const clientOf = (base: string, ca?: string) =>
  new RemoteClient({ base, token, ca, isPlain: base.startsWith("http:") });
const client = (port: number | undefined, prefix = "") => clientOf(`http://127.0.0.1:${port}${prefix}`);

async function problemOf(asking: Promise<unknown>): Promise<Problem> {
  const thrown = await asking.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  expect(thrown).toBeInstanceOf(Problem);
  return thrown as Problem;
}

test("a request has the token in its header alone, and goes behind the prefix", async () => {
  const seen: (string | null)[] = [];
  const port = serve((request) => {
    seen.push(request.headers.get("authorization"), request.url);
    return Response.json({ ok: true });
  });
  const query = { label: "a b/&c", limit: 3, active: true, cursor: undefined };
  expect(await client(port, "/ops").ask<{ ok: boolean }>("GET", "/vault/keys", { query })).toEqual({ ok: true });
  const url = `http://127.0.0.1:${port}/ops/vault/keys?label=a+b%2F%26c&limit=3&active=true`;
  expect(seen).toEqual([`Bearer ${token.reveal()}`, url]);
});

describe("what the server says is said in its own words:", () => {
  const said = (status: number, code: string, message: string, hint?: string) => () =>
    Response.json({ error: { code, message, hint }, message }, { status });
  const html = (status: number) => () =>
    new Response("<html>", {
      status,
      headers: { "content-type": "text/html", location: "https://elsewhere.example/x" },
    });

  const ANSWERS: readonly (readonly [string, () => Response, Partial<Problem>])[] = [
    [
      "a refusal",
      said(404, "not_found", 'there is no key "vk_1"', "`keybrake key list` shows the keys"),
      { code: "not_found", message: 'there is no key "vk_1"', hint: "`keybrake key list` shows the keys" },
    ],
    [
      "a role that may not",
      said(403, "forbidden", "the role auditor may not do this", "use a token with the role admin"),
      { code: "forbidden", message: "the role auditor may not do this", hint: "use a token with the role admin" },
    ],
    [
      "a token that it does not know",
      said(401, "unauthenticated", "this token is not known to this server, or was revoked"),
      {
        code: "forbidden",
        message: expect.stringContaining("does not take KEYBRAKE_API_KEY: this token is not known"),
      },
    ],
    [
      "a route that it does not know",
      said(404, "not_found", "there is no route GET /about"),
      { code: "unavailable", message: expect.stringContaining("of another version than this command line") },
    ],
    [
      "its own defect",
      said(500, "internal", "an internal error; the server's log says more"),
      { code: "unavailable", hint: "look at the server's log, and try again" },
    ],
    [
      "that it stops",
      said(503, "unavailable", "the server is stopping and takes no new calls"),
      { code: "unavailable", message: "the server is stopping and takes no new calls" },
    ],
    [
      "a redirect, which is not followed",
      html(302),
      { message: expect.stringContaining("redirect (302) to https://elsewhere.example") },
    ],
    ["a proxy without a server behind it", html(502), { message: expect.stringContaining("answered 502") }],
    ["something that is no Keybrake", html(404), { message: expect.stringContaining("404 (text/html)") }],
    [
      "what agents are told, since the address is theirs",
      () =>
        Response.json({ error: { message: "not a vault key" }, keybrake: { code: "key_unknown" } }, { status: 401 }),
      { message: expect.stringContaining("took GET /about for an agent's call"), code: "unavailable" },
    ],
    ["a page where an answer should be", html(200), { message: expect.stringContaining("200 (text/html)") }],
  ];

  test.each(ANSWERS)("%s", async (_, answer, expected) => {
    const port = serve(answer);
    expect(await problemOf(client(port).ask("GET", "/about"))).toMatchObject(expected);
  });
});

test("nobody there, a name that is none, and a silence are told apart", async () => {
  const closed = await problemOf(client(await freePort()).ask("GET", "/about"));
  expect(closed).toBeInstanceOf(Unreachable);
  expect(closed.message).toStartWith("nothing answers at http://127.0.0.1:");
  const port = serve(() => new Promise(() => {}));
  const silent = await problemOf(client(port).ask("GET", "/about", { timeoutMs: 50 }));
  expect(silent.message).toEndWith("did not answer within 0.05 s");
});

describe("a connection that breaks", () => {
  /** Breaks the first connections; `count` is how often it was asked. */
  async function breaking(times: number) {
    let count = 0;
    const port = await freePort();
    const listener = Bun.listen({
      hostname: "127.0.0.1",
      port,
      socket: {
        data: (socket) => {
          count += 1;
          if (count <= times) return void socket.terminate();
          socket.end("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}");
        },
      },
    });
    return { port, asked: () => count, stop: () => listener.stop(true) };
  }

  test("is made again for what may be asked twice", async () => {
    const double = await breaking(1);
    expect(await client(double.port).ask<object>("POST", "/vault/keys", { body: {}, isRepeatable: true })).toEqual({});
    expect(double.asked()).toBe(2);
    double.stop();
  });

  test("ends what may not, and says to look first", async () => {
    const double = await breaking(1);
    const broken = await problemOf(client(double.port).ask("POST", "/tokens", { body: {} }));
    expect(broken.hint).toContain("look first whether it was");
    expect(double.asked()).toBe(1);
    double.stop();
  });
});

describe("an answer in lines", () => {
  test("is read as it comes, whatever its pieces are", async () => {
    const pieces = ['"fir', 'st"\n"sec', 'ond €"\n{"heads"', ":1}\n"];
    const port = serve(() => {
      const body = new ReadableStream({
        async pull(controller) {
          const next = pieces.shift();
          if (next === undefined) return controller.close();
          controller.enqueue(Buffer.from(next));
        },
      });
      return new Response(body);
    });
    const lines: string[] = [];
    for await (const line of client(port).lines("/audit/export", {})) lines.push(line);
    expect(lines).toEqual(['"first"', '"second €"', '{"heads":1}']);
  });

  test("that is a refusal is said as one", async () => {
    const port = serve(() => Response.json({ error: { code: "invalid", message: "no" } }, { status: 422 }));
    const reading = client(port).lines("/audit/export", {}).next();
    expect(await problemOf(reading)).toMatchObject({ code: "invalid", message: "no" });
  });
});

test("an id stays one segment of the path", () => {
  expect(segment("call/../x?y#z")).toBe("call%2F..%2Fx%3Fy%23z");
  for (const text of ["", ".", ".."]) expect(() => segment(text)).toThrow("is no id and no name");
});

describe("over TLS", () => {
  const folder = mkdtempSync(join(tmpdir(), "keybrake-tls-"));
  let tls: { cert: string; key: string };
  let ca: string;
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  beforeAll(() => {
    const path = (name: string) => join(folder, name);
    const openssl = (...words: string[]) => {
      const { exitCode, stderr } = Bun.spawnSync(["openssl", ...words]);
      if (exitCode !== 0) throw new Error(stderr.toString());
    };
    const made = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30"];
    writeFileSync(path("ext"), "subjectAltName=IP:127.0.0.1\n");
    openssl("req", "-x509", ...made, "-subj", "/CN=Test CA", "-keyout", path("ca.key"), "-out", path("ca.pem"));
    openssl("req", ...made.slice(0, 5), "-subj", "/CN=test", "-keyout", path("key"), "-out", path("csr"));
    const signed = ["-CA", path("ca.pem"), "-CAkey", path("ca.key"), "-CAcreateserial", "-days", "30"];
    openssl("x509", "-req", "-in", path("csr"), ...signed, "-extfile", path("ext"), "-out", path("cert"));
    tls = { cert: readFileSync(path("cert"), "utf8"), key: readFileSync(path("key"), "utf8") };
    ca = readFileSync(path("ca.pem"), "utf8");
  });

  test("a private authority is trusted where it is named, and not otherwise", async () => {
    const port = serve(() => Response.json({ ok: true }), tls);
    expect(await clientOf(`https://127.0.0.1:${port}`, ca).ask<object>("GET", "/about")).toEqual({ ok: true });
    const untrusted = await problemOf(clientOf(`https://127.0.0.1:${port}`).ask("GET", "/about"));
    expect(untrusted.message).toContain("is not trusted (");
    expect(untrusted.hint).toContain("KEYBRAKE_CA_FILE");
  });

  test("a certificate for another name is refused", async () => {
    const port = serve(() => Response.json({ ok: true }), tls);
    const wrong = await problemOf(clientOf(`https://localhost:${port}`, ca).ask("GET", "/about"));
    expect(wrong.message).toContain("is not trusted (");
  });
});
