import { causeText } from "../log.ts";
import type { DueReconciliation } from "../store/due-reconciliation.ts";
import { readOf } from "../vendors/look-up.ts";
import type { DataPlane } from "./data-plane.ts";
import { read } from "./forward.ts";

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const LOOK_EVERY_MS = 5 * SECOND_MS;
/** From a call's end to the first question: Twilio prices a message within seconds to minutes of its sending. */
export const FIRST_ASK_MS = 15 * SECOND_MS;
/** Pauses after each question that brought no price. After the last the price counted so far stands: it is the ceiling. */
const PAUSES_MS = [
  MINUTE_MS,
  5 * MINUTE_MS,
  15 * MINUTE_MS,
  HOUR_MS,
  3 * HOUR_MS,
  6 * HOUR_MS,
  12 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
  24 * HOUR_MS,
];
/** Questions under way at once, and those that one look answers: a vendor counts them against its own rate limits. */
const AT_ONCE_MAX = 8;
const PER_LOOK_MAX = 200;

/**
 * Asks vendors for the prices that they tell only after a call, until they are there, and writes the difference to what
 * was counted as a row of its own. What is still to ask stands in the store, so that a restart loses none; of several
 * processes only the one that has claimed a question asks it.
 */
export class Reconciler {
  readonly #plane: DataPlane;

  constructor(plane: DataPlane) {
    this.#plane = plane;
  }

  /** Asks all that is due, at most a look's worth; the number of prices found. Never throws. */
  async look(): Promise<number> {
    const { store, clock, log } = this.#plane;
    let found = 0;
    try {
      const due = await store.dueReconciliations(clock.now(), PER_LOOK_MAX);
      const waiting = due.values();
      const worker = async () => {
        for (const one of waiting) if (!this.#plane.draining && (await this.#ask(one))) found += 1;
      };
      await Promise.all(Array.from({ length: Math.min(AT_ONCE_MAX, due.length) }, worker));
    } catch (cause) {
      log.error("reconcile_failed", { cause: causeText(cause) });
    }
    return found;
  }

  async #ask(due: DueReconciliation): Promise<boolean> {
    const { store, clock, log, vendors } = this.#plane;
    const setup = vendors.get(due.vendor);
    const pauseMs = PAUSES_MS[due.attempts];
    if (!(await store.claimReconciliation(due, clock.now() + (pauseMs ?? HOUR_MS)))) return false;
    if (setup?.secret && setup.vendor.reconciledCost) {
      const reading = await read(this.#plane, setup, readOf(due.path));
      const cost = reading.kind === "found" ? setup.vendor.reconciledCost(reading.json, setup.pricing) : undefined;
      if (cost && reading.kind === "found") {
        const price = {
          priceMicros: cost.micros + due.besidesMicros,
          vendorTxnId: due.vendorTxnId,
          httpStatus: reading.status,
        };
        const written = await store.reconcile({ callId: due.callId, ...price, finishedAt: clock.now() });
        if (written.reconciled) this.#plane.tallies.of(due.vendor).reconciled(written.costMicros);
        return written.reconciled;
      }
    }
    if (pauseMs !== undefined) return false;
    log.info("price_never_told", { call: due.callId, vendor: due.vendor, path: due.path });
    await store.dropReconciliation(due.callId);
    return false;
  }
}

/** Looks now and then; the function it gives ends it. */
export function startReconciler(plane: DataPlane): () => Promise<void> {
  const reconciler = new Reconciler(plane);
  let running: Promise<unknown> | undefined;
  const timer = setInterval(() => {
    running ??= reconciler.look().finally(() => {
      running = undefined;
    });
  }, LOOK_EVERY_MS);
  return async () => {
    clearInterval(timer);
    await running;
  };
}
