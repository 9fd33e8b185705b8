import type { EpochMs } from "../../core/window.ts";

/** What was taken at one moment; `at` is never before that of an entry that was taken earlier. */
interface Entry {
  readonly at: EpochMs;
  readonly amount: bigint;
}

/**
 * What counts on one rolling budget: a running sum, and the entries that make it up, so that no call adds up a day. What was
 * taken at `t` counts until just before `t` + the window, as in the ledger.
 */
export class RollingUse {
  readonly #windowMs: number;
  /** By the time that the call's charge remembers, the oldest first. */
  readonly #entries = new Map<EpochMs, Entry>();
  #sum = 0n;
  #now = 0;

  /** @param windowMs how long the window is, in milliseconds. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  get isEmpty(): boolean {
    return this.#entries.size === 0;
  }

  /** What counts at `now`, or at the latest time that has been asked for: calls are recorded as they were decided, not as they came in. */
  at(now: EpochMs): bigint {
    this.#now = Math.max(this.#now, now);
    for (const [time, { at, amount }] of this.#entries) {
      if (at + this.#windowMs > this.#now) break;
      this.#entries.delete(time);
      this.#sum -= amount;
    }
    return this.#sum;
  }

  add(time: EpochMs, amount: bigint): void {
    const counted = this.at(time);
    const known = this.#entries.get(time)?.amount ?? 0n;
    // Put back last: of two calls that came in at the same time one may have been decided later.
    this.#entries.delete(time);
    this.#entries.set(time, { at: this.#now, amount: known + amount });
    this.#sum = counted + amount;
  }

  /** Corrects what was taken at `time`; what has aged is not there any more. */
  correct(time: EpochMs, delta: bigint): void {
    const entry = this.#entries.get(time);
    if (!entry) return;
    this.#entries.set(time, { ...entry, amount: entry.amount + delta });
    this.#sum += delta;
  }
}
