import type { Clock } from "../core/clock.ts";
import type { CurrencyRates } from "../core/currency.ts";
import type { Brake } from "../ledger/entry.ts";
import { causeText, type Log } from "../log.ts";
import type { BudgetSet } from "../policy/budget-set.ts";
import type { Store } from "../store/store.ts";
import type { StoreProbe } from "../store/store-probe.ts";
import { readCapUse } from "./cap-use.ts";
import { SharedReading } from "./reading.ts";
import { BRAKE_SCOPES, type BrakeScope, type ProcessReading, type StoreReading } from "./snapshot.ts";
import type { Tallies } from "./tallies.ts";

export interface MetricsOptions {
  readonly store: Store;
  readonly probe: StoreProbe;
  readonly clock: Clock;
  readonly log: Log;
  readonly budgets: BudgetSet;
  /** By which caps in other currencies are counted in dollars. */
  readonly rates: CurrencyRates;
  readonly tallies: Tallies;
  readonly process: () => ProcessReading;
}

/** A page serves everybody who asks within this time: anyone may ask, and it costs a millisecond or two to make. */
const PAGE = { freshMs: 1_000, usableMs: 1_000, waitMs: 5_000 };
/** What the store counts for it. */
const GAUGES = { freshMs: 5_000, usableMs: 10_000, waitMs: 1_000 };
/** How close keys and budgets are to their caps: the dearest of it, found out slice by slice between calls. */
const CAP_USE = { freshMs: 60_000, usableMs: 300_000, waitMs: 1_000 };

/** What `GET /metrics` shows: this process's own counts, and what the store holds for every process on it. */
export class Metrics {
  readonly #options: MetricsOptions;
  readonly #page: SharedReading<string>;
  readonly #gauges: SharedReading<StoreReading>;
  readonly #capUse: SharedReading<Awaited<ReturnType<typeof readCapUse>>>;

  constructor(options: MetricsOptions) {
    const { clock, log, store, budgets, rates } = options;
    const onFailure = (cause: unknown) => log.error("metrics_failed", { cause: causeText(cause) });
    const pause = () => new Promise<void>((done) => setTimeout(done, 1));
    this.#options = options;
    this.#page = new SharedReading(clock, { ...PAGE, onFailure }, () => this.#write());
    this.#gauges = new SharedReading(clock, { ...GAUGES, onFailure }, () => readStore(options));
    this.#capUse = new SharedReading(clock, { ...CAP_USE, onFailure }, () =>
      readCapUse({ store, budgets, rates, pause }, clock.now()),
    );
  }

  /** In Prometheus's text format; undefined where it could not be made in time. */
  text(): Promise<string | undefined> {
    return this.#page.get();
  }

  async #write(): Promise<string> {
    const { tallies, probe, process } = this.#options;
    const isStoreUp = await probe.isWritable();
    // Of a store that does no work nothing is shown, rather than what was true some time ago.
    const [store, capUse] = isStoreUp
      ? await Promise.all([this.#gauges.get(), this.#capUse.get()])
      : [undefined, undefined];
    // The library takes longer to load than a server to start, and most servers are started without being scraped at once.
    const { prometheusText } = await import("./prometheus.ts");
    return prometheusText({ tallies, process: process(), isStoreUp, store, capUse });
  }
}

async function readStore({ store, clock }: MetricsOptions): Promise<StoreReading> {
  const [gauges, brakes, frozen] = await Promise.all([
    store.gauges(clock.now()),
    store.listBrakes(),
    store.frozenSince(),
  ]);
  return { ...gauges, brakes: brakesByScope(brakes), frozen };
}

function brakesByScope(brakes: readonly Brake[]): StoreReading["brakes"] {
  const counts = Object.fromEntries(BRAKE_SCOPES.map((scope) => [scope, 0])) as Record<BrakeScope, number>;
  for (const brake of brakes) counts[scopeOf(brake)] += 1;
  return counts;
}

function scopeOf({ vendor, labelPrefix }: Brake): BrakeScope {
  if (vendor === null) return labelPrefix === null ? "everything" : "label_prefix";
  return labelPrefix === null ? "vendor" : "vendor_and_label_prefix";
}
