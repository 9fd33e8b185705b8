import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, linkSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { holdOf, NOON, resolutionOf } from "../ledger/entries.ts";
import { hashOf, issue, tokenRecord } from "./records.ts";
import { openTemporaryStore, type SqliteUnderTest } from "./temporary-database.ts";
import { startWorker } from "./worker.ts";

let subject: SqliteUnderTest;
let folder: string;
let file: string;

beforeEach(async () => {
  subject = await openTemporaryStore();
  folder = dirname(subject.path);
  file = join(folder, "backup.db");
});

afterEach(() => subject.close());

async function oneSettledCall(): Promise<string> {
  const { id } = await issue(subject.store);
  const hold = holdOf(id, 5);
  await subject.store.apply([hold], NOON);
  await subject.store.apply([resolutionOf(hold.facts.id, "settled", 4)], NOON);
  return id;
}

const partials = () => readdirSync(folder).filter((name) => name.includes("partial"));

describe("a backup", () => {
  test("holds the calls, the counters and the keys, and says so", async () => {
    const id = await oneSettledCall();
    const report = await subject.store.backup(file, NOON + 1, false);
    expect(report).toEqual({
      path: file,
      takenAt: NOON + 1,
      sizeBytes: statSync(file).size,
      calls: 1,
      keys: 1,
      lastSeq: expect.any(Number),
      counterMismatches: 0,
    });
    const copy = openSqliteStore(file, NOON);
    expect(await copy.auditTotals({})).toEqual(await subject.store.auditTotals({}));
    expect(await copy.keySpend(id)).toEqual(await subject.store.keySpend(id));
    expect(await copy.checkCounters()).toEqual([]);
    await copy.close();
  });

  test("is frozen inside and the database is not, and no process answers for its calls in flight", async () => {
    const { id } = await issue(subject.store);
    await subject.store.renewLease({ owner: "host:1:aaaa", until: NOON + 60_000 });
    await subject.store.apply([holdOf(id, 5)], NOON);
    const { lastSeq } = await subject.store.backup(file, NOON + 1, false);
    expect(await subject.store.frozenSince()).toBeUndefined();
    expect(await subject.store.apply([holdOf(id, 5)], NOON)).toMatchObject([{ admitted: true }]);
    const copy = openSqliteStore(file, NOON);
    const why = "restored from a backup of 2026-01-15T12:00:00.001Z";
    expect(await copy.frozenSince()).toEqual({ since: NOON + 1, why, backupSeq: lastSeq });
    const refused = { admitted: false, code: "store_unavailable", rule: "frozen", reason: why };
    expect(await copy.apply([holdOf(id, 5)], NOON)).toMatchObject([refused]);
    expect(await copy.sweepAbandonedHolds(NOON + 1)).toBe(1);
    await copy.close();
  });

  test("has nobody signed in who was signed in when it was made", async () => {
    const token = tokenRecord();
    await subject.store.insertToken(token);
    const session = { idHash: hashOf("one"), tokenId: token.id, createdAt: NOON, expiresAt: NOON + 1_000 };
    await subject.store.insertSession(session, 5);
    await subject.store.backup(file, NOON, false);
    const copy = openSqliteStore(file, NOON);
    expect(await copy.findSession(hashOf("one"), NOON)).toBeUndefined();
    await copy.close();
    expect((await subject.store.findSession(hashOf("one"), NOON))?.token.id).toBe(token.id);
  });

  test("is for its owner's eyes only under any umask, one file, and leaves nothing beside it", async () => {
    await oneSettledCall();
    const umask = process.umask(0o000);
    try {
      await subject.store.backup(file, NOON, false);
    } finally {
      process.umask(umask);
    }
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
    expect(readdirSync(folder).filter((name) => name.startsWith("backup.db"))).toEqual(["backup.db"]);
  });

  test("is consistent while another process writes, and stops it for no call", async () => {
    const { id } = await issue(subject.store);
    const worker = startWorker("hold-loop.ts", subject.path, id, "0");
    await worker.line();
    worker.go();
    let earlier = 0;
    for (let run = 0; run < 5; run++) {
      // A line may be of a call that the backup before has: what is waited for is a call that it has not.
      let before = 0;
      for (; before <= earlier; before = (await subject.store.auditTotals({})).calls) await worker.line();
      const { calls, counterMismatches } = await subject.store.backup(file, NOON, true);
      expect({ counterMismatches, isNewer: calls >= before && calls > earlier }).toEqual({
        counterMismatches: 0,
        isNewer: true,
      });
      earlier = calls;
    }
    worker.kill();
    // Every hold was admitted, or it would have said so and ended.
    expect((await worker.rest()).at(-1)).not.toBe("full");
  });

  test("has its name only when it is whole, killed at random moments", async () => {
    await oneSettledCall();
    for (let run = 0; run < 5; run++) {
      const worker = startWorker("backup-loop.ts", subject.path, file);
      await worker.line();
      worker.go();
      await Bun.sleep(Math.random() * 40);
      worker.kill();
      await worker.exited;
      if (!existsSync(file)) continue;
      const copy = new Database(file);
      expect(copy.query("PRAGMA integrity_check").values()).toEqual([["ok"]]);
      expect(copy.query("SELECT frozen IS NOT NULL FROM ledger_state").values()).toEqual([[1]]);
      copy.close();
    }
  });

  test("says how many counters do not equal their calls, and is made all the same", async () => {
    await oneSettledCall();
    await subject.tamper("UPDATE counters SET used = used + 1");
    expect(await subject.store.backup(file, NOON, false)).toMatchObject({ counterMismatches: 1 });
  });

  test("of a frozen database keeps the earlier reason", async () => {
    await subject.store.freeze("restored from a backup of 2026-01-01", NOON - 5);
    await subject.store.backup(file, NOON, false);
    const copy = openSqliteStore(file, NOON);
    expect(await copy.frozenSince()).toMatchObject({ since: NOON - 5, why: "restored from a backup of 2026-01-01" });
    await copy.close();
  });
});

describe("a backup is refused, and nothing is left, where", () => {
  const targets: readonly (readonly [
    where: string,
    make: (path: string) => unknown,
    overwrite: boolean,
    why: string,
  ])[] = [
    ["the file exists", (path) => writeFileSync(path, "precious"), false, "exists"],
    ["it is a directory", (path) => mkdirSync(path), true, "no regular file"],
    ["it is a link", (path) => symlinkSync(subject.path, path), true, "no regular file"],
    // Stands for a device. Never one of the machine's: a test that runs as root would put a file in its place.
    ["it is a pipe", (path) => Bun.spawnSync(["mkfifo", path]), true, "no regular file"],
    ["it is the database under another name", (path) => linkSync(subject.path, path), true, "the database itself"],
  ];
  for (const [where, make, overwrite, why] of targets) {
    test(where, async () => {
      make(file);
      const before = statSync(file).ino;
      await expect(subject.store.backup(file, NOON, overwrite)).rejects.toThrow(why);
      expect(statSync(file).ino).toBe(before);
      expect(partials()).toEqual([]);
    });
  }

  test("its directory does not exist", async () => {
    await expect(subject.store.backup(join(folder, "none", "b.db"), NOON, false)).rejects.toThrow("ENOENT");
  });

  test("the copy is not sound", async () => {
    await oneSettledCall();
    await subject.tamper("PRAGMA ignore_check_constraints = ON; UPDATE counters SET used = -1");
    await expect(subject.store.backup(file, NOON, false)).rejects.toThrow("CHECK constraint failed in counters");
    expect(existsSync(file)).toBe(false);
    expect(partials()).toEqual([]);
  });
});

describe("freezing", () => {
  test("refuses every call of every process with the reason until it is thawed, and counts nothing", async () => {
    const { id } = await issue(subject.store);
    await subject.store.freeze("restored from a backup of yesterday", NOON);
    const other = await subject.reopen();
    const refused = { admitted: false, code: "store_unavailable", rule: "frozen" };
    expect(await other.apply([holdOf(id, 5)], NOON)).toMatchObject([refused]);
    const { id: later } = await issue(subject.store);
    expect(await subject.store.apply([holdOf(later, 5)], NOON)).toMatchObject([refused]);
    expect((await subject.store.keySpend(id)).counters).toEqual([]);
    expect(await other.thaw()).toBe(true);
    expect(await subject.store.apply([holdOf(id, 5)], NOON)).toMatchObject([{ admitted: true }]);
    expect(await subject.store.thaw()).toBe(false);
  });

  test("keeps the first reason", async () => {
    await subject.store.freeze("the first", NOON);
    await subject.store.freeze("the second", NOON + 1);
    expect(await subject.store.frozenSince()).toEqual({ since: NOON, why: "the first", backupSeq: 0 });
  });

  test("holds where its mark cannot be read", async () => {
    await subject.tamper("UPDATE ledger_state SET frozen = 'garbage'");
    expect(await subject.store.frozenSince()).toEqual({ since: 0, why: "garbage", backupSeq: 0 });
  });
});
