import { timeOrderedId } from "../../core/id.ts";
import type { EpochMs } from "../../core/window.ts";
import type { LedgerEntry, LedgerResult, ReconcileRequest, ReconcileResult } from "../../ledger/entry.ts";
import { LedgerSteps } from "../ledger/ledger-steps.ts";
import type { Work } from "../ledger/work.ts";
import type { Standing } from "../standing.ts";
import { KEY, rehearsedStatements, type StateStatementsOf } from "./ledger-statements.ts";
import { CommitInDoubt, Link, LinkLost } from "./link.ts";
import { asksOf } from "./preload.ts";
import { type Ask, Rehearsal } from "./rehearsal.ts";
import type { RenewablePool } from "./renewable-pool.ts";

/** The state that a step reads has the time in it. */
const NO_CLOCK = 0;

export interface PostgresLedgerOptions {
  readonly pool: RenewablePool;
  /** How long a connection may take to be there, in milliseconds. */
  readonly connectMs: number;
  /** How long a connection may stay silent before it counts as lost, in milliseconds. */
  readonly timeoutMs: number;
  readonly chainKey: () => Uint8Array;
  /** The ledger's clock at a caller's time: null where it is the database's, which it is but in tests. */
  readonly clock: (now: EpochMs) => EpochMs | null;
  readonly state: StateStatementsOf;
  /** Milliseconds, as `Clock.elapsed`. */
  readonly elapsed: () => number;
}

/** For how long a database that could not be reached is not asked again: doubled with each failure, up to a bound. */
const PAUSE = { firstMs: 50, maxMs: 2_000 } as const;

/**
 * Runs the ledger's steps on PostgreSQL, each in one transaction that takes the ledger's one lock first: of all replicas
 * one decides at a time, and the price of it is shared by the calls of its batch.
 */
export class PostgresLedger {
  readonly #options: PostgresLedgerOptions;
  readonly #rehearsal = new Rehearsal();
  readonly #steps: LedgerSteps;
  /** Ends when the transaction under way has; a rehearsal has one at a time. */
  #turn: Promise<unknown> = Promise.resolve();
  /** How the transaction under way reads the state. */
  #state: Ask;
  /** Of the ledger as it was known last. */
  #now = 0;
  /** Set while the database cannot be reached: nobody is to wait for it meanwhile. */
  #lost: { readonly failures: number; readonly untilMs: number } | undefined;

  constructor(options: PostgresLedgerOptions) {
    this.#options = options;
    this.#state = { statement: options.state.locked, args: [null] };
    this.#steps = new LedgerSteps(
      rehearsedStatements(this.#rehearsal, () => this.#state),
      options.chainKey,
    );
  }

  /** The whole batch is on disk when it resolves. */
  apply(entries: readonly LedgerEntry[], now: EpochMs): Promise<readonly LedgerResult[]> {
    const at = this.#options.clock(now) ?? this.#now;
    return this.#transact(now, (work) => this.#steps.apply(work, entries), asksOf(entries, at), entries);
  }

  /** Holds whose owner no longer renews its lease become unresolved. */
  async sweepAbandoned(now: EpochMs): Promise<number> {
    const ownTime = this.#options.clock(now);
    // Mostly there is none: then nobody waits for the lock, and the ledger's time is left as it is.
    const isAny = await this.#look(now, [], (steps) => steps.needsSweep(ownTime ?? steps.begin(NO_CLOCK).state.now));
    if (!isAny) return 0;
    return this.#transact(now, (work) => this.#steps.sweepAbandoned(work, ownTime ?? work.state.now));
  }

  /** The vendor's own price of a settled call, told later. */
  reconcile(request: ReconcileRequest): Promise<ReconcileResult> {
    return this.#transact(request.finishedAt, (work) => this.#steps.reconcile(work, request));
  }

  /** Takes off rolling budgets what counts no more, a slice of it. */
  expireRolling(now: EpochMs): Promise<number> {
    return this.#transact(now, ({ counters }) => counters.rolling.expire());
  }

  /** Reads without the lock: whoever asks is decided upon later. */
  standing(
    keyId: string,
    objectName: string | undefined,
    now: EpochMs,
    slotNames: readonly string[],
  ): Promise<Standing> {
    const key = { statement: KEY, args: [keyId] };
    return this.#look(now, [key], (steps) => steps.standing(keyId, objectName, NO_CLOCK, slotNames));
  }

  /** What `look` reads, beside the transactions and without their lock. */
  #look<Found>(now: EpochMs, asked: readonly Ask[], look: (steps: LedgerSteps) => Found): Promise<Found> {
    const rehearsal = new Rehearsal();
    const state = { statement: this.#options.state.shown, args: [this.#options.clock(now)] };
    const steps = new LedgerSteps(
      rehearsedStatements(rehearsal, () => state),
      this.#options.chainKey,
    );
    return this.#linked((link) => rehearsal.transact(link, [state, ...asked], () => look(steps)));
  }

  #transact<Result>(
    now: EpochMs,
    step: (work: Work) => Result,
    asked: readonly Ask[] = [],
    entries: readonly LedgerEntry[] = [],
  ): Promise<Result> {
    const state = { statement: this.#options.state.locked, args: [this.#options.clock(now)] };
    const result = this.#turn.then(() => {
      this.#state = state;
      return this.#linked((link) => this.#transactOn(link, step, [state, ...asked], entries));
    });
    this.#turn = result.catch(() => {});
    return result;
  }

  async #transactOn<Result>(
    link: Link,
    step: (work: Work) => Result,
    asked: readonly Ask[],
    entries: readonly LedgerEntry[],
  ): Promise<Result> {
    const made: string[] = [];
    let work: Work | undefined;
    try {
      const result = await this.#rehearsal.transact(link, asked, () => {
        let next = 0;
        const begun = this.#steps.begin(NO_CLOCK, () => {
          made[next] ??= timeOrderedId("call", begun.state.now);
          return made[next++]!;
        });
        work = begun;
        const done = step(begun);
        this.#steps.save(begun);
        return done;
      });
      this.#now = work!.state.now;
      this.#steps.committed(work!);
      return result;
    } catch (cause) {
      this.#steps.failed(work, cause instanceof CommitInDoubt ? entries : []);
      throw cause;
    }
  }

  async #linked<Result>(work: (link: Link) => Promise<Result>): Promise<Result> {
    const { pool, connectMs, timeoutMs, elapsed } = this.#options;
    if (this.#lost && elapsed() < this.#lost.untilMs) throw new LinkLost("the database could not be reached just now");
    let link: Link | undefined;
    try {
      link = new Link(await pool.use((current) => current.reserve(), connectMs), timeoutMs);
      const result = await work(link);
      this.#lost = undefined;
      return result;
    } catch (cause) {
      if (!link || link.isLost) this.#lose();
      throw cause;
    } finally {
      await link?.release();
    }
  }

  #lose(): void {
    const failures = this.#lost?.failures ?? 0;
    const pauseMs = Math.min(PAUSE.firstMs * 2 ** failures, PAUSE.maxMs);
    this.#lost = { failures: failures + 1, untilMs: this.#options.elapsed() + pauseMs };
  }
}
