import type { Config, Environment } from "../config.ts";
import type { AlertNews } from "../core/alert-event.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import type { Clock } from "../core/clock.ts";
import { Problem } from "../core/problem.ts";
import { causeText, type Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { SharedCaps } from "./caps-of-calls.ts";
import { DegradedStore } from "./degraded.ts";
import { type DispatcherOptions, dispatchDue } from "./dispatcher.ts";
import { postAlert } from "./post.ts";
import { lookOnce, purge, type WatchOptions } from "./watch.ts";

const LOOK_EVERY_MS = 1_000;
const PAUSE_MS = 5;
/** Another process may have the store for a moment; a call that is refused for it tells at once. */
const FAILURES_MAX = 3;
const PURGE_EVERY_MS = 3_600_000;

export interface AlertUpkeepOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly config: Pick<Config, "alerts" | "currencyRates">;
  readonly sharedCaps: SharedCaps;
  readonly environment: Environment;
  readonly isPublic: (url: string) => Promise<boolean>;
  /** Tells this server from others. */
  readonly server: string;
}

/** What a server does for alerts beside calls. Looking and sending do not wait for each other, nor does any call for them. */
export class AlertUpkeep {
  readonly #options: AlertUpkeepOptions;
  readonly #watch: WatchOptions;
  readonly #dispatcher: DispatcherOptions;
  readonly #degraded: DegradedStore;
  readonly #stopping = new AbortController();
  #looking: Promise<void> | undefined;
  #sending: Promise<void> | undefined;
  #purgedAtMs: number | undefined;
  #failures = 0;

  constructor(options: AlertUpkeepOptions) {
    const { store, clock, log, config, server } = options;
    const { targets, runCostMicros } = config.alerts;
    const stopping = this.#stopping.signal;
    const post = (target: AlertTarget, news: AlertNews) => postAlert({ ...options, stopping }, target, news);
    this.#options = options;
    this.#watch = {
      store,
      clock,
      targets: targets.map(({ name }) => name),
      currencyRates: config.currencyRates,
      sharedCaps: options.sharedCaps,
      runCostMicros,
      pause: () => new Promise((done) => setTimeout(done, PAUSE_MS)),
    };
    this.#dispatcher = { store, clock, log, targets, post };
    this.#degraded = new DegradedStore({ clock, targets, post, server });
  }

  /** Says that the store does not do its work. Never throws and never waits. */
  degraded(cause: string): void {
    this.#degraded.tell(cause);
  }

  /** Begins what is not under way; resolves when it has ended. Never throws. */
  async round(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    this.#sending ??= this.#send().finally(() => {
      this.#sending = undefined;
    });
    await Promise.all([this.#looking, this.#sending]);
  }

  /** Ends the tries that are under way: who takes them up again tells of the same event once more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#looking, this.#sending]);
  }

  async #look(): Promise<void> {
    try {
      await lookOnce(this.#watch, this.#stopping.signal);
      this.#failures = 0;
      const now = this.#options.clock.elapsed();
      if (this.#purgedAtMs !== undefined && now - this.#purgedAtMs < PURGE_EVERY_MS) return;
      await purge(this.#watch);
      this.#purgedAtMs = now;
    } catch (cause) {
      this.#failed(cause);
    }
  }

  async #send(): Promise<void> {
    try {
      await this.#degraded.send();
      await dispatchDue(this.#dispatcher, this.#stopping.signal);
    } catch (cause) {
      this.#failed(cause);
    }
  }

  #failed(cause: unknown): void {
    this.#options.log.error("alerts_failed", { cause: causeText(cause) });
    if (!(cause instanceof Problem) || cause.code !== "unavailable") return;
    this.#failures += 1;
    if (this.#failures >= FAILURES_MAX) this.degraded(causeText(cause));
  }
}

/** Begins with a first round; the function it gives ends it. Without a target nothing is done at all. */
export function startAlertUpkeep(upkeep: AlertUpkeep, targets: readonly AlertTarget[]): () => Promise<void> {
  if (targets.length === 0) return async () => {};
  void upkeep.round();
  const timer = setInterval(() => void upkeep.round(), LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await upkeep.stop();
  };
}
