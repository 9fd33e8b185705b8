import type { Clock } from "../core/clock.ts";
import { causeText, type Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import { judgeRevocations } from "./auto-revoke.ts";

const ROWS_PER_SLICE = 500;
const LOOK_EVERY_MS = 1_000;
const PAUSE_MS = 5;
const PURGE_EVERY_MS = 3_600_000;
/** Longer than what any rule looks back to. */
const TALLIES_KEPT_MS = 8 * 86_400_000;

export interface AutoRevokeOptions {
  readonly store: Store;
  readonly clock: Pick<Clock, "now">;
  readonly log: Pick<Log, "info" | "error">;
  /** How many rows are looked at in one go; for tests, 500. */
  readonly rowsPerSlice?: number;
  /** Between two slices: calls have the store and the thread to themselves. */
  readonly pause: () => Promise<void>;
}

/** Revokes what the rows that nobody has looked at give reason to. Of two servers with the same rows one does it. */
export async function autoRevokeOnce(options: AutoRevokeOptions, stopping: AbortSignal): Promise<void> {
  while (!stopping.aborted && (await judgeSlice(options))) await options.pause();
}

/** True where there may be more. */
async function judgeSlice({ store, clock, log, rowsPerSlice = ROWS_PER_SLICE }: AutoRevokeOptions): Promise<boolean> {
  const slice = await store.readRevokeSlice(rowsPerSlice, clock.now());
  if (slice.next === slice.from) return false;
  const found = await judgeRevocations(store, slice.rows);
  const revoked = await store.finishRevokeSlice(slice, { ...found, at: clock.now() });
  for (const { keyId, reason } of found.revocations) {
    if (revoked?.includes(keyId)) log.info("key_auto_revoked", { key: keyId, reason });
  }
  return slice.more;
}

/** Looks from now on, beside the calls; the function it gives ends that. A look that fails is repeated by the next one. */
export function startAutoRevoke(options: Omit<AutoRevokeOptions, "pause">): () => Promise<void> {
  const stopping = new AbortController();
  const pause = () => new Promise<void>((done) => setTimeout(done, PAUSE_MS));
  let looking: Promise<void> | undefined;
  let purgedAtMs = Number.NEGATIVE_INFINITY;
  const look = async () => {
    try {
      await autoRevokeOnce({ ...options, pause }, stopping.signal);
      const now = options.clock.now();
      if (now - purgedAtMs < PURGE_EVERY_MS) return;
      await options.store.purgeRevokeTallies(now - TALLIES_KEPT_MS);
      purgedAtMs = now;
    } catch (cause) {
      options.log.error("auto_revoke_failed", { cause: causeText(cause) });
    }
  };
  const begin = () => {
    looking ??= look().finally(() => {
      looking = undefined;
    });
  };
  begin();
  const timer = setInterval(begin, LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    stopping.abort();
    await looking;
  };
}
