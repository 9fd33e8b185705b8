import type { SQL as Pool } from "bun";
import { LinkLost } from "./link.ts";

/**
 * Connections to the database that are replaced, all at once, where none of them answers any more. After a fail-over, or
 * behind a way that swallows packets, the system would wait for their answers for a quarter of an hour.
 */
export class RenewablePool {
  readonly #open: () => Pool;
  /** Milliseconds, as `Clock.elapsed`. */
  readonly #elapsed: () => number;
  readonly #onReplaced: () => void;
  #current: Pool;
  /** When something last came from these connections. */
  #heardMs: number;

  /** @param onReplaced told each time that these connections have been replaced for their silence. */
  constructor(open: () => Pool, elapsed: () => number, onReplaced: () => void = () => {}) {
    this.#open = open;
    this.#elapsed = elapsed;
    this.#onReplaced = onReplaced;
    this.#current = open();
    this.#heardMs = elapsed();
  }

  get current(): Pool {
    return this.#current;
  }

  /** @throws LinkLost where `work` has not ended within `limitMs`; its connection, if it has one, is then not waited for. */
  async use<Result>(work: (pool: Pool) => Promise<Result>, limitMs: number): Promise<Result> {
    const pool = this.#current;
    const beganMs = this.#elapsed();
    let timer: Timer | undefined;
    const silence = new Promise<never>((_, failed) => {
      timer = setTimeout(() => {
        failed(new LinkLost("the database did not answer"));
        // Where others were answered meanwhile, it is this one's connection alone, or its turn that has not come.
        if (this.#heardMs > beganMs || pool !== this.#current) return;
        this.replace();
        this.#onReplaced();
      }, limitMs);
    });
    try {
      const result = await Promise.race([work(pool), silence]);
      if (pool === this.#current) this.#heardMs = this.#elapsed();
      return result;
    } finally {
      clearTimeout(timer);
    }
  }

  async close(seconds: number): Promise<void> {
    await this.#current.close({ timeout: seconds });
  }

  /** Whatever waits for the connections of now fails, and may be tried again on new ones. */
  replace(): void {
    const silent = this.#current;
    this.#current = this.#open();
    this.#heardMs = this.#elapsed();
    // One that cannot even be closed is nobody's any more.
    void silent.close({ timeout: 0 }).catch(() => {});
  }
}

/** The same verbs, made anew for the connections that are in use, each with a bound on how long it may take. */
export function verbsOver<Verbs extends object>(
  pool: RenewablePool,
  limitMs: number,
  make: (pool: Pool) => Verbs,
): Verbs {
  let made = { over: pool.current, verbs: make(pool.current) };
  const verbsOf = (current: Pool): Verbs => {
    if (made.over !== current) made = { over: current, verbs: make(current) };
    return made.verbs;
  };
  const names = Object.keys(made.verbs) as (keyof Verbs)[];
  const entries = names.map((name) => [
    name,
    (...args: unknown[]) =>
      pool.use((current) => {
        const verbs = verbsOf(current);
        return Reflect.apply(verbs[name] as (...given: unknown[]) => Promise<unknown>, verbs, args);
      }, limitMs),
  ]);
  return Object.fromEntries(entries) as Verbs;
}
