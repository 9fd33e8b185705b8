import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "./free-port.ts";

/** PgBouncer in transaction mode between stores and a server of the test's own. */
export interface PgBouncer {
  readonly port: number;
  /** The URL of the same database behind it. */
  through(url: string): string;
  stop(): Promise<void>;
}

/** `KEYBRAKE_TEST_PGBOUNCER` is the program, or a path to it: then stores of the tests reach PostgreSQL through it. */
const PROGRAM = process.env["KEYBRAKE_TEST_PGBOUNCER"];

export function isPgBouncerWanted(): boolean {
  return PROGRAM !== undefined;
}

/**
 * Starts it in front of the server at `serverPort`.
 * @param named whether it is to keep named statements, which it can from 1.21 on.
 */
export async function startPgBouncer(
  serverPort: number,
  named = process.env["KEYBRAKE_TEST_PGBOUNCER_NAMED"] === "yes",
) {
  const directory = mkdtempSync(join(tmpdir(), "keybrake-pgbouncer-"));
  const port = await freePort();
  const settings = join(directory, "pgbouncer.ini");
  const users = join(directory, "users.txt");
  writeFileSync(users, '"postgres" "not-a-secret"\n');
  writeFileSync(settings, settingsOf({ port, serverPort, users, named }));
  const isRoot = process.getuid?.() === 0;
  if (isRoot) Bun.spawnSync(["chown", "-R", "postgres", directory]);
  const child = Bun.spawn([PROGRAM ?? "pgbouncer", ...(isRoot ? ["-u", "postgres"] : []), settings], {
    stdin: "ignore",
    stdout: "ignore",
    stderr: "pipe",
  });
  const said: string[] = [];
  void (async () => {
    for await (const chunk of child.stderr) said.push(Buffer.from(chunk).toString("utf8"));
  })();
  for (let attempt = 0; !(await isListening(port)); attempt++) {
    if (child.exitCode !== null || attempt > 500) throw new Error(`PgBouncer did not start: ${said.join("")}`);
    await Bun.sleep(10);
  }
  return {
    port,
    through: (url: string) => {
      const behind = Object.assign(new URL(url), { port: String(port) });
      if (!named) behind.searchParams.set("pgbouncer", "true");
      return behind.href;
    },
    stop: async () => {
      child.kill("SIGKILL");
      await child.exited;
      rmSync(directory, { recursive: true, force: true });
    },
  } satisfies PgBouncer;
}

interface Settings {
  readonly port: number;
  readonly serverPort: number;
  readonly users: string;
  readonly named: boolean;
}

/** Few connections to the server for each database, so that transactions of one client meet another's sessions. */
function settingsOf({ port, serverPort, users, named }: Settings): string {
  return `[databases]
* = host=127.0.0.1 port=${serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${users}
pool_mode = transaction
default_pool_size = 5
max_client_conn = 500
server_idle_timeout = 2
log_connections = 0
log_disconnections = 0
${named ? "max_prepared_statements = 200\n" : ""}`;
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
