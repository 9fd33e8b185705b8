import type { AlertNews } from "../core/alert-event.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import type { Clock } from "../core/clock.ts";
import { backoffMs } from "./backoff.ts";
import { storeDegraded } from "./news.ts";
import type { PostResult } from "./post.ts";

export interface DegradedOptions {
  readonly clock: Pick<Clock, "now">;
  readonly targets: readonly AlertTarget[];
  readonly post: (target: AlertTarget, news: AlertNews) => Promise<PostResult>;
  /** Tells this server from others. */
  readonly server: string;
}

interface Waiting {
  readonly target: AlertTarget;
  readonly news: AlertNews;
  attempts: number;
  dueAt: number;
}

/** The same trouble for so long is one event. */
const SAME_TROUBLE_MS = 600_000;
const WAITING_MAX = 100;

/**
 * `store.degraded`: the one event that cannot be queued in the store, because it is the store that fails. It waits in this
 * process's memory instead and is tried until it arrives or the process ends.
 */
export class DegradedStore {
  readonly #options: DegradedOptions;
  #waiting: Waiting[] = [];
  #toldAt: number | undefined;

  constructor(options: DegradedOptions) {
    this.#options = options;
  }

  /** Never throws and never waits: it stands in the path of calls. */
  tell(cause: string): void {
    const { clock, targets, server } = this.#options;
    const now = clock.now();
    if (this.#toldAt !== undefined && now - this.#toldAt < SAME_TROUBLE_MS) return;
    this.#toldAt = now;
    const news = storeDegraded(server, now, cause);
    this.#waiting.push(...targets.map((target) => ({ target, news, attempts: 0, dueAt: now })));
    this.#waiting = this.#waiting.slice(-WAITING_MAX);
  }

  /** Tries what is due. */
  async send(): Promise<void> {
    const { clock, post } = this.#options;
    const due = this.#waiting.filter(({ dueAt }) => dueAt <= clock.now());
    await Promise.all(
      due.map(async (one) => {
        one.attempts += 1;
        const { problem } = await post(one.target, one.news);
        if (problem === null) this.#waiting = this.#waiting.filter((other) => other !== one);
        else one.dueAt = clock.now() + backoffMs(one.attempts);
      }),
    );
  }
}
