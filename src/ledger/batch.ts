import type { Clock } from "../core/clock.ts";
import { MICROS_MAX } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { HoldDecision, HoldRequest, LedgerEntry, LedgerResult, ResolveRequest, ResolveResult } from "./entry.ts";
import { changesNothing } from "./settlement.ts";

/** The one verb of the store that the batcher uses. */
export interface LedgerStore {
  apply(entries: readonly LedgerEntry[], now: EpochMs): Promise<readonly LedgerResult[]>;
}

export interface BatcherOptions {
  /** How long a resolution waits for holds to share their commit with. A crash before it leaves the hold counted in full. */
  readonly resolveDelayMs: number;
  /**
   * The same for a resolution that changes no counter and that no repeat waits for: nobody can tell that it is late, and
   * in one transaction many of them cost little more than one.
   */
  readonly patienceMs: number;
  /** Calls in one transaction at most; it bounds how long the first waits for the last. */
  readonly entriesMax: number;
  /** Pause before resolutions that the store refused are tried again. */
  readonly retryDelayMs: number;
  /** Told of every failed commit. */
  readonly onFailure: (cause: unknown) => void;
  /** Told of every commit that has succeeded: how many entries it had, and how long it took. */
  readonly onCommit?: (entries: number, durationMs: number) => void;
}

export const BATCHER_DEFAULTS = { resolveDelayMs: 2, patienceMs: 10, entriesMax: 256, retryDelayMs: 250 } as const;

/** Patient resolutions that go with the next batch, however short they have waited. */
const PATIENT_MAX = 64;

interface Waiting<Request, Result> {
  readonly request: Request;
  readonly done: (result: Result) => void;
  readonly failed: (cause: unknown) => void;
}

type WaitingHold = Waiting<HoldRequest, HoldDecision>;
type WaitingResolution = Waiting<ResolveRequest, ResolveResult>;

/**
 * Group commit: all that arrives while a commit is under way forms the next one, so the price of an fsync is shared and
 * throughput grows with load. Holds are refused when their commit fails; resolutions are kept and tried again, because
 * what they say has already happened at the vendor.
 */
export class LedgerBatcher {
  readonly #store: LedgerStore;
  readonly #clock: Clock;
  readonly #options: BatcherOptions;
  readonly #holds: WaitingHold[] = [];
  readonly #resolutions: WaitingResolution[] = [];
  /** Resolutions that change nothing that a hold could see. */
  readonly #patient: WaitingResolution[] = [];
  /**
   * Resolutions of failed commits. They are tried again one by one and alone, so that one that can never be written
   * holds up neither the others nor any call.
   */
  readonly #suspects: WaitingResolution[] = [];
  readonly #idle: (() => void)[] = [];
  #suspectDue = false;
  #committing = false;
  #scheduled = false;
  #patienceIsOver = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #patienceTimer: ReturnType<typeof setTimeout> | undefined;
  #retryTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(store: LedgerStore, clock: Clock, options: BatcherOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
  }

  /** Durable when it resolves; rejects where it could not be made so, and then nothing may be forwarded. */
  hold(request: HoldRequest): Promise<HoldDecision> {
    const problem = holdProblem(request);
    if (problem) return Promise.reject(new RangeError(problem));
    return new Promise((done, failed) => {
      this.#holds.push({ request, done, failed });
      this.#schedule();
    });
  }

  /** Rides with the next batch of holds. */
  resolve(request: ResolveRequest): Promise<ResolveResult> {
    return new Promise((done, failed) => {
      if (changesNothing(request)) {
        this.#patient.push({ request, done, failed });
        this.#schedulePatient();
      } else {
        this.#resolutions.push({ request, done, failed });
        this.#scheduleLater();
      }
    });
  }

  /** Waits until everything handed in so far is on disk; for ever where the store never takes it. */
  async drain(): Promise<void> {
    while (this.#committing || this.#scheduled || this.queueLength > 0) {
      if (this.#holds.length + this.#resolutions.length + this.#patient.length > 0) this.#schedule();
      await this.#nextIdle();
    }
  }

  /**
   * Commits what has been handed in so far, with one try: for a read that is to see it. It waits for two commits at most,
   * or those who keep the store busy would keep it from ending.
   */
  async flush(): Promise<void> {
    if (this.#committing) await this.#nextIdle();
    if (this.#resolutions.length + this.#patient.length === 0) return;
    this.#patienceIsOver = true;
    this.#schedule();
    await this.#nextIdle();
  }

  /** The end of the commit under way or scheduled. */
  #nextIdle(): Promise<void> {
    return new Promise((wake) => this.#idle.push(wake));
  }

  /** What waits for a commit: a gauge for operators. */
  get queueLength(): number {
    return this.#holds.length + this.#resolutions.length + this.#patient.length + this.#suspects.length;
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing) return;
    this.#scheduled = true;
    // After the events at hand, so that calls which arrived together are committed together.
    setImmediate(() => this.#flush());
  }

  #scheduleLater(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#schedule();
    }, this.#options.resolveDelayMs);
  }

  #schedulePatient(): void {
    this.#patienceTimer ??= setTimeout(() => {
      this.#patienceTimer = undefined;
      this.#patienceIsOver = true;
      this.#schedule();
    }, this.#options.patienceMs);
  }

  #retryLater(): void {
    this.#retryTimer ??= setTimeout(() => {
      this.#retryTimer = undefined;
      this.#suspectDue = true;
      this.#schedule();
    }, this.#options.retryDelayMs);
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    this.#committing = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#commitWaiting();
    if (this.#suspectDue) await this.#commitSuspect();
    this.#committing = false;
    // Timers that fired during the commit have scheduled nothing.
    if (this.#holds.length > 0 || this.#suspectDue || this.#patienceIsOver) this.#schedule();
    else if (this.#resolutions.length > 0) this.#scheduleLater();
    for (const wake of this.#idle.splice(0)) wake();
  }

  async #commitWaiting(): Promise<void> {
    const { entriesMax } = this.#options;
    this.#takePatient();
    // An agent waits for each hold, and nobody for a resolution: those get at least half of a full batch.
    const room = Math.max(entriesMax - this.#holds.length, Math.ceil(entriesMax / 2));
    const resolutions = this.#resolutions.splice(0, room);
    const holds = this.#holds.splice(0, entriesMax - resolutions.length);
    if (resolutions.length + holds.length === 0) return;
    const failure = await this.#commit(resolutions, holds);
    if (!failure) return;
    for (const one of holds) one.failed(failure.cause);
    if (resolutions.length === 0) return;
    this.#suspects.push(...resolutions);
    this.#retryLater();
  }

  /** They go when they have waited enough, are many, or have the store to themselves. */
  #takePatient(): void {
    const many = this.#patient.length >= PATIENT_MAX;
    if (!this.#patienceIsOver && !many && this.#holds.length > 0) return;
    this.#patienceIsOver = false;
    clearTimeout(this.#patienceTimer);
    this.#patienceTimer = undefined;
    this.#resolutions.push(...this.#patient.splice(0));
  }

  /** One success says that the store works again, so the next one need not wait. */
  async #commitSuspect(): Promise<void> {
    const one = this.#suspects.shift();
    const failure = one && (await this.#commit([one], []));
    this.#suspectDue = !failure && this.#suspects.length > 0;
    if (!failure) return;
    this.#suspects.push(one);
    this.#retryLater();
  }

  async #commit(
    resolutions: readonly WaitingResolution[],
    holds: readonly WaitingHold[],
  ): Promise<{ readonly cause: unknown } | undefined> {
    try {
      const entries = [...resolutions.map((one) => one.request), ...holds.map((one) => one.request)];
      const startedMs = this.#clock.elapsed();
      const results = await this.#store.apply(entries, this.#clock.now());
      this.#options.onCommit?.(entries.length, this.#clock.elapsed() - startedMs);
      for (const [index, one] of resolutions.entries()) one.done(results[index] as ResolveResult);
      for (const [index, one] of holds.entries()) one.done(results[resolutions.length + index] as HoldDecision);
      return undefined;
    } catch (cause) {
      this.#options.onFailure(cause);
      return { cause };
    }
  }
}

/** Why a hold could never be written: alone it is refused, in a batch it would take the calls beside it along. */
function holdProblem({ facts, exposureMicros, sends }: HoldRequest): string | undefined {
  if (exposureMicros < 0n || exposureMicros > MICROS_MAX) {
    return `call ${facts.id} holds ${exposureMicros} micro-dollars; a hold is from 0 to ${MICROS_MAX}`;
  }
  if (!Number.isSafeInteger(sends) || sends < 0) return `call ${facts.id} holds ${sends} sends, which is no count`;
  return undefined;
}
