import { concerns } from "../core/hard-stop.ts";
import { causeText } from "../log.ts";
import type { RecordedHardStop } from "../store/store.ts";
import type { DataPlane } from "./data-plane.ts";
import type { FlyingCall } from "./in-flight.ts";

/** A stop is to be over within a second, the operator's own command included. */
const POLL_EVERY_MS = 250;

/**
 * How long a stop is tried again on calls that turn up after it was read. Their hold was on disk before the stop, so the
 * stop is theirs, but fsync or name resolution still kept them from the vendor.
 */
const KEPT_MS = 30_000;

type Watched = Pick<DataPlane, "store" | "clock" | "log" | "inFlight">;

/**
 * Aborts the calls in flight that a revoke or brake with `hard` concerns, whichever process gave it: the command line on
 * the same data directory, or another replica. The store is asked only while there is something to abort.
 */
export class HardStops {
  readonly #plane: Watched;
  #lastSeq: number;
  #recent: readonly { readonly stop: RecordedHardStop; readonly readMs: number }[] = [];
  #polling = false;
  #failing = false;

  /** @param lastSeq the newest stop that is older than every call of this process. */
  constructor(plane: Watched, lastSeq: number) {
    this.#plane = plane;
    this.#lastSeq = lastSeq;
  }

  /** Never throws: what cannot be read now is read at the next poll. */
  async poll(): Promise<void> {
    const { inFlight, log } = this.#plane;
    if (this.#polling || inFlight.count === 0) return;
    this.#polling = true;
    try {
      await this.#read();
      this.#failing = false;
    } catch (cause) {
      if (!this.#failing) log.error("hard_stops_unread", { cause: causeText(cause) });
      this.#failing = true;
    }
    this.#polling = false;
    const aborted = inFlight.abort((call) => this.#recent.some(({ stop }) => isStopped(call, stop)));
    if (aborted > 0) log.info("calls_aborted", { count: aborted, cause: "hard stop" });
  }

  async #read(): Promise<void> {
    const { store, clock } = this.#plane;
    const stops = await store.hardStopsSince(this.#lastSeq);
    const readMs = clock.elapsed();
    this.#lastSeq = stops.at(-1)?.seq ?? this.#lastSeq;
    this.#recent = [
      ...this.#recent.filter((known) => readMs - known.readMs < KEPT_MS),
      ...stops.map((stop) => ({ stop, readMs })),
    ];
  }
}

/** Calls that were held after the stop are not its: their key was issued, or the brake released, since. */
function isStopped(call: FlyingCall, stop: RecordedHardStop): boolean {
  return call.seq <= stop.lastCallSeq && concerns(stop, call);
}

/** Watches the store for hard stops from now on; the function it gives ends that. */
export async function startHardStops(plane: Watched): Promise<() => void> {
  const earlier = await plane.store.hardStopsSince(0);
  const stops = new HardStops(plane, earlier.at(-1)?.seq ?? 0);
  const timer = setInterval(() => void stops.poll(), POLL_EVERY_MS);
  return () => clearInterval(timer);
}
