import type { Database, Statement } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import type { LedgerEntry, LedgerResult, ReconcileRequest, ReconcileResult } from "../../ledger/entry.ts";
import { LedgerSteps } from "../ledger/ledger-steps.ts";
import { isAnyDue } from "../ledger/rolling-counters.ts";
import type { LedgerStatements } from "../ledger/statements.ts";
import type { Work } from "../ledger/work.ts";
import type { Standing } from "../standing.ts";
import { prepareLedger } from "./ledger-statements.ts";
import { preparePurges } from "./purges.ts";

/** Runs the ledger's steps on SQLite, each in one transaction that takes the only write lock first. */
export class SqliteLedger {
  readonly #database: Database;
  readonly #begin: Statement;
  readonly #statements: LedgerStatements;
  readonly #steps: LedgerSteps;
  readonly #purges: ReturnType<typeof preparePurges>;

  constructor(database: Database, chainKey: () => Uint8Array = () => new Uint8Array(0)) {
    this.#database = database;
    this.#begin = database.query("BEGIN IMMEDIATE");
    this.#statements = prepareLedger(database);
    this.#steps = new LedgerSteps(this.#statements, chainKey);
    this.#purges = preparePurges(database);
  }

  /** The whole batch is on disk when it returns. */
  apply(entries: readonly LedgerEntry[], wallClock: EpochMs): readonly LedgerResult[] {
    return this.#transact(wallClock, (work) => this.#steps.apply(work, entries), entries);
  }

  /** Holds whose owner no longer renews its lease become unresolved. */
  sweepAbandoned(now: EpochMs): number {
    if (!this.#steps.needsSweep(now)) return 0;
    return this.#transact(now, (work) => this.#steps.sweepAbandoned(work, now));
  }

  /** The vendor's own price of a settled call, told later. */
  reconcile(request: ReconcileRequest): ReconcileResult {
    return this.#transact(request.finishedAt, (work) => this.#steps.reconcile(work, request));
  }

  /**
   * Forgets answers that are no longer replayed, objects that nobody has named for a week, and what counts no more on
   * rolling budgets, a slice of each; the number.
   */
  purgeRecords(now: EpochMs): number {
    const forgotten = this.#purges.records.run(now).changes + this.#purges.objects.run(now).changes;
    if (!isAnyDue(this.#statements.rolling, now)) return forgotten;
    // By the ledger's own clock, as every call: what is taken off now counts for nobody any more.
    return forgotten + this.#transact(now, ({ counters }) => counters.rolling.expire());
  }

  standing(keyId: string, objectName: string | undefined, wallClock: EpochMs, slotNames: readonly string[]): Standing {
    return this.#steps.standing(keyId, objectName, wallClock, slotNames);
  }

  #transact<Result>(wallClock: EpochMs, step: (work: Work) => Result, entries: readonly LedgerEntry[] = []): Result {
    let work: Work | undefined;
    let isCommitting = false;
    this.#begin.run();
    try {
      work = this.#steps.begin(wallClock);
      const result = step(work);
      this.#steps.save(work);
      isCommitting = true;
      this.#database.run("COMMIT");
      this.#steps.committed(work);
      return result;
    } catch (cause) {
      this.#steps.failed(work, isCommitting ? entries : []);
      if (this.#database.inTransaction) this.#database.run("ROLLBACK");
      throw cause;
    }
  }
}
