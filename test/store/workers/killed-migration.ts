import type { Database, SQLQueryBindings } from "bun:sqlite";
import { writeSync } from "node:fs";
import { migrate, openDatabase } from "../../../src/store/sqlite/database.ts";
import { NOON } from "../../ledger/entries.ts";
import { NEXT_RELEASE } from "../next-migration.ts";
import { statementsOf } from "../statements.ts";

/**
 * `killed-migration.ts DATABASE N`: runs the migrations of the next release, and kills itself (SIGKILL) before the statement with this number,
 * counted from 0 over everything that the migration runs. Prints `migrating`, and `done N` where there were only N.
 */
const [path, killAt] = process.argv.slice(2);
const database = openDatabase(path!);
let ran = 0;
const run = database.run.bind(database) as (sql: string, bindings?: SQLQueryBindings[]) => unknown;
const runByStatement = (sql: string, bindings?: SQLQueryBindings[]) => {
  let result: unknown;
  for (const statement of statementsOf(sql)) {
    if (ran++ === Number(killAt)) process.kill(process.pid, "SIGKILL");
    result = run(statement, bindings ?? []);
  }
  return result;
};
database.run = runByStatement as Database["run"];
writeSync(1, "migrating\n");
migrate(database, path!, NOON, NEXT_RELEASE);
writeSync(1, `done ${ran}\n`);
