import type { Clock } from "../core/clock.ts";

export interface SharedReadingOptions {
  /** Within this time a reading serves as it is. */
  readonly freshMs: number;
  /** For so long it serves while a newer one is under way. */
  readonly usableMs: number;
  /** Who asks waits for a newer one no longer than that. */
  readonly waitMs: number;
  /** Told why a reading did not succeed. */
  readonly onFailure: (cause: unknown) => void;
}

/**
 * What is read for scrapes now and then: many who ask share one reading, and nobody waits for it for long. What is not there
 * in time, or could not be read, is undefined: a gap in a chart is honest.
 */
export class SharedReading<T> {
  readonly #read: () => Promise<T>;
  readonly #clock: Clock;
  readonly #options: SharedReadingOptions;
  #last: { readonly atMs: number; readonly value: T | undefined } | undefined;
  #reading: Promise<void> | undefined;

  constructor(clock: Clock, options: SharedReadingOptions, read: () => Promise<T>) {
    this.#read = read;
    this.#clock = clock;
    this.#options = options;
  }

  async get(): Promise<T | undefined> {
    const { freshMs, usableMs, waitMs } = this.#options;
    if (this.#ageMs() < freshMs) return this.#last!.value;
    this.#reading ??= this.#readOnce().finally(() => {
      this.#reading = undefined;
    });
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, waitMs);
    });
    await Promise.race([this.#reading, late]);
    clearTimeout(timer);
    return this.#ageMs() < usableMs ? this.#last!.value : undefined;
  }

  #ageMs(): number {
    return this.#last === undefined ? Number.POSITIVE_INFINITY : this.#clock.elapsed() - this.#last.atMs;
  }

  async #readOnce(): Promise<void> {
    const value = await this.#read().catch((cause: unknown) => {
      this.#options.onFailure(cause);
      return undefined;
    });
    this.#last = { atMs: this.#clock.elapsed(), value };
  }
}
