import { Database } from "bun:sqlite";
import { randomBytes } from "node:crypto";
import { chmodSync, constants, copyFileSync, rmSync, type Stats, statSync } from "node:fs";
import { resolve } from "node:path";
import { Problem } from "../../core/problem.ts";
import type { EpochMs } from "../../core/window.ts";
import type { Frozen, Lost } from "../backup-report.ts";
import { assertSound, contents, frozenSince, isSameFile, makeInert, recordLost } from "./backup.ts";
import { assertKnownSchema, closeDatabase } from "./database.ts";
import { nameFreshly, syncFile } from "./durable-file.ts";
import { PresentDatabase } from "./present-database.ts";

export interface RestoreRequest {
  /** The backup. */
  readonly file: string;
  /** Where the database belongs. */
  readonly target: string;
  readonly now: EpochMs;
}

/**
 * A backup that lies checked and frozen beside the database, which nobody else has open; nothing is replaced before
 * `commit`. `close` it in any case.
 */
export class Restore {
  readonly #request: RestoreRequest;
  readonly #draft: string;
  readonly #present: PresentDatabase | undefined;
  readonly #keptAt: string;
  readonly calls: number;
  readonly keys: number;
  /** As it will stand in the restored database. */
  readonly frozen: Frozen;

  private constructor(request: RestoreRequest, draft: string, present: PresentDatabase | undefined) {
    this.#request = request;
    this.#draft = draft;
    this.#present = present;
    this.#keptAt = `${request.target}.replaced-${fileTime(request.now)}`;
    const facts = checked(draft, request.file, (found) => present?.lostSince(found, this.#keptAt));
    this.calls = facts.calls;
    this.keys = facts.keys;
    this.frozen = facts.frozen;
  }

  /**
   * Copies the backup first and looks at the copy: what is checked is what is put in place, and a backup on a read-only
   * medium is as good as another.
   * @throws Problem where the file is no sound backup for this release, or where somebody has the database open.
   */
  static prepare(given: RestoreRequest): Restore {
    const request = { ...given, file: resolve(given.file) };
    refuseSource(request);
    const draft = `${request.target}.${randomBytes(4).toString("hex")}.restoring`;
    let present: PresentDatabase | undefined;
    try {
      present = PresentDatabase.lock(request.target, request.now);
      copyFileSync(request.file, draft, constants.COPYFILE_EXCL);
      chmodSync(draft, 0o600);
      return new Restore(request, draft, present);
    } catch (cause) {
      removeWithSidecars(draft);
      present?.close();
      throw cause instanceof Problem ? cause : unusable(request.file, cause);
    }
  }

  /** What a restore takes back; undefined where there is no database to ask, or it cannot say. */
  get lost(): Lost | undefined {
    return this.frozen.lost;
  }

  /** False where the present database cannot be read, and so nobody can tell whether a server has it open. */
  get isAlone(): boolean {
    return this.#present?.isReadable ?? true;
  }

  /** Puts the backup in place. @returns where the database that was there is kept; undefined where there was none. */
  commit(): string | undefined {
    const { target, now } = this.#request;
    if (this.#present) this.#present.replaceWith(this.#draft, this.#keptAt, now);
    else nameFreshly(this.#draft, target);
    return this.#present && this.#keptAt;
  }

  close(): void {
    removeWithSidecars(this.#draft);
    this.#present?.close();
  }
}

/** `20260115T120000Z`: sorts, and is good in every file system. */
function fileTime(now: EpochMs): string {
  return new Date(now).toISOString().replace(/[-:]|\.\d+/g, "");
}

function refuseSource({ file, target }: RestoreRequest): void {
  const found = statOf(file);
  if (!found) throw new Problem("not_found", `there is no file ${file}`, "name one that `keybrake backup` has written");
  if (!found.isFile()) throw new Problem("invalid", `${file} is no regular file`, "name a backup file");
  if (isSameFile(found, statOf(target))) {
    throw new Problem("invalid", `${file} is the database itself`, "name a backup of it");
  }
  for (const sidecar of ["-wal", "-journal"]) {
    if ((statOf(file + sidecar)?.size ?? 0) === 0) continue;
    throw new Problem(
      "invalid",
      `${file}${sidecar} lies beside it: the newest calls are in there, and not in ${file}`,
      "make the backup with `keybrake backup`, or stop what has that database open",
    );
  }
}

function statOf(path: string): Stats | undefined {
  return statSync(path, { throwIfNoEntry: false });
}

function unusable(file: string, cause: unknown): Problem {
  const { code = "", message } = cause as { code?: string; message: string };
  if (code === "SQLITE_NOTADB" || /no such (?:table|column)/.test(message)) {
    return new Problem(
      "invalid",
      `${file} is no database of keybrake`,
      "name a file that `keybrake backup` has written",
    );
  }
  return new Problem(
    "unavailable",
    `cannot restore ${file}: ${message}`,
    "check the file, the directory and free space",
  );
}

interface Facts {
  readonly calls: number;
  readonly keys: number;
  readonly frozen: Frozen;
}

/** Checks the draft and readies it: frozen with its reason, no lease in it, and on disk. */
function checked(draft: string, file: string, lostSince: (found: Frozen) => Lost | undefined): Facts {
  const database = new Database(draft, { readwrite: true, strict: true, safeIntegers: true });
  try {
    assertSound(database, file);
    assertKnownSchema(database);
    // A copy that was made by other means than `keybrake backup` knows how far it goes by its ledger's clock.
    const { now } = database.query("SELECT now FROM ledger_state WHERE id = 1").get() as { now: bigint };
    makeInert(database, `restored from a copy of the database as it was on ${isoTime(now)}`, Number(now));
    const lost = lostSince(frozenSince(database)!);
    if (lost) recordLost(database, lost);
    const facts = { ...contents(database), frozen: frozenSince(database)! };
    // Whoever opens it finds it in the mode that it works in, and has no journal to share with the file it replaces.
    database.run("PRAGMA journal_mode = WAL");
    return facts;
  } finally {
    closeDatabase(database);
    syncFile(draft);
  }
}

function isoTime(time: bigint): string {
  return new Date(Number(time)).toISOString();
}

function removeWithSidecars(path: string): void {
  for (const part of ["", "-wal", "-shm", "-journal"]) rmSync(path + part, { force: true });
}
