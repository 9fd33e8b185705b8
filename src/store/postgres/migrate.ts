import type { ReservedSQL, SQL } from "bun";
import type { EpochMs } from "../../core/window.ts";
import { type AppliedMigration, isHalfCopy, type Migration, migrationHash, pendingMigrations } from "../migrate.ts";
import first from "../migrations/0001_first.postgres.sql" with { type: "text" };
import vendorObjects from "../migrations/0002_vendor_objects.postgres.sql" with { type: "text" };
import rollingWindows from "../migrations/0003_rolling_windows.postgres.sql" with { type: "text" };
import alerts from "../migrations/0004_alerts.postgres.sql" with { type: "text" };
import keyVendors from "../migrations/0005_key_vendors.postgres.sql" with { type: "text" };
import sessions from "../migrations/0006_sessions.postgres.sql" with { type: "text" };
import autoRevoke from "../migrations/0007_auto_revoke.postgres.sql" with { type: "text" };
import spend from "../migrations/0008_spend.postgres.sql" with { type: "text" };

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

/** Of the advisory lock that migrations take; any number that no other program of the database uses. */
const MIGRATION_LOCK = 7_878_001;

/**
 * Brings the schema up to date in one transaction, under an advisory lock: of several replicas that start at once one
 * migrates, and the others wait for it.
 * @throws Problem where the schema is newer than this binary, or was made by an edited migration; it is not touched then.
 */
export async function migrate(pool: SQL, now: EpochMs, migrations: readonly Migration[] = MIGRATIONS): Promise<void> {
  if (pendingMigrations(migrations, await appliedTo(pool)).length === 0) return;
  const connection = await pool.reserve();
  try {
    await connection.unsafe(`BEGIN; SELECT pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await applyPending(connection, now, migrations);
    await connection.unsafe("COMMIT");
  } catch (cause) {
    // A connection that is given back within a transaction is closed, which ends that, too.
    await connection.unsafe("ROLLBACK").catch(() => {});
    throw cause;
  } finally {
    await connection.release();
  }
}

/**
 * The same for the target of a copy, which may have been begun.
 * @throws Problem where that was done by another release.
 */
export async function migrateHalfCopy(pool: SQL, now: EpochMs): Promise<void> {
  if (!isHalfCopy(MIGRATIONS, await appliedTo(pool))) await migrate(pool, now);
}

/**
 * How many migrations the database has, and which it still needs.
 * @throws Problem where a newer release, or an edited migration, has made the schema.
 */
export async function schemaOf(pool: SQL): Promise<{ applied: number; pending: readonly Migration[] }> {
  const applied = await appliedTo(pool);
  return { applied: applied.length, pending: pendingMigrations(MIGRATIONS, applied) };
}

async function appliedTo(sql: SQL | ReservedSQL): Promise<readonly AppliedMigration[]> {
  const [found] = (await sql.unsafe("SELECT to_regclass('migrations') IS NOT NULL AS found")) as { found: boolean }[];
  if (!found!.found) return [];
  return (await sql.unsafe("SELECT name, sha256 FROM migrations ORDER BY number")) as AppliedMigration[];
}

async function applyPending(connection: ReservedSQL, now: EpochMs, migrations: readonly Migration[]): Promise<void> {
  // Again, under the lock: another process may have been faster.
  const applied = await appliedTo(connection);
  await connection.unsafe(
    `CREATE TABLE IF NOT EXISTS migrations (
       number BIGINT PRIMARY KEY, name TEXT NOT NULL, sha256 TEXT NOT NULL, applied_at BIGINT NOT NULL)`,
  );
  for (const [index, migration] of pendingMigrations(migrations, applied).entries()) {
    await connection.unsafe(migration.sql);
    await connection.unsafe("INSERT INTO migrations (number, name, sha256, applied_at) VALUES ($1, $2, $3, $4)", [
      applied.length + index + 1,
      migration.name,
      migrationHash(migration),
      now,
    ]);
  }
}
