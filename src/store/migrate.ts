import { createHash } from "node:crypto";
import { Problem } from "../core/problem.ts";

export interface Migration {
  /** `0001_first`: the same number and name in every store. */
  readonly name: string;
  readonly sql: string;
}

export interface AppliedMigration {
  readonly name: string;
  readonly sha256: string;
}

export function migrationHash(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}

/**
 * The migrations still to be run, in order.
 * @throws Problem where the database is newer than this binary, or a migration that it ran has been edited since.
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  for (const [index, done] of applied.entries()) {
    const migration = known[index];
    if (!migration) {
      throw new Problem(
        "unavailable",
        `the database has migration ${done.name}, which this version of keybrake does not know`,
        "run the newer keybrake that wrote it, or restore a backup made by this version",
      );
    }
    if (migration.name !== done.name || migrationHash(migration) !== done.sha256) {
      throw new Problem(
        "unavailable",
        `the database was migrated by a different ${done.name} than this version of keybrake has`,
        "use the release that created the database; migrations are never edited",
      );
    }
  }
  return known.slice(applied.length);
}
