import type { EpochMs } from "../core/window.ts";

/** What is used of one counter in one window. */
export interface CounterUse {
  readonly budgetId: string;
  readonly windowStart: EpochMs;
  readonly used: bigint;
}

/** What a store tells of counters that are no key's own. */
export interface CounterReads {
  /** The counters whose id begins with `prefix`, in the windows that began at one of `starts`, by id. */
  countersUnder(prefix: string, starts: readonly EpochMs[]): Promise<readonly CounterUse[]>;
}
