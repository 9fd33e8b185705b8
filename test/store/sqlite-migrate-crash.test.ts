import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { copyFileSync, existsSync, readdirSync, statSync } from "node:fs";
import { basename, dirname } from "node:path";
import { migrate, openDatabase } from "../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { holdOf, NOON } from "../ledger/entries.ts";
import { copyBeforeNext, NEXT_MIGRATION, NEXT_RELEASE } from "./next-migration.ts";
import { issue } from "./records.ts";
import { statementsOf } from "./statements.ts";
import { makeDatabaseWithOneCall, temporaryDatabase } from "./temporary-database.ts";
import { startWorker } from "./worker.ts";

/** The migrations' own, and for each the line that says that it ran; begin, commit and the table of them. */
const STATEMENTS = NEXT_RELEASE.reduce((sum, { sql }) => sum + statementsOf(sql).length + 1, 3);
const RANDOM_KILLS = 6;

let directory: ReturnType<typeof temporaryDatabase>;
let path: string;

beforeEach(() => {
  directory = temporaryDatabase();
  path = directory.path;
});

afterEach(() => directory.remove());

/** Tables, indexes and views, and the rows by which a data change would show. */
function stateOf(file: string): string {
  const database = new Database(file, { readwrite: true, create: true });
  try {
    expect(database.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
    const schema = database.query("SELECT type, name, sql FROM sqlite_schema ORDER BY type, name").values();
    const has = (name: string) => schema.some(([, each]) => each === name);
    const names = has("migrations") ? database.query("SELECT name, sha256 FROM migrations").values() : [];
    const colours = has("colours") ? database.query("SELECT colour FROM colours").values() : [];
    return JSON.stringify({ schema, names, colours });
  } finally {
    database.close();
  }
}

/** What a migrated database looks like, from none or from one of this release. */
function migrated(file: string): string {
  const database = openDatabase(file);
  migrate(database, file, NOON, NEXT_RELEASE);
  database.close();
  return stateOf(file);
}

async function killAt(statement: number): Promise<string | undefined> {
  const worker = startWorker("killed-migration.ts", path, String(statement));
  const [begun, line] = await worker.rest();
  expect(begun).toBe("migrating");
  return line;
}

const copies = () => readdirSync(dirname(path)).filter((name) => name.includes("before-migration"));

describe("a migration that is killed before any of its statements", () => {
  test("leaves a new database empty, and one that is complete once the last is through", async () => {
    const whole = migrated(`${path}.whole`);
    for (let statement = 0; statement < STATEMENTS; statement++) {
      const line = await killAt(statement);
      expect({ statement, line, state: stateOf(path) }).toEqual({
        statement,
        line: undefined,
        state: '{"schema":[],"names":[],"colours":[]}',
      });
    }
    expect(await killAt(STATEMENTS)).toBe(`done ${STATEMENTS}`);
    expect(stateOf(path)).toBe(whole);
    expect(copies()).toEqual([]);
  }, 60_000);

  test("leaves a database of this release as it was, its calls in it, with a whole copy beside it or none", async () => {
    await makeDatabaseWithOneCall(path);
    const old = stateOf(path);
    const statements = statementsOf(NEXT_MIGRATION.sql).length + 4;
    for (let statement = 0; statement < statements; statement++) {
      const line = await killAt(statement);
      expect({ statement, line, state: stateOf(path) }).toEqual({ statement, line: undefined, state: old });
      for (const name of copies()) expect(stateOf(`${dirname(path)}/${name}`)).toBe(old);
    }
    expect(await killAt(statements)).toBe(`done ${statements}`);
    expect(stateOf(path)).toContain('"colours":[[7]]');
    expect(copies()).toEqual([basename(copyBeforeNext(path))]);
    const store = openDatabase(path);
    expect(store.query("SELECT count(*) FROM calls").values()).toEqual([[1n]]);
    store.close();
  }, 60_000);

  test(`leaves old or new, killed at ${RANDOM_KILLS} random moments of the real thing`, async () => {
    await makeDatabaseWithOneCall(path);
    const old = stateOf(path);
    for (let run = 0; run < RANDOM_KILLS; run++) {
      const file = `${path}.${run}`;
      copyFileSync(path, file);
      const worker = startWorker("killed-migration.ts", file, "-1");
      await worker.line();
      const afterMs = Math.random() * 25;
      await Bun.sleep(afterMs);
      worker.kill();
      await worker.exited;
      const whole = await worker.line();
      const isNew = stateOf(file).includes('"colours":[[7]]');
      if (!isNew) expect({ afterMs, whole, state: stateOf(file) }).toEqual({ afterMs, whole: undefined, state: old });
      const copy = copyBeforeNext(file);
      if (isNew || existsSync(copy)) expect(stateOf(copy)).toBe(old);
    }
  }, 60_000);
});

describe("the copy before a migration", () => {
  test("is this user's only, frozen, and as new as the database was", async () => {
    await makeDatabaseWithOneCall(path);
    const umask = process.umask(0o022);
    try {
      migrated(path);
    } finally {
      process.umask(umask);
    }
    const copy = copyBeforeNext(path);
    expect((statSync(copy).mode & 0o777).toString(8)).toBe("600");
    const database = new Database(copy);
    const [[frozen]] = database.query("SELECT frozen FROM ledger_state").values() as [[string]];
    expect(JSON.parse(frozen)).toMatchObject({
      since: NOON,
      why: "restored from the copy that was made before the migration of 2026-01-15T12:00:00.000Z",
    });
    database.close();
    const left = openDatabase(path);
    expect(left.query("SELECT frozen FROM ledger_state").values()).toEqual([[null]]);
    left.close();
  });

  test("is made anew where an earlier attempt has left one, with the calls since", async () => {
    await makeDatabaseWithOneCall(path);
    await killAt(2);
    expect(existsSync(copyBeforeNext(path))).toBe(true);
    const store = openSqliteStore(path, NOON);
    const { id } = await issue(store);
    await store.apply([holdOf(id, 5)], NOON);
    await store.close();
    migrated(path);
    const copy = new Database(copyBeforeNext(path));
    expect(copy.query("SELECT count(*) FROM calls").values()).toEqual([[2]]);
    copy.close();
  });

  test("is taken while nobody can write, so that it lacks no call that was made before the change", async () => {
    await makeDatabaseWithOneCall(path);
    const worker = startWorker("slow-migration.ts", path);
    await worker.line();
    while (!existsSync(copyBeforeNext(path))) await Bun.sleep(1);
    const other = new Database(path);
    expect(() => other.run("BEGIN IMMEDIATE")).toThrow("locked");
    other.close();
    worker.kill();
    await worker.exited;
  });
});

test("waits for another process that migrates at the same moment, and finds its work done", async () => {
  const workers = Array.from({ length: 4 }, () => startWorker("killed-migration.ts", path, "-1"));
  const said = await Promise.all(workers.map((worker) => worker.rest()));
  // One did all of it; whoever had begun to wait by then has begun and ended a transaction, and the others none.
  const counts = said.map((lines) => Number(/^done (\d+)$/.exec(lines.at(-1) ?? "")?.[1])).sort((a, b) => b - a);
  expect(counts[0]).toBe(STATEMENTS);
  expect(counts.slice(1).every((count) => count <= 3)).toBe(true);
});
