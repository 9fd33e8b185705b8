import { sameBytes } from "../audit/chained-row.ts";
import type { Checkpoint } from "../audit/checkpoint.ts";
import { checkpointName, counted } from "../audit/finding.ts";
import type { Store } from "../store/store.ts";

/** How far back a position is looked for: more calls than an installation answers within some minutes. */
const ROWS_BACK_MAX = 1_000_000;

/**
 * Whether the database is older than its newest checkpoint: what was spent since is not in it. That is so behind a
 * restored copy, a rolled back snapshot, a tail that was cut off.
 * @returns a clause that says so, such as `put back to an older state: …`; undefined where nothing speaks for it.
 */
export async function rollbackFound(
  store: Pick<Store, "chainState" | "recentChainHash">,
  newest: Checkpoint | undefined,
): Promise<string | undefined> {
  if (!newest || newest.count === 0) return undefined;
  const { count, hash } = await store.chainState();
  if (newest.count > count) {
    return `put back to an older state: its audit chain has ${counted(count)}, and there is ${checkpointName(newest)}`;
  }
  const then = newest.count === count ? hash : await store.recentChainHash(newest.count, ROWS_BACK_MAX);
  if (!then || sameBytes(then, newest.hash)) return undefined;
  return `put back to an older state that has gone on: its audit chain is another one than in ${checkpointName(newest)}`;
}
