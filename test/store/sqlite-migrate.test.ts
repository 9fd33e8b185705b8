import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, writeFileSync } from "node:fs";
import { MIGRATIONS, migrate, openDatabase } from "../../src/store/sqlite/database.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { holdOf, NOON } from "../ledger/entries.ts";
import { copyBeforeNext, NEXT_MIGRATION, NEXT_RELEASE } from "./next-migration.ts";
import { issue } from "./records.ts";
import { makeDatabaseWithOneCall, temporaryDatabase } from "./temporary-database.ts";
import { startWorker } from "./worker.ts";

const THIS_RELEASE_NAMES = MIGRATIONS.map(({ name }) => name);

let directory: ReturnType<typeof temporaryDatabase>;
let path: string;

beforeEach(() => {
  directory = temporaryDatabase();
  path = directory.path;
});

afterEach(() => directory.remove());

function inDatabase<T>(work: (database: ReturnType<typeof openDatabase>) => T): T {
  const database = openDatabase(path);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

const names = () =>
  inDatabase((database) =>
    database
      .query("SELECT name FROM migrations ORDER BY number")
      .all()
      .map((row) => (row as { name: string }).name),
  );

describe("migrations", () => {
  test("run once, and a database that has them is opened as it is", async () => {
    await makeDatabaseWithOneCall(path);
    const store = openSqliteStore(path, NOON);
    expect(await store.describe()).toMatchObject({ schema_version: MIGRATIONS.length, calls: 1 });
    await store.close();
    expect(existsSync(copyBeforeNext(path))).toBe(false);
  });

  test("make of the one vendor that a key had its list of vendors", async () => {
    inDatabase((database) => {
      migrate(database, path, NOON, MIGRATIONS.slice(0, THIS_RELEASE_NAMES.indexOf("0005_key_vendors")));
      database.run(
        `INSERT INTO vault_keys (id, token_hash, hint, vendor, policy, version, created_at, expires_at, metadata)
         VALUES ('vk_old', x'01', '…', 'twilio', '{"vendor":"twilio"}', 1, 0, 1, '{}')`,
      );
    });
    const store = openSqliteStore(path, NOON);
    expect(await store.getKey("vk_old")).toMatchObject({ vendors: ["twilio"], policy: { vendor: "twilio" } });
    expect(await store.listKeys({ vendor: "twilio", limit: 9 })).toHaveLength(1);
    await store.close();
  });

  test("refuse a database that an edited migration has made", async () => {
    await makeDatabaseWithOneCall(path);
    inDatabase((database) => database.run("UPDATE migrations SET sha256 = 'edited' WHERE number = 1"));
    expect(() => openSqliteStore(path, NOON)).toThrow("migrated by a different 0001_first");
  });

  test("refuse a database that a newer release has migrated, and leave it alone", async () => {
    await makeDatabaseWithOneCall(path);
    inDatabase((database) => migrate(database, path, NOON, NEXT_RELEASE));
    expect(() => openSqliteStore(path, NOON)).toThrow(`${NEXT_MIGRATION.name}, which this version`);
    expect(names()).toEqual([...THIS_RELEASE_NAMES, NEXT_MIGRATION.name]);
  });

  test("copy the database before they change one that has data, with everything in it", async () => {
    await makeDatabaseWithOneCall(path);
    writeFileSync(`${copyBeforeNext(path)}.partial`, "left by a process that died half-way");
    inDatabase((database) => migrate(database, path, NOON, NEXT_RELEASE));
    const backup = openSqliteStore(copyBeforeNext(path), NOON);
    expect(await backup.describe()).toMatchObject({ schema_version: MIGRATIONS.length, calls: 1, quick_check: "ok" });
    await backup.close();
    expect(existsSync(`${copyBeforeNext(path)}.partial`)).toBe(false);
  });

  for (const [index, { name }] of MIGRATIONS.entries()) {
    test(`bring a database as ${name} left it to this release, and copy it first`, () => {
      inDatabase((database) => migrate(database, path, NOON, MIGRATIONS.slice(0, index + 1)));
      inDatabase((database) => migrate(database, path, NOON));
      expect(names()).toEqual(THIS_RELEASE_NAMES);
      const isOld = index + 1 < MIGRATIONS.length;
      expect(existsSync(`${path}.before-migration-${index + 2}`)).toBe(isOld);
    });
  }

  test("leave the old schema whole where one of them fails", async () => {
    await makeDatabaseWithOneCall(path);
    const broken = { name: "9999_broken", sql: "CREATE TABLE shapes (a) ; INSERT INTO nowhere VALUES (1);" };
    expect(() => inDatabase((database) => migrate(database, path, NOON, [...NEXT_RELEASE, broken]))).toThrow("nowhere");
    expect(names()).toEqual(THIS_RELEASE_NAMES);
    const tables = "SELECT count(*) AS count FROM sqlite_schema WHERE name IN ('colours', 'shapes')";
    expect(inDatabase((database) => database.query(tables).get())).toEqual({ count: 0n });
  });

  test("leave the old schema where the process is killed in the middle, and run whole the next time", async () => {
    await makeDatabaseWithOneCall(path);
    for (let run = 0; run < 3; run++) {
      const worker = startWorker("slow-migration.ts", path);
      expect(await worker.line()).toBe("migrating");
      // It has the lock, or is about to take it: the copy is made just before.
      while (!existsSync(copyBeforeNext(path))) await Bun.sleep(1);
      worker.kill();
      await worker.exited;
      expect(names()).toEqual(THIS_RELEASE_NAMES);
    }
    inDatabase((database) => migrate(database, path, NOON, NEXT_RELEASE));
    expect(names()).toEqual([...THIS_RELEASE_NAMES, NEXT_MIGRATION.name]);
    expect(inDatabase((database) => database.query("SELECT colour FROM colours").all())).toEqual([{ colour: 7n }]);
  });
});

describe("the views for operators", () => {
  test("show dollars as numbers and answer the queries that people write", async () => {
    const store = openSqliteStore(path, NOON);
    const { id } = await issue(store);
    await store.apply([holdOf(id, 5, { facts: { metadata: '{"agent_id":"billing_agent"}' } })], NOON);
    await store.close();
    const query = `SELECT ts, verdict, exposure_usd, agent_run_label FROM audit_log
      WHERE metadata->>'agent_id' = 'billing_agent' AND metadata->>'agent_name' = 'billing'`;
    expect(inDatabase((database) => database.query(query).all())).toEqual([
      { ts: "2026-01-15T12:00:00.000Z", verdict: "allowed", exposure_usd: 5, agent_run_label: "ray-billing/01" },
    ]);
  });
});

describe("a file that is no database of ours", () => {
  test("is refused with its path, and not touched", () => {
    writeFileSync(path, "not a database, but long enough to have a header that could be taken for one");
    expect(() => openSqliteStore(path, NOON)).toThrow(`cannot open the database ${path}`);
  });

  test("is refused where its directory does not exist", () => {
    expect(() => openSqliteStore(`${path}/none/keybrake.db`, NOON)).toThrow("cannot open the database");
  });
});

test("puts every call into the file itself when it is closed, so that a copy of it is whole", async () => {
  await makeDatabaseWithOneCall(path);
  expect(Bun.file(`${path}-wal`).size).toBe(0);
});
