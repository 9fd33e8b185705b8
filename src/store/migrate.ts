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

/**
 * Stands among the migrations of a database that `keybrake store copy` is filling, or has not come to an end with: nothing
 * else opens it.
 */
export const HALF_COPY = "half_copy";

export function migrationHash(migration: Migration): string {
  return createHash("sha256").update(migration.sql).digest("hex");
}

/**
 * The migrations still to be run, in order.
 * @throws Problem where the database is half of a copy, is newer than this binary, or a migration that it ran has been edited since.
 */
export function pendingMigrations(
  known: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  if (applied.some(({ name }) => name === HALF_COPY)) {
    throw new Problem(
      "unavailable",
      "the database is half of a copy: `keybrake store copy` has not come to its end, or is at it now",
      "run the same `keybrake store copy` again; until it has proved the copy, use the store that it is made from",
    );
  }
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

/**
 * Whether a copy into the database was begun.
 * @throws Problem where another release has begun it: its tables are not these.
 */
export function isHalfCopy(known: readonly Migration[], applied: readonly AppliedMigration[]): boolean {
  const before = applied.filter(({ name }) => name !== HALF_COPY);
  if (before.length === applied.length) return false;
  if (pendingMigrations(known, before).length === 0) return true;
  throw new Problem(
    "conflict",
    "the target is half of a copy that an earlier release of keybrake has made",
    "remove that database, and copy into a new one",
  );
}
