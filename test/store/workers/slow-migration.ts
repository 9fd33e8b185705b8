import { writeSync } from "node:fs";
import { MIGRATIONS, migrate, openDatabase } from "../../../src/store/sqlite/database.ts";
import { NOON } from "../../ledger/entries.ts";
import { SECOND_MIGRATION } from "../second-migration.ts";

/** `slow-migration.ts DATABASE`: prints `migrating`, then runs a second migration that never comes to its end. */
const path = process.argv[2]!;
const database = openDatabase(path);
const endless = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) INSERT INTO colours SELECT i FROM n;";
writeSync(1, "migrating\n");
migrate(database, path, NOON, [...MIGRATIONS, { ...SECOND_MIGRATION, sql: SECOND_MIGRATION.sql + endless }]);
