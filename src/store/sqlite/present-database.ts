import { Database } from "bun:sqlite";
import { existsSync, renameSync, rmSync } from "node:fs";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { Frozen, Lost } from "../backup-report.ts";
import { freeze, frozenSince, thaw } from "./backup.ts";
import { linkIfPossible, nameAnew } from "./durable-file.ts";

/** How long a handle that is just being closed may take, in milliseconds. */
const BUSY_TIMEOUT_MS = 500;
const SIDECARS = ["-wal", "-shm", "-journal"] as const;

/**
 * The database that a restore replaces, kept from everybody else. Leaving WAL mode takes a lock that SQLite gives only
 * where no other handle is open, in whatever process, and puts the WAL into the file.
 */
export class PresentDatabase {
  readonly #path: string;
  /** Undefined where the file cannot be read: then nobody can tell who else has it open. */
  readonly #database: Database | undefined;

  private constructor(path: string, database: Database | undefined) {
    this.#path = path;
    this.#database = database;
  }

  /** @throws Problem `conflict` where somebody has it open. */
  static lock(path: string, now: EpochMs): PresentDatabase | undefined {
    if (!existsSync(path)) return undefined;
    let database: Database | undefined;
    try {
      database = new Database(path, { readwrite: true, strict: true, safeIntegers: true });
      database.run(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
      database.run("PRAGMA locking_mode = EXCLUSIVE");
      database.run("PRAGMA journal_mode = DELETE");
      database.run("PRAGMA synchronous = FULL");
      database.run("BEGIN EXCLUSIVE");
      database.run("COMMIT");
      // Left by a process that was killed; nobody maps it now.
      rmSync(`${path}-shm`, { force: true });
      return new PresentDatabase(path, database);
    } catch (cause) {
      database?.close();
      if (hasCode(cause, "SQLITE_BUSY")) throw inUse(path, now);
      if (hasCode(cause, "SQLITE_NOTADB") || hasCode(cause, "SQLITE_CORRUPT"))
        return new PresentDatabase(path, undefined);
      throw cause;
    }
  }

  get isReadable(): boolean {
    return this.#database !== undefined;
  }

  /** What it has and a backup has not; undefined where it cannot say. */
  lostSince(backup: Frozen, keptAt: string): Lost | undefined {
    if (!this.#database) return undefined;
    try {
      return { ...readLost(this.#database, backup), keptAt };
    } catch {
      // Of another release, or damaged inside: it is kept, and somebody can look into it.
      return undefined;
    }
  }

  /**
   * Puts `file` in its place and keeps it under `keptAt`. It is frozen first: no process that has opened it at the last
   * moment spends in it, nor does anybody who puts it back without looking.
   */
  replaceWith(file: string, keptAt: string, now: EpochMs): void {
    const froze = this.#freeze(now);
    try {
      if (existsSync(keptAt)) throw new Problem("conflict", `${keptAt} exists`, "move it away");
      if (!linkIfPossible(this.#path, keptAt)) renameSync(this.#path, keptAt);
      // A log that belongs to another file would be replayed into the new one.
      for (const sidecar of this.#database ? [] : SIDECARS) moveIfThere(`${this.#path}${sidecar}`, keptAt + sidecar);
      nameAnew(file, this.#path);
    } catch (cause) {
      if (froze) thaw(this.#database!);
      throw cause;
    }
  }

  /** False where it was frozen before, or cannot be. */
  #freeze(now: EpochMs): boolean {
    try {
      if (!this.#database || frozenSince(this.#database)) return false;
      freeze(this.#database, `replaced by a restore on ${new Date(now).toISOString()}`, now);
      return true;
    } catch {
      // No database of this release; there is nothing in it that this release would spend.
      return false;
    }
  }

  close(): void {
    this.#database?.close();
  }
}

function moveIfThere(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}

function hasCode(cause: unknown, code: string): boolean {
  return (cause as { code?: string }).code?.startsWith(code) ?? false;
}

function inUse(path: string, now: EpochMs): Problem {
  const owners = livingOwners(path, now);
  const who =
    owners.length > 0 ? `a keybrake server has it open (${owners.join(", ")})` : "another process has it open";
  return new Problem("conflict", `${path} cannot be replaced: ${who}`, "stop every keybrake on that directory first");
}

/** `process 4711 on host`, of those that keep a lease. */
function livingOwners(path: string, now: EpochMs): string[] {
  const database = new Database(path, { readonly: true, strict: true });
  try {
    const leases = database.query("SELECT owner FROM leases WHERE until > ?").values(now) as [string][];
    return leases.map(([owner]) => owner.split(":")).map(([host, pid]) => `process ${pid} on ${host}`);
  } catch {
    return [];
  } finally {
    database.close();
  }
}

interface LostRow {
  readonly calls: bigint;
  readonly spent: bigint;
  readonly brakes: bigint;
}

/**
 * Calls that were decided after the backup. One that was corrected later counts with its correction, and a correction of
 * a call that the backup has does not count: there that call stands at all that it could cost.
 */
function readLost(database: Database, { since, backupSeq }: Frozen): Omit<Lost, "keptAt"> {
  const row = database
    .query(
      `WITH newer AS (
         SELECT id, refers_to, state, exposure_micros, cost_micros FROM audit_rows
         WHERE seq > ?1 AND state IN ('settled', 'unresolved')
           AND (refers_to IS NULL OR refers_to IN (SELECT id FROM audit_rows WHERE seq > ?1))
       ), flying AS (SELECT exposure_micros FROM calls_in_flight WHERE seq > ?1)
       SELECT
         (SELECT count(*) FROM newer WHERE refers_to IS NULL) + (SELECT count(*) FROM flying) AS calls,
         (SELECT coalesce(sum(cost_micros), 0) FROM newer WHERE state = 'settled')
           + (SELECT coalesce(sum(exposure_micros), 0) FROM newer WHERE state = 'unresolved'
                AND NOT EXISTS (SELECT 1 FROM audit_rows AS later WHERE later.refers_to = newer.id))
           + (SELECT coalesce(sum(exposure_micros), 0) FROM flying) AS spent,
         (SELECT count(*) FROM brakes WHERE engaged_at > ?2 AND released_at IS NULL) AS brakes`,
    )
    .get(backupSeq, since) as LostRow;
  const revoked = (table: "vault_keys" | "control_tokens") =>
    (
      database.query(`SELECT id FROM ${table} WHERE revoked_at > ?1 AND created_at <= ?1`).values(since) as [string][]
    ).map(([id]) => id);
  return {
    calls: Number(row.calls),
    spentMicros: row.spent,
    revokedKeys: revoked("vault_keys"),
    revokedTokens: revoked("control_tokens"),
    brakes: Number(row.brakes),
  };
}
