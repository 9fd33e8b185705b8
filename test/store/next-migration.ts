import type { Migration } from "../../src/store/migrate.ts";
import { MIGRATIONS } from "../../src/store/sqlite/database.ts";

const NUMBER = MIGRATIONS.length + 1;

/** What the next release might bring. */
export const NEXT_MIGRATION: Migration = {
  name: `${String(NUMBER).padStart(4, "0")}_colours`,
  sql: "CREATE TABLE colours (colour INTEGER NOT NULL) STRICT; INSERT INTO colours VALUES (7);",
};

/** The migrations of the next release. */
export const NEXT_RELEASE: readonly Migration[] = [...MIGRATIONS, NEXT_MIGRATION];

/** Where a database of this release is copied to before the next one changes it. */
export function copyBeforeNext(path: string): string {
  return `${path}.before-migration-${NUMBER}`;
}
