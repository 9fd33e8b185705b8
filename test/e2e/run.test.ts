import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Bench, BINARY, eventually, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";

const AGENT = join(import.meta.dir, "sdk/charge.mjs");
const BILLING = ["--template", "billing", "--daily-usd-cap", "50"];

let bench: Bench;
let server: RunningKeybrake;
let token: string;
const home = mkdtempSync(join(tmpdir(), "keybrake-run-"));
const started: number[] = [];

beforeAll(async () => {
  bench = await makeBench();
  server = await bench.serve(["--sandbox"]);
  const { token: issued } = await bench.json<{ token: string }>([
    "token",
    "issue",
    "--role",
    "issuer",
    "--template",
    "billing",
  ]);
  token = issued;
});

afterAll(async () => {
  for (const pid of started) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended, as it should.
    }
  }
  await bench.stop();
  rmSync(home, { recursive: true, force: true });
});

const PLACES = ["on the data directory", "on a server elsewhere"] as const;
type Place = (typeof PLACES)[number];

function environmentOf(place: Place): Record<string, string> {
  const path = { PATH: process.env["PATH"] ?? "" };
  return place === PLACES[0]
    ? { ...bench.environment, ...path }
    : { ...path, HOME: home, KEYBRAKE_URL: server.url, KEYBRAKE_API_KEY: token };
}

interface RunOptions {
  /** What key; a billing run's where it is left out. */
  readonly issue?: readonly string[];
  readonly flags?: readonly string[];
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

/** `keybrake run` with an agent that charges once for each line that it is given. */
class Run {
  readonly #child;
  #out = "";
  #err = "";
  readonly #read: Promise<unknown>;

  constructor(
    place: Place,
    label: string,
    { issue = BILLING, flags = [], command = ["node", AGENT], environment = {} }: RunOptions = {},
  ) {
    this.#child = Bun.spawn([BINARY, "run", ...issue, "--label", label, ...flags, "--", ...command], {
      cwd: home,
      env: { ...environmentOf(place), ...environment },
      stdin: "pipe",
      stdout: "pipe",
      stderr: "pipe",
    });
    const collect = async (stream: ReadableStream<Uint8Array>, take: (text: string) => void) => {
      for await (const chunk of stream) take(Buffer.from(chunk).toString("utf8"));
    };
    this.#read = Promise.all([
      collect(this.#child.stdout, (text) => {
        this.#out += text;
      }),
      collect(this.#child.stderr, (text) => {
        this.#err += text;
      }),
    ]);
  }

  /** The agent's process. */
  async ready(): Promise<number> {
    const pid = Number(await eventually(() => /ready (\d+)/.exec(this.#out)?.[1]));
    started.push(pid);
    return pid;
  }

  /** One charge, and what the agent made of it. */
  async charge(): Promise<string> {
    const before = this.lines.length;
    this.type("charge\n");
    return eventually(() => this.lines[before]);
  }

  type(text: string): void {
    this.#child.stdin.write(text);
    this.#child.stdin.flush();
  }

  get lines(): readonly string[] {
    return this.#out.split("\n").slice(0, -1);
  }

  get err(): string {
    return this.#err;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Ends the agent's input; the exit code, once everything is read. */
  async end(): Promise<number> {
    await this.#child.stdin.end();
    const code = await this.#child.exited;
    await this.#read;
    return code;
  }

  /** For one that was killed, whose agent lives on. */
  get exited(): Promise<number> {
    return this.#child.exited;
  }
}

interface Key {
  readonly id: string;
  readonly status: string;
  readonly revoke_reason: string | null;
}

async function keyOf(label: string): Promise<Key> {
  const [key] = await bench.json<Key[]>(["key", "list", "--label", label]);
  return key!;
}

const isRevoked = (label: string) => async () => {
  const key = await keyOf(label);
  return key.status === "revoked" ? key : undefined;
};

describe.each(PLACES)("an agent with Stripe's SDK, its key %s,", (place) => {
  const label = (name: string) => `${place.split(" ").at(-1)}/${name}`;

  test("charges until its cap, and its end revokes the key and says what was spent", async () => {
    const run = new Run(place, label("cap"));
    await run.ready();
    expect(await run.charge()).toBe("succeeded");
    expect(await run.charge()).toBe("succeeded");
    expect(await run.charge()).toBe("StripeRateLimitError keybrake_cap_exceeded");
    run.type("exit 7\n");
    expect(await run.end()).toBe(7);
    const key = await keyOf(label("cap"));
    expect(key).toMatchObject({ status: "revoked", revoke_reason: "its command has ended" });
    expect(run.err).toEndWith(
      `the run has ended and key ${key.id} is revoked: 3 calls (1 refused), $40.00 settled, $0.00 held, $0.00 unresolved\n`,
    );
    expect(run.err).not.toContain("vault_key_");
    expect(run.err).not.toContain(token);
  });

  test("has its key revoked where `keybrake run` is killed outright, and is refused from then on", async () => {
    const file = join(home, `${place.split(" ").at(-1)}.txt`);
    const run = new Run(place, label("killed"), { environment: { AGENT_FILE: file } });
    const agent = await run.ready();
    const charged = async (line: number) => {
      process.kill(agent, "SIGHUP");
      return eventually(() => (existsSync(file) && readFileSync(file, "utf8").split("\n")[line]) || undefined);
    };
    expect(await charged(0)).toBe("succeeded");
    run.kill("SIGKILL");
    await run.exited;
    expect(await eventually(isRevoked(label("killed")))).toMatchObject({
      revoke_reason: "its `keybrake run` was killed",
    });
    expect(await charged(1)).toBe("StripeAuthenticationError keybrake_key_revoked");
    process.kill(agent, "SIGKILL");
  });

  test("gets the signals that are sent to `keybrake run`, and its end is the run's", async () => {
    const run = new Run(place, label("signals"));
    const agent = await run.ready();
    for (const signal of ["SIGUSR2", "SIGTERM", "SIGINT"] as const) {
      run.kill(signal);
      await eventually(() => run.lines.includes(signal) || undefined);
    }
    process.kill(agent, "SIGKILL");
    expect(await run.end()).toBe(128 + 9);
    expect(run.lines.filter((line) => line.startsWith("SIG"))).toEqual(["SIGUSR2", "SIGTERM", "SIGINT"]);
    expect((await keyOf(label("signals"))).status).toBe("revoked");
  });
});

test("--json is one object on stderr, and stdout is the command's alone", async () => {
  const run = new Run(PLACES[1], "elsewhere/json", { flags: ["--json"] });
  await run.ready();
  expect(await run.charge()).toBe("succeeded");
  expect(await run.end()).toBe(0);
  expect(JSON.parse(run.err)).toMatchObject({
    agent_run_label: "elsewhere/json",
    exit_code: 0,
    revoked: true,
    calls: 1,
    refused: 0,
    settled_usd: "20.00",
  });
  expect(run.lines.slice(1)).toEqual(["succeeded"]);
});

test("a command reads neither the token nor where the server's secrets are", async () => {
  const run = new Run(PLACES[1], "elsewhere/env", { command: ["/usr/bin/env"] });
  expect(await run.end()).toBe(0);
  const names = run.lines.map((line) => line.split("=")[0]!).filter((name) => name.startsWith("KEYBRAKE_"));
  expect(names.sort()).toEqual([
    "KEYBRAKE_BASE_URL",
    "KEYBRAKE_BASE_URL_STRIPE",
    "KEYBRAKE_KEY_ID",
    "KEYBRAKE_RUN_LABEL",
    "KEYBRAKE_VAULT_KEY",
  ]);
  expect(run.lines.join("\n")).not.toContain(token);
});

test("a key for several vendors brings the variables of each", async () => {
  const issue = ["--template", "multi-vendor"];
  const run = new Run(PLACES[0], "here/several", { issue, command: ["/usr/bin/env"] });
  expect(await run.end()).toBe(0);
  const given = Object.fromEntries(run.lines.map((line) => [line.split("=")[0]!, line.slice(line.indexOf("=") + 1)]));
  const key = given["KEYBRAKE_VAULT_KEY"]!;
  expect(given).toMatchObject({
    STRIPE_API_KEY: key,
    KEYBRAKE_BASE_URL_STRIPE: `${server.url}/stripe`,
    RESEND_API_KEY: key,
    RESEND_BASE_URL: `${server.url}/resend`,
    KEYBRAKE_BASE_URL_RESEND: `${server.url}/resend`,
  });
  expect(given).not.toHaveProperty("KEYBRAKE_BASE_URL");
});

test("a pipe that closes ends what writes to it, as without `keybrake run`", async () => {
  const run = new Run(PLACES[0], "here/pipe", { command: ["/bin/sh", "-c", "yes | head -n 1; echo done"] });
  expect(await run.end()).toBe(0);
  expect(run.lines).toEqual(["y", "done"]);
  expect(run.err).not.toContain("Broken pipe");
});

describe("while the server is away", () => {
  test("a run that ends says how to revoke by hand, keeps its exit code, and leaves the rest to its guard", async () => {
    const run = new Run(PLACES[1], "elsewhere/away");
    await run.ready();
    expect(await run.charge()).toBe("succeeded");
    await server.kill();
    run.type("exit 5\n");
    await eventually(() => run.lines.length === 2 || undefined);
    const { id } = await keyOf("elsewhere/away");
    expect(await run.end()).toBe(5);
    expect(run.err).toContain(`error: key ${id} is not revoked yet: nothing answers at ${server.url}`);
    expect(run.err).toContain(`by hand: keybrake key revoke ${id}`);
    expect((await keyOf("elsewhere/away")).status).toBe("active");
    server = await bench.serve(["--sandbox"]);
    expect((await eventually(isRevoked("elsewhere/away"))).id).toBe(id);
  }, 60_000);
});
