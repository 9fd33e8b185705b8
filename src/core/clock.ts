import type { EpochMs } from "./window.ts";

/** The only source of time. Tests inject their own. */
export interface Clock {
  /** Wall clock. The ledger makes it monotonic in the store, across processes and restarts. */
  now(): EpochMs;
  /** Milliseconds for measuring durations, unaffected by wall-clock changes. */
  elapsed(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  elapsed: () => performance.now(),
};
