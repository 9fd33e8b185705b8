import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";

/** What is used of one budget in one window. */
export interface CounterUse {
  /** Of the budget, with its window behind it where that is a rolling one: `daily_usd_cap@rolling_24h`. */
  readonly name: string;
  /** Of a rolling one the time that `used` was counted at. */
  readonly windowStart: EpochMs;
  readonly used: bigint;
  /** Of a rolling one, where anything is used: when the first of it comes free. */
  readonly freesAt?: EpochMs;
}

/** What a key has spent, and what is used of its budgets. */
export interface KeySpend {
  /** What is used of each of the key's own budgets, window by window, oldest first. */
  readonly counters: readonly CounterUse[];
  readonly settledMicros: Micros;
  readonly heldMicros: Micros;
  readonly unresolvedMicros: Micros;
  readonly calls: number;
  /** Of the calls, those that were refused. */
  readonly refused: number;
}
