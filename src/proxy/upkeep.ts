import type { EpochMs } from "../core/window.ts";
import { causeText } from "../log.ts";
import { sweptCalls } from "../operate/unresolved-events.ts";
import type { DataPlane } from "./data-plane.ts";

/** A hold's owner shows a sign of life every 5 s; three missed ones and its holds become unresolved. */
const LEASE_MS = 15_000;
const UPKEEP_EVERY_MS = 5_000;

/**
 * What a data plane does beside calls: it keeps its lease, makes the holds of dead processes unresolved, and writes down
 * how many calls had no known key. Resolves when the first round is done; the function it gives ends it and gives up the
 * lease, so that a hold which could not be resolved waits for nobody.
 */
export async function startUpkeep(plane: DataPlane): Promise<() => Promise<void>> {
  const failed = (cause: unknown) => plane.log.error("upkeep_failed", { cause: causeText(cause) });
  await round(plane);
  let running: Promise<void> = Promise.resolve();
  const timer = setInterval(() => {
    running = round(plane).catch(failed);
  }, UPKEEP_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await running;
    await release(plane).catch(failed);
  };
}

async function round(plane: DataPlane): Promise<void> {
  const now = plane.clock.now();
  await plane.store.renewLease({ owner: plane.owner, until: now + LEASE_MS });
  const abandoned = await plane.store.sweepAbandonedHolds(now);
  if (abandoned > 0) plane.log.info("holds_unresolved", { count: abandoned, cause: "their process is gone" });
  if (abandoned > 0) for (const event of await sweptCalls(plane.store, now, abandoned)) plane.alerts.raise(event);
  // In slices, so that no call waits long for the lock; all of them, so that they do not pile up.
  while ((await plane.store.purgeRecordedCalls(now)) > 0);
  await countUnknownKeys(plane, now);
}

async function release(plane: DataPlane): Promise<void> {
  const now = plane.clock.now();
  await plane.store.renewLease({ owner: plane.owner, until: now });
  await countUnknownKeys(plane, now);
}

async function countUnknownKeys(plane: DataPlane, now: EpochMs): Promise<void> {
  if (plane.unknownKeyCalls === 0) return;
  const count = plane.unknownKeyCalls;
  plane.unknownKeyCalls = 0;
  await plane.store.countUnknownKey(now, count);
}

const LOOK_EVERY_MS = 20;
/** For a call that was aborted to come to its end, and for the disk to take what is left. */
const ABORT_MS = 1_000;
const WRITE_MS = 2_000;

/**
 * Lets the calls at the vendors finish for at most `timeoutMs`, or until `hurry`, aborts the rest (they become unresolved),
 * and waits until everything is on disk. New calls are refused from the moment that `draining` is set. It ends in bounded
 * time whatever vendors, clients and the disk do.
 */
export async function drain(plane: DataPlane, timeoutMs: number, hurry: AbortSignal): Promise<void> {
  plane.draining = true;
  await untilIdle(plane, timeoutMs, () => hurry.aborted);
  const aborted = new Set<string>();
  // Calls that were let in before and are still on their way to the vendor are aborted when they get there.
  const abortAll = () => {
    plane.inFlight.abort(({ callId }) => {
      aborted.add(callId);
      return true;
    });
    return false;
  };
  await untilIdle(plane, ABORT_MS, abortAll);
  const cause = hurry.aborted ? "a second signal" : "the drain took too long";
  if (aborted.size > 0) plane.log.info("calls_aborted", { count: aborted.size, cause });
  await atMost(WRITE_MS, plane.ledger.drain());
  const { queueLength } = plane.ledger;
  if (queueLength > 0)
    plane.log.error("drain_incomplete", { count: queueLength, cause: "the store did not take them" });
}

/** Looks until no call is under way, `durationMs` have passed, or `enough` says so. */
async function untilIdle({ inFlight, clock }: DataPlane, durationMs: number, enough: () => boolean): Promise<void> {
  const deadlineMs = clock.elapsed() + durationMs;
  while (inFlight.underWay > 0 && clock.elapsed() < deadlineMs && !enough()) await pause(LOOK_EVERY_MS);
}

/** Waits for `work`, but not longer; the timer does not outlive it, or the process would. */
async function atMost(durationMs: number, work: Promise<void>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  await Promise.race([work, new Promise((done) => (timer = setTimeout(done, durationMs)))]);
  clearTimeout(timer);
}

function pause(durationMs: number): Promise<void> {
  return new Promise((done) => setTimeout(done, durationMs));
}
