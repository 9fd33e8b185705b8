import { Database } from "bun:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import type { LedgerEntry } from "../../src/ledger/entry.ts";
import { migrate, openDatabase } from "../../src/store/sqlite/database.ts";
import { SqliteLedger } from "../../src/store/sqlite/ledger.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { holdOf, NOON, resolutionOf, usd } from "../ledger/entries.ts";
import { issue } from "./records.ts";
import { temporaryDatabase } from "./temporary-database.ts";

/** `lost`: the commit is made and its answer is lost. `refused`: the disk says no and nothing is there. */
type Fault = "lost" | "refused" | undefined;

let directory: ReturnType<typeof temporaryDatabase>;
let database: Database;
let ledger: SqliteLedger;
let reader: Store;
let keyId: string;
let fault: Fault;

beforeEach(async () => {
  directory = temporaryDatabase();
  database = openDatabase(directory.path);
  migrate(database, directory.path, NOON);
  const run = database.run.bind(database);
  database.run = ((statement: string) => {
    if (statement === "COMMIT" && fault === "refused") throw new Error("disk I/O error");
    const result = run(statement);
    if (statement === "COMMIT" && fault === "lost") throw new Error("disk I/O error");
    return result;
  }) as typeof database.run;
  ledger = new SqliteLedger(database);
  reader = openSqliteStore(directory.path, NOON);
  keyId = (await issue(reader)).id;
  fault = undefined;
});

afterEach(async () => {
  await reader.close();
  database.close();
  directory.remove();
});

function applyWith(next: Fault, entries: readonly LedgerEntry[]): void {
  fault = next;
  expect(() => ledger.apply(entries, NOON)).toThrow("disk I/O error");
  fault = undefined;
}

async function states(): Promise<string[]> {
  const { rows } = await reader.queryAudit({}, { limit: 50 });
  return rows.map(({ state, flag }) => (flag ? `${state} ${flag}` : state));
}

describe("a COMMIT that failed", () => {
  test("is withdrawn by the next batch where it was made after all, before anything is decided", async () => {
    applyWith("lost", [holdOf(keyId, 90), holdOf(keyId, 50)]);
    expect(await states()).toEqual(["held", "refused"]);
    expect(ledger.apply([holdOf(keyId, 90)], NOON)).toMatchObject([{ admitted: true }]);
    expect(await states()).toEqual(["released commit_in_doubt", "refused", "held"]);
    const { rows } = await reader.queryAudit({ verdict: "store_unavailable" }, { limit: 5 });
    expect(rows).toHaveLength(1);
    expect((await reader.keySpend(keyId)).counters[0]!.used).toBe(usd(90));
    expect(await reader.checkCounters()).toEqual([]);
  });

  test("leaves nothing behind where it was not made", async () => {
    applyWith("refused", [holdOf(keyId, 90)]);
    expect(await states()).toEqual([]);
    expect(ledger.apply([holdOf(keyId, 100)], NOON)).toMatchObject([{ admitted: true }]);
    expect(await states()).toEqual(["held"]);
  });

  test("is withdrawn also where the commit of the withdrawal fails, however it fails", async () => {
    applyWith("lost", [holdOf(keyId, 90)]);
    applyWith("refused", []);
    expect(await states()).toEqual(["held"]);
    applyWith("lost", []);
    expect(await states()).toEqual(["released commit_in_doubt"]);
    expect(ledger.apply([holdOf(keyId, 100)], NOON)).toMatchObject([{ admitted: true }]);
    expect(await states()).toEqual(["released commit_in_doubt", "held"]);
    expect(await reader.checkCounters()).toEqual([]);
  });

  test("answers a resolution that is tried again that it has already been made", async () => {
    const hold = holdOf(keyId, 90);
    ledger.apply([hold], NOON);
    const settle = resolutionOf(hold.facts.id, "settled", 10);
    applyWith("lost", [settle]);
    expect(ledger.apply([settle], NOON)).toEqual([{ resolved: false, why: "already_resolved" }]);
    expect((await reader.keySpend(keyId)).counters[0]!.used).toBe(usd(10));
  });

  test("is no reason to withdraw a call that was admitted earlier", async () => {
    ledger.apply([holdOf(keyId, 10)], NOON);
    applyWith("lost", [holdOf(keyId, 20)]);
    ledger.apply([], NOON);
    expect(await states()).toEqual(["held", "released commit_in_doubt"]);
  });
});

test("refuses and forgets a batch whose COMMIT breaks a deferred constraint, and works on", async () => {
  const side = new Database(directory.path);
  side.run("CREATE TABLE parents (id INTEGER PRIMARY KEY)");
  side.run("CREATE TABLE children (id INTEGER REFERENCES parents (id) DEFERRABLE INITIALLY DEFERRED)");
  side.run("CREATE TRIGGER orphan AFTER INSERT ON open_batches BEGIN INSERT INTO children VALUES (1); END");
  expect(() => ledger.apply([holdOf(keyId, 90)], NOON)).toThrow("FOREIGN KEY");
  expect(database.inTransaction).toBe(false);
  side.run("INSERT INTO parents VALUES (1)");
  side.close();
  expect(ledger.apply([holdOf(keyId, 90)], NOON)).toMatchObject([{ admitted: true }]);
  expect(await states()).toEqual(["held"]);
});
