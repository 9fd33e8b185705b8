import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { lstatSync, rmSync, type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { drizzle } from "drizzle-orm/bun-sqlite";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { BackupReport, Frozen, Lost } from "../backup-report.ts";
import { readFrozen } from "../frozen-mark.ts";
import { checkCounters } from "./check-counters.ts";
import { createEmpty, nameAnew, nameFreshly, syncFile } from "./durable-file.ts";

/** Up to this many calls the counters of a copy are added up anew; beyond it that takes longer than the copy itself. */
const COUNTED_CALLS_MAX = 500_000;

/**
 * Copies the database while others read and write it, as it is at one moment: VACUUM INTO works in one read transaction,
 * which in WAL mode stops nobody. The copy gets its name only when it is checked and on disk, and it is frozen inside:
 * whoever puts it in place, by whatever means, takes back the spending since, and no key works until that is confirmed.
 * @throws Problem where the target is taken (and `overwrite` is not set) or no file, or the copy is not sound.
 */
export function backupTo(database: Database, path: string, at: EpochMs, overwrite = false): BackupReport {
  const target = resolve(path);
  refuseTarget(database, target, overwrite);
  // Under a name that nobody else uses: two backups into the same file must not write into each other's.
  const partial = `${target}.${randomBytes(4).toString("hex")}.partial`;
  return written(target, partial, overwrite, () => {
    copyFrozen(database, partial, `restored from a backup of ${new Date(at).toISOString()}`, at);
    return inCopy(partial, (copy) => reportOf(copy, target, at));
  });
}

/**
 * The copy that a migration leaves beside the database, whole or not there; it takes the place of one that an earlier
 * attempt has left. To go back to it is to take back spending, so it is frozen like every other copy.
 * @param database a handle that is in no transaction; another one holds the write lock, so that nobody else is here.
 */
export function copyBeforeMigration(database: Database, path: string, at: EpochMs): void {
  const when = new Date(at).toISOString();
  const why = `restored from the copy that was made before the migration of ${when}`;
  const partial = `${path}.partial`;
  rmSync(partial, { force: true });
  written(path, partial, true, () => copyFrozen(database, partial, why, at));
}

/** Lets `write` fill a file that has another name until it is whole: one that dies half-way leaves no backup. */
function written<Result>(target: string, partial: string, overwrite: boolean, write: () => Result): Result {
  try {
    createEmpty(partial);
    const result = write();
    syncFile(partial);
    if (overwrite) nameAnew(partial, target);
    else nameFreshly(partial, target);
    return result;
  } catch (cause) {
    rmSync(partial, { force: true });
    throw cause instanceof Problem ? cause : writeProblem(target, cause);
  }
}

function writeProblem(target: string, cause: unknown): Problem {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === "EEXIST") return takenProblem(target);
  return new Problem(
    "unavailable",
    `cannot write the backup ${target}: ${code?.startsWith("E") ? code : message}`,
    "name a file in a directory that exists, that this user can write, and that has room for the whole database",
  );
}

function takenProblem(target: string): Problem {
  return new Problem("conflict", `${target} exists`, "name another file, or say --force to replace it");
}

/** A device, a link or the database itself is never replaced, whatever is said. */
function refuseTarget(database: Database, target: string, overwrite: boolean): void {
  const found = lstatSync(target, { throwIfNoEntry: false });
  if (!found) return;
  if (!found.isFile()) {
    throw new Problem("invalid", `${target} is there and is no regular file`, "name a file for the backup");
  }
  if (isSameFile(found, statSync(database.filename, { throwIfNoEntry: false }))) {
    throw new Problem("invalid", `${target} is the database itself`, "name another file for the backup");
  }
  if (!overwrite) throw takenProblem(target);
}

export function isSameFile(one: Stats, other: Stats | undefined): boolean {
  return other !== undefined && one.dev === other.dev && one.ino === other.ino;
}

function copyFrozen(database: Database, partial: string, why: string, at: EpochMs): void {
  database.run("VACUUM INTO ?", [partial]);
  inCopy(partial, (copy) => {
    assertSound(copy, partial);
    assertSameMigrations(database, copy);
    makeInert(copy, why, at);
  });
}

function inCopy<Result>(path: string, work: (copy: Database) => Result): Result {
  const copy = new Database(path, { readwrite: true, strict: true, safeIntegers: true });
  try {
    return work(copy);
  } finally {
    copy.close();
  }
}

/** @throws Problem where a page or an index is not as it must be. */
export function assertSound(copy: Database, path: string): void {
  const found = copy.query("PRAGMA integrity_check(3)").all() as { integrity_check: string }[];
  const problems = found.map((row) => row.integrity_check).filter((text) => text !== "ok");
  if (problems.length === 0) return;
  throw new Problem(
    "unavailable",
    `${path} is damaged: ${problems.join("; ")}`,
    "`keybrake doctor` looks at the database; keep the last good backup",
  );
}

function assertSameMigrations(database: Database, copy: Database): void {
  const read = (from: Database) => JSON.stringify(from.query("SELECT name, sha256 FROM migrations").values());
  if (read(database) === read(copy)) return;
  throw new Problem(
    "unavailable",
    "the copy has other migrations than the database",
    "another process migrates it right now; try again in a moment",
  );
}

/** Takes the life out of a copy: no key spends in it, and no process answers for the calls that were in flight. */
export function makeInert(copy: Database, why: string, at: EpochMs): void {
  copy.run("PRAGMA synchronous = FULL");
  copy.transaction(() => {
    freeze(copy, why, at);
    copy.run("DELETE FROM leases");
    // Who was signed in then may have signed out since.
    if (hasTable(copy, "control_sessions")) copy.run("DELETE FROM control_sessions");
    // What the vendor keeps goes on changing.
    if (hasTable(copy, "vendor_objects")) copy.run("UPDATE vendor_objects SET remembered = NULL");
  })();
}

/** A copy that is made before a migration has the tables of the release before. */
function hasTable(database: Database, name: string): boolean {
  return database.query("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?").get(name) !== null;
}

function reportOf(copy: Database, path: string, takenAt: EpochMs): BackupReport {
  const { calls, keys } = contents(copy);
  const { seq } = copy.query("SELECT last_seq AS seq FROM ledger_state").get() as { seq: bigint };
  return {
    path,
    takenAt,
    sizeBytes: statSync(copy.filename).size,
    calls,
    keys,
    lastSeq: Number(seq),
    counterMismatches: calls > COUNTED_CALLS_MAX ? undefined : checkCounters(drizzle(copy)).length,
  };
}

/** How many calls and keys a database knows. */
export function contents(database: Database): { readonly calls: number; readonly keys: number } {
  const row = database
    .query(
      `SELECT (SELECT count(*) FROM audit_rows WHERE refers_to IS NULL) + (SELECT count(*) FROM calls_in_flight) AS calls,
              (SELECT count(*) FROM vault_keys) AS keys`,
    )
    .get() as { calls: bigint; keys: bigint };
  return { calls: Number(row.calls), keys: Number(row.keys) };
}

/**
 * Stops every key until `thaw`. A database that is frozen stays so with its earlier reason: what it does not know begins
 * at the earlier time.
 * @param why a clause that agents may read.
 */
export function freeze(database: Database, why: string, at: EpochMs): void {
  database.run(
    `UPDATE ledger_state SET frozen = json_object('since', CAST(? AS INTEGER), 'why', ?, 'backup_seq', last_seq)
     WHERE id = 1 AND frozen IS NULL`,
    [at, why],
  );
}

/** Lets keys spend again; false where nothing was frozen. */
export function thaw(database: Database): boolean {
  return database.run("UPDATE ledger_state SET frozen = NULL WHERE id = 1 AND frozen IS NOT NULL").changes > 0;
}

/** Why no key can spend; undefined where they can. */
export function frozenSince(database: Database): Frozen | undefined {
  const row = database.query("SELECT frozen FROM ledger_state WHERE id = 1").get() as { frozen: string | null } | null;
  return row?.frozen ? readFrozen(row.frozen) : undefined;
}

/** Writes beside the reason what the operator will have to confirm. */
export function recordLost(database: Database, lost: Lost): void {
  const { spentMicros, ...rest } = lost;
  const text = JSON.stringify({ ...rest, spent_micros: String(spentMicros) });
  database.run("UPDATE ledger_state SET frozen = json_set(frozen, '$.lost', json(?)) WHERE id = 1", [text]);
}
