import { Database } from "bun:sqlite";
import { Problem } from "../../src/core/problem.ts";
import type { LedgerEntry, LedgerResult } from "../../src/ledger/entry.ts";
import { CommitInDoubt, Link } from "../../src/store/postgres/link.ts";
import type { Store } from "../../src/store/store.ts";
import type { CommitFault } from "./steps.ts";

/** A store whose next commit can be made to fail, as its caller sees it. */
export interface FaultyStore {
  readonly store: Store;
  /** How the next batch's commit fails. */
  next: CommitFault;
  /** What a batch was answered that was committed and reported as failed. */
  lost: readonly LedgerResult[] | undefined;
  /** Whether the COMMIT that failed was made after all; undefined where the last batch did not fail in its COMMIT. */
  isCommitMade: boolean | undefined;
}

/**
 * Faults at the contract's edge, where every store has them: `refused` is a commit that was not made, `lost` one that was
 * made and whose answer never came. The caller cannot tell them apart, nor from those of the database's own COMMIT.
 */
export function faultyStore(store: Store): FaultyStore {
  const faulty: FaultyStore = { store: { ...store, apply }, next: "none", lost: undefined, isCommitMade: undefined };
  async function apply(entries: readonly LedgerEntry[], now: number): Promise<readonly LedgerResult[]> {
    const fault = faulty.next;
    faulty.next = "none";
    faulty.lost = undefined;
    faulty.isCommitMade = undefined;
    if (fault === "none") return store.apply(entries, now);
    if (fault === "commit_refused" || fault === "commit_lost") {
      const failed = () => {
        faulty.isCommitMade = fault === "commit_lost";
      };
      const withFailingCommit = store.kind === "postgres" ? withLostLink : withFailingDisk;
      return withFailingCommit(fault, failed, () => store.apply(entries, now));
    }
    if (fault === "lost") faulty.lost = await store.apply(entries, now);
    throw new Problem(
      "unavailable",
      "the store cannot be used: disk I/O error",
      "this is a fault that a test has planted",
    );
  }
  return faulty;
}

/** SQLite's own COMMIT fails: before it is made, or after, when the disk has it and the answer says that it has not. */
async function withFailingDisk<T>(
  fault: "commit_refused" | "commit_lost",
  failed: () => void,
  verb: () => Promise<T>,
): Promise<T> {
  const { run } = Database.prototype;
  Database.prototype.run = function (this: Database, ...statement) {
    if (statement[0] !== "COMMIT") return run.apply(this, statement);
    if (fault === "commit_lost") run.apply(this, statement);
    failed();
    throw Object.assign(new Error("disk I/O error"), { name: "SQLiteError" });
  };
  try {
    await verb();
    throw new Error("the store commits in a way that this fault does not know");
  } finally {
    Database.prototype.run = run;
  }
}

/** The connection to PostgreSQL breaks around COMMIT: before it is carried out, or before its answer comes. */
async function withLostLink<T>(
  fault: "commit_refused" | "commit_lost",
  failed: () => void,
  verb: () => Promise<T>,
): Promise<T> {
  const { commit } = Link.prototype;
  Link.prototype.commit = async function (this: Link, queries) {
    if (fault === "commit_lost") await commit.call(this, queries);
    // As the server does when a connection ends within a transaction.
    else await this.rollBack();
    failed();
    throw new CommitInDoubt("the connection to the database was lost: this is a fault that a test has planted");
  };
  try {
    await verb();
    throw new Error("the store commits in a way that this fault does not know");
  } finally {
    Link.prototype.commit = commit;
  }
}

/**
 * Makes the database refuse writes to some of its tables, whichever they are: `tables` has a bit for each in the order of
 * their names. Unlike a disk that is full this stops a transaction at any one of its writes, for every process at once,
 * and like it, takes nothing away that was committed.
 */
export function fillDisk(path: string, tables: number): void {
  withDatabase(path, (database) => {
    const names = database
      .query<{ name: string }, []>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name",
      )
      .all();
    for (const [index, { name }] of names.entries()) {
      if ((tables & (1 << (index % 32))) === 0) continue;
      for (const verb of ["INSERT", "UPDATE", "DELETE"]) {
        const refuse = "BEGIN SELECT RAISE(ABORT, 'database or disk is full'); END";
        database.run(`CREATE TRIGGER IF NOT EXISTS "full_${name}_${verb}" BEFORE ${verb} ON "${name}" ${refuse}`);
      }
    }
  });
}

export function freeDisk(path: string): void {
  withDatabase(path, (database) => {
    const triggers = database.query<{ name: string }, []>(
      "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'full\\_%' ESCAPE '\\'",
    );
    for (const { name } of triggers.all()) database.run(`DROP TRIGGER "${name}"`);
  });
}

function withDatabase(path: string, change: (database: Database) => void): void {
  const database = new Database(path);
  database.run("PRAGMA busy_timeout = 5000");
  database.transaction(change).immediate(database);
  database.close();
}
