import type { Clock } from "../core/clock.ts";
import type { EpochMs } from "../core/window.ts";
import type { HoldDecision, HoldRequest, LedgerEntry, LedgerResult, ResolveRequest, ResolveResult } from "./entry.ts";

/** The one verb of the store that the batcher uses. */
export interface LedgerStore {
  apply(entries: readonly LedgerEntry[], now: EpochMs): Promise<readonly LedgerResult[]>;
}

export interface BatcherOptions {
  /** How long a resolution waits for holds to share their commit with. A crash before it leaves the hold counted in full. */
  readonly resolveDelayMs: number;
  /** Calls in one transaction at most; it bounds how long the first waits for the last. */
  readonly entriesMax: number;
  /** Pause before resolutions that the store refused are tried again. */
  readonly retryDelayMs: number;
  /** Told of every failed commit. */
  readonly onFailure: (cause: unknown) => void;
}

export const BATCHER_DEFAULTS = { resolveDelayMs: 2, entriesMax: 256, retryDelayMs: 250 } as const;

interface Waiting<Request, Result> {
  readonly request: Request;
  readonly done: (result: Result) => void;
  readonly failed: (cause: unknown) => void;
}

/**
 * Group commit: all that arrives while a commit is under way forms the next one, so the price of an fsync is shared and
 * throughput grows with load. Holds are refused when their commit fails; resolutions are kept and tried again, because
 * what they say has already happened at the vendor.
 */
export class LedgerBatcher {
  readonly #store: LedgerStore;
  readonly #clock: Clock;
  readonly #options: BatcherOptions;
  #holds: Waiting<HoldRequest, HoldDecision>[] = [];
  #resolutions: Waiting<ResolveRequest, ResolveResult>[] = [];
  #committing = false;
  #scheduled = false;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** After a failed commit resolutions go one by one, so that one that cannot be written does not hold up the others. */
  #isolate = false;
  #idle: (() => void)[] = [];

  constructor(store: LedgerStore, clock: Clock, options: BatcherOptions) {
    this.#store = store;
    this.#clock = clock;
    this.#options = options;
  }

  /** Durable when it resolves; rejects where it could not be made so, and then nothing may be forwarded. */
  hold(request: HoldRequest): Promise<HoldDecision> {
    return new Promise((done, failed) => {
      this.#holds.push({ request, done, failed });
      this.#schedule();
    });
  }

  /** Rides with the next batch of holds. */
  resolve(request: ResolveRequest): Promise<ResolveResult> {
    return new Promise((done, failed) => {
      this.#resolutions.push({ request, done, failed });
      this.#timer ??= setTimeout(() => this.#schedule(), this.#options.resolveDelayMs);
    });
  }

  /** Waits until everything handed in so far is on disk. */
  async drain(): Promise<void> {
    while (this.#committing || this.#scheduled || this.#holds.length > 0 || this.#resolutions.length > 0) {
      this.#schedule();
      await new Promise<void>((wake) => this.#idle.push(wake));
    }
  }

  /** What waits for a commit: a gauge for operators. */
  get queueLength(): number {
    return this.#holds.length + this.#resolutions.length;
  }

  #schedule(): void {
    if (this.#scheduled || this.#committing) return;
    this.#scheduled = true;
    // After the events at hand, so that calls which arrived together are committed together.
    setImmediate(() => this.#flush());
  }

  async #flush(): Promise<void> {
    this.#scheduled = false;
    this.#committing = true;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const resolutions = this.#resolutions.splice(0, this.#isolate ? 1 : this.#options.entriesMax);
    const holds = this.#holds.splice(0, this.#options.entriesMax - Math.min(resolutions.length, 128));
    try {
      const entries = [...resolutions.map((one) => one.request), ...holds.map((one) => one.request)];
      const results = await this.#store.apply(entries, this.#clock.now());
      for (const [index, one] of resolutions.entries()) one.done(results[index] as ResolveResult);
      for (const [index, one] of holds.entries()) one.done(results[resolutions.length + index] as HoldDecision);
      this.#isolate = this.#isolate && this.#resolutions.length > 0;
      this.#committing = false;
      if (this.#holds.length > 0 || this.#isolate) this.#schedule();
      else if (this.#resolutions.length > 0) this.#later(this.#options.resolveDelayMs);
    } catch (cause) {
      this.#options.onFailure(cause);
      for (const one of holds) one.failed(cause);
      // To the back of the queue: one that can never be written must not keep the others from being.
      this.#resolutions.push(...resolutions);
      this.#isolate = this.#resolutions.length > 0;
      this.#committing = false;
      if (this.#holds.length > 0) this.#schedule();
      else if (this.#resolutions.length > 0) this.#later(this.#options.retryDelayMs);
    } finally {
      for (const wake of this.#idle.splice(0)) wake();
    }
  }

  #later(delayMs: number): void {
    this.#timer ??= setTimeout(() => this.#schedule(), delayMs);
  }
}
