import { connect } from "node:net";
import { BINARY } from "../../test/harness/keybrake.ts";

/** `keybrake serve`, in a process that may be killed at any moment. */
export interface ServerProcess {
  readonly port: number;
  readonly pid: number;
  /** Everything that it has written so far. */
  output(): string;
  /** SIGKILL; resolves when the process is gone. */
  kill(): Promise<void>;
  /** Its exit code, once it has ended by itself. */
  readonly exited: Promise<number>;
}

export interface SpawnOptions {
  readonly cwd: string;
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** Put before the binary: a shell that sets a limit and execs it. */
  readonly wrapper?: readonly string[];
}

/** Starts a server and does not wait for it. */
export function spawnServer({ cwd, port, environment, wrapper = [] }: SpawnOptions): ServerProcess {
  const parts: string[] = [];
  const child = Bun.spawn([...wrapper, BINARY, "serve"], {
    cwd,
    env: { ...environment, KEYBRAKE_LISTEN: `127.0.0.1:${port}` },
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const collected = (async () => {
    for await (const chunk of child.stderr) parts.push(Buffer.from(chunk).toString("utf8"));
  })();
  return {
    port,
    pid: child.pid,
    output: () => parts.join(""),
    exited: child.exited,
    kill: async () => {
      child.kill("SIGKILL");
      await child.exited;
      await collected;
    },
  };
}

const POLL_EVERY_MS = 2;
const START_MS_MAX = 20_000;

/** @throws where it ends, or does not listen within twenty seconds. */
export async function untilListening(server: ServerProcess): Promise<ServerProcess> {
  let ended = false;
  void server.exited.then(() => {
    ended = true;
  });
  for (let waitedMs = 0; waitedMs < START_MS_MAX; waitedMs += POLL_EVERY_MS) {
    if (await isListening(server.port)) return server;
    if (ended) break;
    await Bun.sleep(POLL_EVERY_MS);
  }
  throw new Error(`keybrake serve did not start: ${server.output()}`);
}

function isListening(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => {
      socket.destroy();
      done(true);
    });
    socket.on("error", () => done(false));
  });
}

const SAID_MS_MAX = 1_000;

/** Whether an error stands in its log: within a second, since an answer may be here before the pipe of the log is read. */
export async function saysWhy(server: ServerProcess): Promise<boolean> {
  const isSaid = () => server.output().includes('"level":"error"');
  for (let waitedMs = 0; !isSaid() && waitedMs < SAID_MS_MAX; waitedMs += POLL_EVERY_MS) await Bun.sleep(POLL_EVERY_MS);
  return isSaid();
}
