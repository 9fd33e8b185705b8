import type { EpochMs } from "../core/window.ts";

const FIRST_MS = 5_000;
const LONGEST_MS = 3_600_000;
/** A receiver that is away over a long weekend still gets what happened. */
export const GIVE_UP_AFTER_MS = 4 * 86_400_000;

/** How long to wait after so many tries: 5 s, doubled each time, at most an hour. */
export function backoffMs(attempts: number): number {
  return Math.min(FIRST_MS * 2 ** (attempts - 1), LONGEST_MS);
}

/** When to try again; undefined where the event has waited long enough. */
export function nextTry(attempts: number, queuedAt: EpochMs, now: EpochMs): EpochMs | undefined {
  return now - queuedAt >= GIVE_UP_AFTER_MS ? undefined : now + backoffMs(attempts);
}
