import { causeText } from "../log.ts";
import type { DataPlane } from "./data-plane.ts";

/** A hold's owner shows a sign of life every 5 s; three missed ones and its holds become unresolved. */
const LEASE_MS = 15_000;
const UPKEEP_EVERY_MS = 5_000;

/**
 * What a data plane does beside calls: it keeps its lease, makes the holds of dead processes unresolved, and writes down
 * how many calls had no known key. Resolves when the first round is done; the function it gives stops it.
 */
export async function startUpkeep(plane: DataPlane): Promise<() => void> {
  await round(plane);
  const timer = setInterval(() => {
    round(plane).catch((cause) => plane.log.error("upkeep_failed", { cause: causeText(cause) }));
  }, UPKEEP_EVERY_MS);
  return () => clearInterval(timer);
}

async function round(plane: DataPlane): Promise<void> {
  const now = plane.clock.now();
  await plane.store.renewLease({ owner: plane.owner, until: now + LEASE_MS });
  const abandoned = await plane.store.sweepAbandonedHolds(now);
  if (abandoned > 0) plane.log.info("holds_unresolved", { count: abandoned, cause: "their process is gone" });
  await plane.store.purgeRecordedCalls(now);
  if (plane.unknownKeyCalls === 0) return;
  const count = plane.unknownKeyCalls;
  plane.unknownKeyCalls = 0;
  await plane.store.countUnknownKey(now, count);
}

/**
 * Lets the calls at the vendors finish for at most `timeoutMs`, aborts the rest (they become unresolved), and waits until
 * everything is on disk. New calls are refused from the moment that `draining` is set.
 */
export async function drain(plane: DataPlane, timeoutMs: number): Promise<void> {
  plane.draining = true;
  const deadlineMs = plane.clock.elapsed() + timeoutMs;
  while (plane.inFlight.underWay > 0 && plane.clock.elapsed() < deadlineMs) await pause(20);
  const aborted = plane.inFlight.abort(() => true);
  if (aborted > 0) plane.log.info("calls_aborted", { count: aborted, cause: "the drain took too long" });
  while (plane.inFlight.underWay > 0 && plane.clock.elapsed() < deadlineMs + 1000) await pause(20);
  await atMost(2_000, plane.ledger.drain());
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
