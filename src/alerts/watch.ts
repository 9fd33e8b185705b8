import type { Clock } from "../core/clock.ts";
import type { Store } from "../store/store.ts";
import { actNews } from "./news.ts";
import { judgeRows, type RuleOptions } from "./rules.ts";

const ROWS_PER_SLICE = 500;
const ACTS_MAX = 200;
const DAY_MS = 86_400_000;
/** Where alerts were off for long, what happened meanwhile is added up and not told of: it is in the audit. */
const NEWS_AGE_MAX_MS = 3 * DAY_MS;

export interface WatchOptions extends RuleOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  /** The names of the targets that every event goes to. */
  readonly targets: readonly string[];
  /** How many rows are looked at in one go; for tests, 500. */
  readonly rowsPerSlice?: number;
  /** Between two slices: calls have the store and the thread to themselves. */
  readonly pause: () => Promise<void>;
}

/** Queues the events of everything that happened since anybody looked. Asks the store in slices, and ends soon when told to. */
export async function lookOnce(options: WatchOptions, stopping: AbortSignal): Promise<void> {
  await tellOfActs(options);
  while (!stopping.aborted && (await judgeSlice(options))) await options.pause();
}

/** Nothing is changed where another server has looked at the same rows; the next look goes on from there. */
async function judgeSlice(options: WatchOptions): Promise<boolean> {
  const { store, clock, targets } = options;
  const slice = await store.readAlertSlice(options.rowsPerSlice ?? ROWS_PER_SLICE);
  if (slice.next === slice.from) return false;
  const { news, tallies } = await judgeRows(options, slice.rows);
  const at = clock.now();
  const fresh = news.filter((one) => at - one.at < NEWS_AGE_MAX_MS);
  await store.finishAlertSlice(slice, { news: fresh, tallies, targets, at });
  return slice.more;
}

async function tellOfActs({ store, clock, targets }: WatchOptions): Promise<void> {
  const acts = await store.untoldActs(ACTS_MAX);
  if (acts.length === 0) return;
  const at = clock.now();
  await store.tellActs(acts, {
    news: acts.map(actNews).filter((one) => at - one.at < NEWS_AGE_MAX_MS),
    targets,
    at,
  });
}

/** Longer than any window but a lifetime, and than the longest life of a key by default. */
const EVENTS_KEPT_MS = 400 * DAY_MS;
/** What the mean of 30 days needs; what a run has cost is known for as long after its last call. */
const TALLIES_KEPT_MS = 32 * DAY_MS;

/** Forgets what no rule and nobody asks for any more. */
export async function purge({ store, clock }: Pick<WatchOptions, "store" | "clock">): Promise<void> {
  const now = clock.now();
  await store.purgeAlerts({ tallies: now - TALLIES_KEPT_MS, events: now - EVENTS_KEPT_MS });
}
