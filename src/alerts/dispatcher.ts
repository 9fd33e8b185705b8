import type { AlertNews } from "../core/alert-event.ts";
import type { AlertTarget } from "../core/alert-target.ts";
import type { Clock } from "../core/clock.ts";
import type { Log } from "../log.ts";
import type { AlertQueue, Delivery } from "../store/alert-queue.ts";
import { nextTry } from "./backoff.ts";
import type { PostResult } from "./post.ts";

/** Longer than a try can take: a process that dies with an event in its hands leaves it to the others after that. */
export const TAKEN_MS = 15_000;
/** Of one target in one round, so that a round ends. */
const ROUND_MAX = 100;

export interface DispatcherOptions {
  readonly store: Pick<AlertQueue, "takeDelivery" | "endDelivery">;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  readonly targets: readonly AlertTarget[];
  readonly post: (target: AlertTarget, news: AlertNews) => Promise<PostResult>;
}

/**
 * Sends what is due to every target, the oldest first. The targets do not wait for each other; one that fails is left in
 * peace until the next round.
 */
export async function dispatchDue(options: DispatcherOptions, stopping: AbortSignal): Promise<void> {
  await Promise.all(options.targets.map((target) => dispatchTo(options, target, stopping)));
}

async function dispatchTo(options: DispatcherOptions, target: AlertTarget, stopping: AbortSignal): Promise<void> {
  const { store, clock } = options;
  for (let sent = 0; sent < ROUND_MAX && !stopping.aborted; sent++) {
    const now = clock.now();
    const delivery = await store.takeDelivery(target.name, now, now + TAKEN_MS);
    if (!delivery) return;
    if (!(await deliver(options, target, delivery))) return;
  }
}

async function deliver({ store, clock, log, post }: DispatcherOptions, target: AlertTarget, delivery: Delivery) {
  const { httpStatus, problem } = await post(target, delivery.event);
  const { attempts, queuedAt, event } = delivery;
  if (problem === null) {
    await store.endDelivery(delivery, { state: "delivered", dueAt: clock.now(), httpStatus, problem });
    return true;
  }
  const dueAt = nextTry(attempts, queuedAt, clock.now());
  const state = dueAt === undefined ? "failed" : "pending";
  await store.endDelivery(delivery, { state, dueAt: dueAt ?? clock.now(), httpStatus, problem });
  log.error("alert_not_delivered", { target: target.name, type: event.type, attempts, cause: problem, state });
  return false;
}
