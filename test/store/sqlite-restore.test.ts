import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { migrate, openDatabase } from "../../src/store/sqlite/database.ts";
import { Restore } from "../../src/store/sqlite/restore.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { holdOf, NOON, resolutionOf, usd } from "../ledger/entries.ts";
import { NEXT_MIGRATION, NEXT_RELEASE } from "./next-migration.ts";
import { issue, tokenRecord } from "./records.ts";
import { temporaryDatabase } from "./temporary-database.ts";
import { startWorker } from "./worker.ts";

const LATER = NOON + 3_600_000;
const KEPT = "keybrake.db.replaced-20260115T130000Z";

let directory: ReturnType<typeof temporaryDatabase>;
let path: string;
let folder: string;
let file: string;
let keyId: string;

beforeEach(async () => {
  directory = temporaryDatabase();
  path = directory.path;
  folder = dirname(path);
  file = join(folder, "backup.db");
  await inStore(async (store) => {
    ({ id: keyId } = await issue(store));
    await settle(store, 5);
    await store.backup(file, NOON, false);
  });
});

afterEach(() => directory.remove());

async function inStore<Result>(work: (store: Store) => Promise<Result>, at = path): Promise<Result> {
  const store = openSqliteStore(at, NOON);
  try {
    return await work(store);
  } finally {
    await store.close();
    letGo(at);
  }
}

/**
 * bun:sqlite closes a file only when the last prepared statement on it is gone, or the process. Another inode with the
 * same bytes is what the next process would find.
 */
function letGo(at: string): void {
  copyFileSync(at, `${at}.again`);
  renameSync(`${at}.again`, at);
  for (const sidecar of ["-wal", "-shm"]) rmSync(at + sidecar, { force: true });
}

async function settle(store: Store, dollars: number, to: "settled" | "unresolved" = "settled"): Promise<string> {
  const hold = holdOf(keyId, dollars);
  await store.apply([hold], NOON);
  await store.apply([resolutionOf(hold.facts.id, to, dollars)], NOON);
  return hold.facts.id;
}

function restore(from = file): Restore {
  return Restore.prepare({ file: from, target: path, now: LATER });
}

/** Prepares and commits; what it said. */
function restored(from = file) {
  const prepared = restore(from);
  try {
    const keptAt = prepared.commit();
    return { keptAt, frozen: prepared.frozen, isAlone: prepared.isAlone };
  } finally {
    prepared.close();
  }
}

const calls = (at = path) => inStore(async (store) => (await store.auditTotals({})).calls, at);
const files = () => readdirSync(folder).sort();

describe("a restore", () => {
  test("puts the backup in place, frozen, and keeps what was there, frozen too", async () => {
    await inStore((store) => settle(store, 7));
    expect(restored()).toMatchObject({ keptAt: join(folder, KEPT), isAlone: true });
    expect(files()).toEqual(["backup.db", "keybrake.db", KEPT]);
    expect((statSync(path).mode & 0o777).toString(8)).toBe("600");
    const why = "restored from a backup of 2026-01-15T12:00:00.000Z";
    expect(await inStore((store) => store.frozenSince())).toMatchObject({ since: NOON, why });
    expect([await calls(), await calls(join(folder, KEPT))]).toEqual([1, 2]);
    const replaced = await inStore((store) => store.frozenSince(), join(folder, KEPT));
    expect(replaced?.why).toBe("replaced by a restore on 2026-01-15T13:00:00.000Z");
  });

  test("changes nothing before it is committed", async () => {
    await inStore((store) => settle(store, 7));
    restore().close();
    expect(files()).toEqual(["backup.db", "keybrake.db"]);
    expect(await calls()).toBe(2);
    expect(await inStore((store) => store.frozenSince())).toBeUndefined();
  });

  test("says what went out since the backup, and what works again", async () => {
    const id = await inStore(async (store) => {
      await store.insertToken(tokenRecord({ id: "kt_1" }));
      await settle(store, 7);
      await settle(store, 11, "unresolved");
      const corrected = await settle(store, 13, "unresolved");
      await store.apply([resolutionOf(corrected, "settled", 3)], NOON);
      await store.apply([holdOf(keyId, 17)], NOON);
      await store.apply([holdOf(keyId, 500)], NOON);
      await store.revokeKeys({ ids: [keyId] }, null, NOON + 1);
      await store.revokeToken("kt_1", NOON + 1);
      await store.engageBrake({ id: "brk_1", vendor: null, labelPrefix: null, reason: null, engagedAt: NOON + 1 });
      return keyId;
    });
    const lost = {
      calls: 4,
      spentMicros: usd(7 + 11 + 3 + 17),
      revokedKeys: [id],
      revokedTokens: ["kt_1"],
      brakes: 1,
      keptAt: join(folder, KEPT),
    };
    expect(restored().frozen.lost).toEqual(lost);
    expect((await inStore((store) => store.frozenSince()))?.lost).toEqual(lost);
  });

  test("counts no correction of a call that the backup has: there that call still stands in full", async () => {
    const other = join(folder, "other.db");
    const id = await inStore(async (store) => {
      const unresolved = await settle(store, 9, "unresolved");
      await store.backup(other, NOON, false);
      await store.apply([resolutionOf(unresolved, "settled", 9)], NOON);
      return unresolved;
    });
    expect(restored(other).frozen.lost).toMatchObject({ calls: 0, spentMicros: 0n });
    expect((await inStore((store) => store.queryAudit({ state: "unresolved" }, { limit: 9 }))).rows[0]).toMatchObject({
      id,
    });
  });

  test("works where there is no database, and then knows nothing of what was spent", async () => {
    directory.remove();
    directory = temporaryDatabase();
    const target = directory.path;
    const source = temporaryDatabase();
    await inStore((store) => store.backup(`${source.path}.b`, NOON, false).then(() => {}), source.path);
    const prepared = Restore.prepare({ file: `${source.path}.b`, target, now: LATER });
    expect([prepared.lost, prepared.commit()]).toEqual([undefined, undefined]);
    prepared.close();
    expect(await calls(target)).toBe(0);
    source.remove();
  });

  test("takes a plain copy of a stopped database, and freezes it by the time of its ledger", async () => {
    const plain = join(folder, "plain.db");
    copyFileSync(path, plain);
    expect(restored(plain).frozen).toMatchObject({
      since: NOON,
      why: "restored from a copy of the database as it was on 2026-01-15T12:00:00.000Z",
    });
  });

  test("replaces a database that is damaged, with its log out of the way, and says that it could not look", async () => {
    writeFileSync(path, Buffer.alloc(8192, 7));
    writeFileSync(`${path}-wal`, "a log of the damaged one");
    expect(restored()).toMatchObject({ isAlone: false });
    expect(files().filter((name) => name.startsWith("keybrake.db-"))).toEqual([]);
    expect(readFileSync(join(folder, KEPT))).toEqual(Buffer.alloc(8192, 7));
    expect(await calls()).toBe(1);
  });

  test("finds the calls that a killed process has left in the log", async () => {
    const worker = startWorker("hold-loop.ts", path, keyId, "1");
    await worker.line();
    worker.go();
    for (let i = 0; i < 3; i++) await worker.line();
    worker.kill();
    await worker.exited;
    expect(restored().frozen.lost!.calls).toBeGreaterThanOrEqual(3);
    expect(files()).toEqual(["backup.db", "keybrake.db", KEPT]);
  });
});

describe("a restore is refused, and nothing changes, where", () => {
  const expectRefused = async (why: string, from = file) => {
    const before = files();
    expect(() => restore(from)).toThrow(why);
    expect(files()).toEqual(before);
  };

  test("a server has the database open: its process is named", async () => {
    const server = openSqliteStore(path, NOON);
    await server.renewLease({ owner: "box:4711:aaaa", until: LATER + 1 });
    expect(() => restore()).toThrow("a keybrake server has it open (process 4711 on box)");
    expect(await server.apply([holdOf(keyId, 1)], NOON)).toMatchObject([{ admitted: true }]);
    await server.close();
    expect(existsSync(join(folder, KEPT))).toBe(false);
  });

  test("another process has it open", async () => {
    const worker = startWorker("opener.ts", path);
    await worker.line();
    worker.go();
    await worker.line();
    expect(() => restore()).toThrow("another process has it open");
    worker.kill();
    await worker.exited;
    restored();
  });

  test("there is no such file", () => expectRefused("there is no file", join(folder, "none.db")));
  test("the file is the database itself", () => expectRefused("is the database itself", path));
  test("the file is a directory", () => expectRefused("no regular file", folder));

  test("the file is no database", async () => {
    writeFileSync(join(folder, "text.db"), "x".repeat(5000));
    await expectRefused("is no database of keybrake", join(folder, "text.db"));
  });

  test("the file is a database of something else", async () => {
    const foreign = new Database(join(folder, "foreign.db"), { create: true });
    foreign.run("CREATE TABLE a (b)");
    foreign.close();
    await expectRefused("is no database of keybrake", join(folder, "foreign.db"));
  });

  test("the file is a part of a copy, its log still beside it", async () => {
    writeFileSync(`${file}-wal`, "calls");
    await expectRefused("the newest calls are in there");
  });

  test("a newer release has made the file", async () => {
    const database = openDatabase(file);
    migrate(database, file, NOON, NEXT_RELEASE);
    database.close();
    await expectRefused(`${NEXT_MIGRATION.name}, which this version`);
  });

  test("an edited migration has made the file", async () => {
    const database = new Database(file);
    database.run("UPDATE migrations SET sha256 = 'edited'");
    database.close();
    await expectRefused("a different 0001_first");
  });

  test("the file is damaged", async () => {
    const database = new Database(file);
    database.run("PRAGMA ignore_check_constraints = ON; UPDATE counters SET used = -1");
    database.close();
    await expectRefused("CHECK constraint failed");
  });
});

test("a process that opened the old database at the last moment cannot spend in it", async () => {
  const prepared = restore();
  prepared.commit();
  prepared.close();
  const refused = { admitted: false, code: "store_unavailable", rule: "frozen" };
  const ghost = openSqliteStore(join(folder, KEPT), NOON);
  expect(await ghost.apply([holdOf(keyId, 1)], NOON)).toMatchObject([refused]);
  await ghost.close();
});

test("nobody can open the database while an operator is being asked", () => {
  const prepared = restore();
  expect(() => new Database(path).query("SELECT * FROM leases").all()).toThrow("locked");
  prepared.close();
});
