import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import type { Store } from "./store.ts";

/** Anyone may ask, and every look is a write to the disk: within this time the last answer serves. */
const GOOD_FOR_MS = 1_000;
/** Who asks for readiness wants to know within seconds, also where the store is on another machine. */
const PROBE_MS_MAX = 3_000;

/**
 * Whether a write reaches the disk, found out by writing. However many ask, and whatever they ask for (readiness, metrics),
 * it is one write a second, and a store that does not answer keeps nobody waiting for long.
 */
export class StoreProbe {
  readonly #store: Pick<Store, "probeWrite">;
  readonly #clock: Clock;
  #lookedMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> = Promise.resolve();

  constructor(store: Pick<Store, "probeWrite">, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** @throws Problem `unavailable` where a write does not reach the disk, or not in time. */
  assertWritable(): Promise<void> {
    if (this.#clock.elapsed() - this.#lookedMs >= GOOD_FOR_MS) {
      this.#lookedMs = this.#clock.elapsed();
      this.#looking = inTime(this.#store.probeWrite(this.#clock.now()));
      // Whoever waits is told; a look that nobody waits for any more must not end the process.
      this.#looking.catch(() => {});
    }
    return this.#looking;
  }

  /** The same as a word: true where the store takes writes. */
  async isWritable(): Promise<boolean> {
    return this.assertWritable().then(
      () => true,
      () => false,
    );
  }
}

async function inTime(work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, failed) => {
    timer = setTimeout(() => {
      failed(new Problem("unavailable", `the store has not taken a write within ${PROBE_MS_MAX / 1000} s`));
    }, PROBE_MS_MAX);
  });
  await Promise.race([work, late]).finally(() => clearTimeout(timer));
}
