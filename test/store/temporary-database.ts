import { Database } from "bun:sqlite";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import type { Store } from "../../src/store/store.ts";
import { holdOf, NOON } from "../ledger/entries.ts";
import { issue } from "./records.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** A directory of its own with the path of a database in it that does not exist yet. */
export function temporaryDatabase(): { readonly path: string; remove(): void } {
  const directory = mkdtempSync(join(tmpdir(), "keybrake-store-"));
  return { path: join(directory, "keybrake.db"), remove: () => rmSync(directory, { recursive: true, force: true }) };
}

/** A database of this release at `path`, with one key and one call in flight, closed again. */
export async function makeDatabaseWithOneCall(path: string): Promise<void> {
  const store = openSqliteStore(path, NOON);
  const { id } = await issue(store);
  await store.apply([holdOf(id, 5)], NOON);
  await store.close();
}

export interface SqliteUnderTest extends StoreUnderTest {
  readonly path: string;
}

/** A database of this release without a row, made once: migrating takes longer than most tests. */
let empty: Uint8Array | undefined;

async function emptyDatabase(): Promise<Uint8Array> {
  if (empty) return empty;
  const { path, remove } = temporaryDatabase();
  await openSqliteStore(path, NOON).close();
  empty = readFileSync(path);
  remove();
  return empty;
}

/** A SQLite store on a real file. */
export async function openTemporaryStore(): Promise<SqliteUnderTest> {
  const { path, remove } = temporaryDatabase();
  writeFileSync(path, await emptyDatabase(), { mode: 0o600 });
  const handles: Store[] = [openSqliteStore(path, NOON)];
  return {
    path,
    store: handles[0]!,
    reopen: async () => {
      const handle = openSqliteStore(path, NOON);
      handles.push(handle);
      return handle;
    },
    tamper: async (statement) => {
      const database = new Database(path);
      database.run("PRAGMA busy_timeout = 5000");
      database.run(statement);
      database.close();
    },
    close: async () => {
      for (const handle of handles) await handle.close();
      remove();
    },
  };
}
