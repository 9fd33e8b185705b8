import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { freePort } from "./free-port.ts";

/** The built binary: what users run is what is tested. */
export const BINARY = resolve(process.env["KEYBRAKE_BINARY"] ?? join(import.meta.dir, "../../dist/keybrake"));

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningKeybrake {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** Everything that it has written so far. */
  output(): string;
  kill(signal?: NodeJS.Signals): Promise<number>;
}

/** Of what `key issue --json` prints, what a test needs. */
export interface IssuedKey {
  readonly id: string;
  readonly vault_key: string;
}

/** One data directory and the commands on it. */
export interface Bench {
  readonly dataDir: string;
  /** Fixed for the bench, so that keys issued by the CLI name the address of the server. */
  readonly port: number;
  readonly environment: Record<string, string>;
  cli(args: readonly string[], options?: { stdin?: string; environment?: Record<string, string> }): Promise<CliResult>;
  /** `cli`, and the JSON that it printed. Fails loudly where the command failed. */
  json<T = Record<string, unknown>>(args: readonly string[], stdin?: string): Promise<T>;
  /** `wrapper` is a command that starts the binary as its last arguments say. */
  serve(args?: readonly string[], port?: number, wrapper?: readonly string[]): Promise<RunningKeybrake>;
  stop(): Promise<void>;
}

export async function makeBench(): Promise<Bench> {
  const root = mkdtempSync(join(tmpdir(), "keybrake-test-"));
  const dataDir = join(root, "data");
  const port = await freePort();
  const environment: Record<string, string> = {
    PATH: process.env["PATH"] ?? "",
    HOME: root,
    KEYBRAKE_DATA: dataDir,
    KEYBRAKE_LISTEN: `127.0.0.1:${port}`,
    NO_COLOR: "1",
  };
  const servers: RunningKeybrake[] = [];
  const cli: Bench["cli"] = async (args, options = {}) => {
    const child = Bun.spawn([BINARY, ...args], {
      cwd: root,
      env: { ...environment, ...options.environment },
      stdin: options.stdin === undefined ? "ignore" : Buffer.from(options.stdin),
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr, code] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
      child.exited,
    ]);
    return { code, stdout, stderr };
  };
  return {
    dataDir,
    port,
    environment,
    cli,
    json: async <T>(args: readonly string[], stdin?: string) => {
      const result = await cli([...args, "--json"], stdin === undefined ? {} : { stdin });
      if (result.code !== 0) throw new Error(`keybrake ${args.join(" ")} exited ${result.code}: ${result.stderr}`);
      return JSON.parse(result.stdout) as T;
    },
    serve: async (args = [], atPort = port, wrapper = []) => {
      const own = { ...environment, KEYBRAKE_LISTEN: `127.0.0.1:${atPort}` };
      const server = await startServer([...wrapper, BINARY, "serve", ...args], own, root, atPort);
      servers.push(server);
      return server;
    },
    stop: async () => {
      await Promise.all(servers.map((server) => server.kill("SIGKILL")));
      rmSync(root, { recursive: true, force: true });
    },
  };
}

async function startServer(
  command: readonly string[],
  environment: Record<string, string>,
  cwd: string,
  port: number,
): Promise<RunningKeybrake> {
  const child = Bun.spawn([...command], {
    cwd,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const parts: string[] = [];
  const collect = async (stream: ReadableStream<Uint8Array>) => {
    for await (const chunk of stream) parts.push(Buffer.from(chunk).toString("utf8"));
  };
  void collect(child.stdout);
  void collect(child.stderr);
  const url = `${command.includes("--tls-cert") ? "https" : "http"}://127.0.0.1:${port}`;
  for (let attempt = 0; !(await answers(url)); attempt++) {
    if (child.exitCode !== null || attempt > 500) throw new Error(`keybrake serve did not start: ${parts.join("")}`);
    await Bun.sleep(10);
  }
  return {
    url,
    port,
    pid: child.pid,
    output: () => parts.join(""),
    kill: async (signal = "SIGTERM") => {
      child.kill(signal);
      return child.exited;
    },
  };
}

/** Whatever it answers, it listens: with an address of its own for operators this one takes calls alone. */
async function answers(url: string): Promise<boolean> {
  try {
    await fetch(`${url}/healthz`, { tls: { rejectUnauthorized: false } });
    return true;
  } catch {
    return false;
  }
}

/** Waits until `probe` gives something, by looking and not by hoping; at most ten seconds. */
export async function eventually<T>(probe: () => Promise<T | undefined> | T | undefined): Promise<T> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    const found = await probe();
    if (found !== undefined) return found;
    await Bun.sleep(10);
  }
  throw new Error("it did not come to be within ten seconds");
}
