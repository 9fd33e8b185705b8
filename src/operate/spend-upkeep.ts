import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import { causeText, type Log } from "../log.ts";
import type { SpendStore } from "../store/spend.ts";
import type { SpendRequest } from "./spend-verbs.ts";

type AddingUp = Pick<SpendStore, "addUpSpend" | "spendProgress">;

/** Fewer rows than these a report reads itself. */
const LEFT_TO_REPORTS_MAX = 20_000;
/** In one transaction, for which a call may have to wait: some milliseconds. */
const ROWS_PER_SLICE = 2_000;
/** Of a server, beside its calls: a millisecond or two. */
const ROWS_PER_LOOK = 500;

/**
 * Adds up what is missing before a report, so that the next one need not. A call of any process finds the database free at
 * least half of the time.
 * @throws Problem `unavailable` where it takes longer than the request is ready to wait; what was added up stays.
 */
export async function addUpBeforeReport(
  store: AddingUp,
  clock: Pick<Clock, "elapsed">,
  { onProgress, patienceMs }: Pick<SpendRequest, "onProgress" | "patienceMs">,
): Promise<void> {
  let { left, done } = await store.spendProgress();
  if (left <= LEFT_TO_REPORTS_MAX) return;
  const [began, first] = [clock.elapsed(), done];
  while (left > 0) {
    const sliceBegan = clock.elapsed();
    ({ left, done } = await store.addUpSpend(ROWS_PER_SLICE));
    onProgress?.(done - first, done - first + left);
    if (patienceMs !== undefined && clock.elapsed() - began > patienceMs) throw notYet(done, left);
    await pause(clock.elapsed() - sliceBegan);
  }
}

function notYet(done: number, left: number): Problem {
  const percent = Math.floor((100 * done) / (done + left));
  return new Problem(
    "unavailable",
    `the calls so far are being added up for the first time: ${percent} % of ${done + left} are`,
    "ask again in a minute; calls are not held up by it",
  );
}

const LOOK_EVERY_MS = 5_000;
/** Of its time a server spends at most a tenth on this while it has much to catch up with. */
const PAUSE_FACTOR = 9;
const PAUSE_MS_MIN = 5;

export interface SpendUpkeepOptions {
  readonly store: AddingUp;
  readonly clock: Pick<Clock, "elapsed">;
  readonly log: Log;
}

/** What a server does for reports beside calls: it adds up what has become final. */
export class SpendUpkeep {
  readonly #options: SpendUpkeepOptions;
  #stopping = false;
  #running: Promise<void> | undefined;
  #failed = false;

  constructor(options: SpendUpkeepOptions) {
    this.#options = options;
  }

  /** Begins a round where none is under way; resolves when it has ended. Never throws: reports read what is missing. */
  round(): Promise<void> {
    this.#running ??= this.#catchUp().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#running;
  }

  async #catchUp(): Promise<void> {
    const { store, clock, log } = this.#options;
    try {
      for (let left = 1; left > 0 && !this.#stopping; ) {
        const began = clock.elapsed();
        ({ left } = await store.addUpSpend(ROWS_PER_LOOK));
        if (left > 0) await pause(Math.max(PAUSE_MS_MIN, PAUSE_FACTOR * (clock.elapsed() - began)));
      }
      this.#failed = false;
    } catch (cause) {
      if (!this.#failed) log.error("spend_sums_failed", { cause: causeText(cause) });
      this.#failed = true;
    }
  }
}

/** Begins with a first round; the function it gives ends it. */
export function startSpendUpkeep(options: SpendUpkeepOptions): () => Promise<void> {
  const upkeep = new SpendUpkeep(options);
  void upkeep.round();
  const timer = setInterval(() => void upkeep.round(), LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await upkeep.stop();
  };
}

function pause(durationMs: number): Promise<void> {
  return new Promise((done) => setTimeout(done, durationMs));
}
