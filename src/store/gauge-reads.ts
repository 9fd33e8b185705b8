import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import type { CounterUse } from "./counter-reads.ts";

/** What waits in a store, and what is in force. */
export interface StoreGauges {
  /** Calls whose outcome nobody has found out, and what they may have cost: of the newest 10,000 that ever were. */
  readonly unresolvedCalls: number;
  readonly unresolvedMicros: Micros;
  /** Alerts that have not reached their target, counted up to 10,000. */
  readonly alertsWaiting: number;
  /** Settled calls whose price is still to be asked for, counted up to 10,000. */
  readonly pricesWaiting: number;
  /** Keys that are neither revoked nor expired, counted up to 100,000. */
  readonly activeKeys: number;
}

/** A key as far as its caps go. */
export interface KeyPolicy {
  readonly id: string;
  readonly policy: PolicyDocument;
}

/** A counter in one window. */
export type CounterPlace = Omit<CounterUse, "used">;

/** The counters of some ids that follow one another; `next` is where the next page begins, undefined behind the last. */
export interface CounterPage {
  readonly uses: readonly CounterUse[];
  readonly next: string | undefined;
}

/** What a store tells for metrics, in bounded reads: none of them grows with the number of rows. */
export interface GaugeReads {
  gauges(now: EpochMs): Promise<StoreGauges>;
  /** Keys that are in force, the newest first, older than `before`. */
  activePolicies(before: string | undefined, limit: number, now: EpochMs): Promise<readonly KeyPolicy[]>;
  /** What is used of each of these, in their order; of a rolling one, at `now`. */
  counterUses(places: readonly CounterPlace[], now: EpochMs): Promise<readonly bigint[]>;
  /** `limit` counters whose id begins with `prefix`, from `after` on, in the windows that began at one of `starts`. */
  counterPage(prefix: string, starts: readonly EpochMs[], after: string, limit: number): Promise<CounterPage>;
}
