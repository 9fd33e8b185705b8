import type { Clock } from "../../core/clock.ts";
import type { EpochMs } from "../../core/window.ts";
import { DATABASE_NOW } from "./ledger-statements.ts";
import type { RenewablePool } from "./renewable-pool.ts";

/** How often the difference is measured anew: machines' clocks drift by less than a millisecond in that time. */
const MEASURED_EVERY_MS = 30_000;
const MEASURE_MS_MAX = 3_000;

/**
 * The time of the database's server, as near as a question and its answer tell it. Replicas whose own clocks differ agree
 * by it on when keys expire, leases end and calls were made; what the ledger itself decides it reads there in each
 * transaction.
 */
export class DatabaseClock implements Clock {
  readonly #pool: RenewablePool;
  readonly #own: Clock;
  #aheadMs = 0;
  readonly #timer: Timer;

  private constructor(pool: RenewablePool, own: Clock) {
    this.#pool = pool;
    this.#own = own;
    // A measure that fails leaves the one before.
    this.#timer = setInterval(() => void this.#measure().catch(() => {}), MEASURED_EVERY_MS);
    this.#timer.unref();
  }

  static async open(pool: RenewablePool, own: Clock): Promise<DatabaseClock> {
    const clock = new DatabaseClock(pool, own);
    await clock.#measure();
    return clock;
  }

  now(): EpochMs {
    return Math.round(this.#own.now() + this.#aheadMs);
  }

  elapsed(): number {
    return this.#own.elapsed();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** The answer was given somewhere between the two looks at the own clock. */
  async #measure(): Promise<void> {
    const asked = this.#own.now();
    const measured = this.#pool.use((pool) => pool.unsafe(`SELECT ${DATABASE_NOW} AS now`), MEASURE_MS_MAX);
    const [row] = (await measured) as [{ now: bigint }];
    this.#aheadMs = Number(row.now) - (asked + this.#own.now()) / 2;
  }
}
