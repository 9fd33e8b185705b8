import { networkOf } from "../core/address.ts";
import type { Clock } from "../core/clock.ts";

/** Typing errors, and a program that still has yesterday's token. */
const FREE_TRIES = 5;
const FIRST_WAIT_MS = 250;
const WAIT_MS_MAX = 4_000;
/** After so much time without one an address begins anew. */
const QUIET_MS = 60_000;
const ADDRESSES_MAX = 4_096;
/** Answers that wait are connections that are held: fewer than an operators' address takes (src/listen.ts). */
const WAITING_MAX = 16;
const WAITING_PER_ADDRESS_MAX = 2;

export type Pause = (durationMs: number) => Promise<void>;

interface Tries {
  count: number;
  lastMs: number;
  waiting: number;
}

/**
 * Slows failed authentication down, per address (for IPv6 per network of 64 bits, which is what one customer gets). It is
 * asked only after a try has failed: who bears a good token is never kept waiting, whoever else is at the same address.
 * Both the addresses that are remembered and the answers that wait are bounded; what is beyond is told to come later.
 */
export class FailedTries {
  readonly #clock: Pick<Clock, "elapsed">;
  readonly #pause: Pause;
  /** In the order of their last failure. */
  readonly #tries = new Map<string, Tries>();
  #waiting = 0;

  constructor(clock: Pick<Clock, "elapsed">, pause: Pause = pauseFor) {
    this.#clock = clock;
    this.#pause = pause;
  }

  /** Notes a failure, and resolves when it may be answered; with a time in milliseconds where too many wait already. */
  async failed(address: string | undefined): Promise<{ readonly retryAfterMs: number } | undefined> {
    const tries = this.#note(address === undefined ? "" : networkOf(address));
    const waitMs = waitOf(tries.count);
    if (waitMs === 0) return undefined;
    if (this.#waiting >= WAITING_MAX || tries.waiting >= WAITING_PER_ADDRESS_MAX) return { retryAfterMs: waitMs };
    this.#waiting += 1;
    tries.waiting += 1;
    try {
      await this.#pause(waitMs);
    } finally {
      this.#waiting -= 1;
      tries.waiting -= 1;
    }
    return undefined;
  }

  /** How many addresses are remembered. */
  get size(): number {
    return this.#tries.size;
  }

  #note(network: string): Tries {
    const nowMs = this.#clock.elapsed();
    const known = this.#tries.get(network);
    const tries = known && nowMs - known.lastMs < QUIET_MS ? known : { count: 0, lastMs: nowMs, waiting: 0 };
    tries.count += 1;
    tries.lastMs = nowMs;
    this.#tries.delete(network);
    this.#tries.set(network, tries);
    for (const [oldest, { lastMs }] of this.#tries) {
      if (this.#tries.size <= ADDRESSES_MAX && nowMs - lastMs < QUIET_MS) break;
      this.#tries.delete(oldest);
    }
    return tries;
  }
}

function waitOf(count: number): number {
  const slowed = count - FREE_TRIES;
  return slowed <= 0 ? 0 : Math.min(FIRST_WAIT_MS * 2 ** (slowed - 1), WAIT_MS_MAX);
}

function pauseFor(durationMs: number): Promise<void> {
  return new Promise((done) => setTimeout(done, durationMs).unref());
}
