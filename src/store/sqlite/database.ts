import { Database, type SQLQueryBindings, type Statement } from "bun:sqlite";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import { type AppliedMigration, isHalfCopy, type Migration, migrationHash, pendingMigrations } from "../migrate.ts";
import first from "../migrations/0001_first.sqlite.sql" with { type: "text" };
import vendorObjects from "../migrations/0002_vendor_objects.sqlite.sql" with { type: "text" };
import rollingWindows from "../migrations/0003_rolling_windows.sqlite.sql" with { type: "text" };
import alerts from "../migrations/0004_alerts.sqlite.sql" with { type: "text" };
import keyVendors from "../migrations/0005_key_vendors.sqlite.sql" with { type: "text" };
import sessions from "../migrations/0006_sessions.sqlite.sql" with { type: "text" };
import autoRevoke from "../migrations/0007_auto_revoke.sqlite.sql" with { type: "text" };
import spend from "../migrations/0008_spend.sqlite.sql" with { type: "text" };
import { copyBeforeMigration } from "./backup.ts";

export const MIGRATIONS: readonly Migration[] = [
  { name: "0001_first", sql: first },
  { name: "0002_vendor_objects", sql: vendorObjects },
  { name: "0003_rolling_windows", sql: rollingWindows },
  { name: "0004_alerts", sql: alerts },
  { name: "0005_key_vendors", sql: keyVendors },
  { name: "0006_sessions", sql: sessions },
  { name: "0007_auto_revoke", sql: autoRevoke },
  { name: "0008_spend", sql: spend },
];

/** The WAL reset bug of earlier versions can lose a commit when two processes write (sqlite.org/wal.html#walresetbug). */
const SQLITE_VERSION_MIN = "3.51.3";

/** How long a command waits for another process's transaction, in milliseconds; a store waits in its own way. */
const BUSY_TIMEOUT_MS = 900;

/**
 * Opens the database with the settings that durability rests on, and asserts that they are in force.
 * @throws Problem where the file is no database, SQLite is too old, or a setting does not hold.
 */
export function openDatabase(path: string): Database {
  let database: Database | undefined;
  try {
    database = new Database(path, { create: true, readwrite: true, strict: true, safeIntegers: true });
    configure(database);
    return database;
  } catch (cause) {
    database?.close();
    if (cause instanceof Problem) throw cause;
    throw new Problem(
      "unavailable",
      `cannot open the database ${path}: ${(cause as Error).message}`,
      "check that the path is a directory that this user can write, and that the disk is not full",
    );
  }
}

/** From now on a lock that another process holds is an error at once, and waiting is for whoever gets it (store.ts). */
export function waitAwake(database: Database): void {
  database.run("PRAGMA busy_timeout = 0");
}

/**
 * Closes the handle, with the WAL put into the file as far as other handles allow. bun:sqlite leaves it out of the file
 * while a prepared statement lives, and then a copy of the file alone would lack the newest calls.
 */
export function closeDatabase(database: Database): void {
  try {
    database.run("PRAGMA wal_checkpoint(TRUNCATE)");
  } catch {
    // Closed before, or a disk that fails: what is in the WAL is as durable there, and whoever opens the file reads it.
  }
  database.close();
}

function configure(database: Database): void {
  database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  patiently(() => database.run("PRAGMA journal_mode = WAL"));
  database.run("PRAGMA synchronous = FULL");
  database.run("PRAGMA foreign_keys = ON");
  database.run("PRAGMA trusted_schema = OFF");
  database.run("PRAGMA cache_size = -32768");
  database.run("PRAGMA wal_autocheckpoint = 4000");
  assertPragma(database, "journal_mode", "wal");
  assertPragma(database, "synchronous", "2");
  assertVersion(database);
}

const OPEN_ATTEMPTS_MAX = 200;
const OPEN_PAUSE_MS = 10;

/**
 * The switch to WAL does not wait for the busy timeout when several processes open a new database at the same moment:
 * all but one are told at once that it is locked.
 */
function patiently(step: () => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      step();
      return;
    } catch (cause) {
      const isBusy = (cause as { code?: string }).code?.startsWith("SQLITE_BUSY") ?? false;
      if (!isBusy || attempt === OPEN_ATTEMPTS_MAX) throw cause;
      Bun.sleepSync(OPEN_PAUSE_MS);
    }
  }
}

function assertPragma(database: Database, name: string, wanted: string): void {
  const row = database.query(`PRAGMA ${name}`).get() as Record<string, unknown>;
  const got = String(Object.values(row)[0]);
  if (got !== wanted) {
    throw new Problem(
      "unavailable",
      `SQLite did not take PRAGMA ${name} = ${wanted}, it has ${got}`,
      "put the data directory on a local file system; WAL does not work on network ones",
    );
  }
}

function assertVersion(database: Database): void {
  const { version } = database.query("SELECT sqlite_version() AS version").get() as { version: string };
  const parts = version.split(".").map(Number);
  const wanted = SQLITE_VERSION_MIN.split(".").map(Number);
  for (const [index, part] of wanted.entries()) {
    if ((parts[index] ?? 0) > part) return;
    if ((parts[index] ?? 0) < part) {
      throw new Problem(
        "unavailable",
        `SQLite ${version} is too old; Keybrake needs ${SQLITE_VERSION_MIN} or newer`,
        "use the released binary, which carries its own",
      );
    }
  }
}

const APPLIED_TABLE = `
  CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at INTEGER NOT NULL
  ) STRICT`;

/**
 * Brings the schema up to date, in one transaction: a process that dies at any statement leaves the old schema or the new
 * one. A database that has data is copied first, while the write lock keeps it as it is.
 * @throws Problem where it is newer than this binary, or was migrated by an edited migration; it is not touched then.
 */
export function migrate(
  database: Database,
  path: string,
  now: EpochMs,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  if (pendingMigrations(migrations, appliedTo(database)).length === 0) return;
  // Of several processes that start at once one migrates, and the others wait for it.
  patiently(() => database.run("BEGIN IMMEDIATE"));
  try {
    applyPending(database, path, now, migrations);
    database.run("COMMIT");
  } catch (cause) {
    if (database.inTransaction) database.run("ROLLBACK");
    throw cause;
  }
}

/**
 * The same for the target of a copy, which may have been begun.
 * @throws Problem where that was done by another release.
 */
export function migrateHalfCopy(database: Database, path: string, now: EpochMs): void {
  const applied = appliedTo(database);
  if (!isHalfCopy(MIGRATIONS, applied)) migrate(database, path, now);
}

/** @throws Problem where a newer release, or an edited migration, has made the schema, or where there is none at all. */
export function assertKnownSchema(database: Database): void {
  const applied = appliedTo(database);
  if (applied.length === 0) throw new Error("no such table: migrations");
  pendingMigrations(MIGRATIONS, applied);
}

function appliedTo(database: Database): readonly AppliedMigration[] {
  const table = database.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'migrations'").get();
  if (!table) return [];
  return database.query("SELECT name, sha256 FROM migrations ORDER BY number").all() as AppliedMigration[];
}

function applyPending(database: Database, path: string, now: EpochMs, migrations: readonly Migration[]): void {
  // Again, under the lock: another process may have been faster.
  const applied = appliedTo(database);
  const pending = pendingMigrations(migrations, applied);
  if (pending.length > 0 && applied.length > 0) copyAsItIs(path, applied.length + 1, now);
  database.run(APPLIED_TABLE);
  for (const [index, migration] of pending.entries()) {
    database.run(migration.sql);
    database.run("INSERT INTO migrations (number, name, sha256, applied_at) VALUES (?, ?, ?, ?)", [
      applied.length + index + 1,
      migration.name,
      migrationHash(migration),
      now,
    ]);
  }
}

/** VACUUM does not run inside a transaction, so a handle of its own copies what the transaction has found. */
function copyAsItIs(path: string, version: number, now: EpochMs): void {
  const reader = new Database(path, { readonly: true, strict: true, safeIntegers: true });
  try {
    copyBeforeMigration(reader, `${path}.before-migration-${version}`, now);
  } finally {
    reader.close();
  }
}

/** Statements of the hot path, prepared once. */
export type Prepared<Row = unknown, Bindings extends SQLQueryBindings[] = SQLQueryBindings[]> = Statement<
  Row,
  Bindings
>;
