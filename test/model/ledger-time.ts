import type { EpochMs } from "../../src/core/window.ts";

/**
 * The ledger's clock as the specification has it: it never runs backwards. Whether the time of a batch that failed, or of
 * a sweep, counts is the store's own business, so the model takes whatever of these times agrees with the answers.
 */
export class LedgerTime {
  #floor: EpochMs = 0;
  readonly #maybe = new Set<EpochMs>();

  /** What the ledger's time may be when the wall clock says `wall`, earliest first. */
  candidates(wall: EpochMs): readonly EpochMs[] {
    const now = Math.max(this.#floor, wall);
    return [...new Set([now, ...[...this.#maybe].map((seen) => Math.max(now, seen))])].sort((a, b) => a - b);
  }

  /** A batch was committed at this time. */
  committed(now: EpochMs): void {
    this.#floor = now;
    for (const seen of this.#maybe) if (seen <= now) this.#maybe.delete(seen);
  }

  /** The store has seen this time, and may have forgotten it. */
  seen(wall: EpochMs): void {
    if (wall > this.#floor) this.#maybe.add(wall);
  }
}
