/** Durations in seconds, from a tenth of a millisecond to longer than any call may take. */
export const SECONDS_BOUNDS = [
  0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 80,
] as const;

/** Sizes of commits: `BATCHER_DEFAULTS.entriesMax` is the last. */
export const ENTRIES_BOUNDS = [1, 2, 4, 8, 16, 32, 64, 128, 256] as const;

/**
 * How often something was observed, by size. A plain array, because it is written on the path of every call:
 * docs/decisions/0025 has the figures.
 */
export class Histogram {
  /** Upper bounds, each of them inside its bucket. */
  readonly bounds: readonly number[];
  /** One for each bound, and one for what is above the last. */
  readonly counts: Float64Array;
  #sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    const { bounds } = this;
    let place = 0;
    while (place < bounds.length && value > bounds[place]!) place += 1;
    this.counts[place]! += 1;
    this.#sum += value;
  }

  /** Of all that was observed. */
  get sum(): number {
    return this.#sum;
  }
}
