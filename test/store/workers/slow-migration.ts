import { writeSync } from "node:fs";
import { MIGRATIONS, migrate, openDatabase } from "../../../src/store/sqlite/database.ts";
import { NOON } from "../../ledger/entries.ts";
import { NEXT_MIGRATION } from "../next-migration.ts";

/** `slow-migration.ts DATABASE`: prints `migrating`, then runs a further migration that never comes to its end. */
const path = process.argv[2]!;
const database = openDatabase(path);
const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO colours SELECT i FROM n;";
writeSync(1, "migrating\n");
migrate(database, path, NOON, [...MIGRATIONS, { ...NEXT_MIGRATION, sql: NEXT_MIGRATION.sql + endless }]);
