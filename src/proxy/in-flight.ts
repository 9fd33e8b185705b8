import type { StoppableCall } from "../core/hard-stop.ts";

/** A call that is at its vendor now. */
export interface FlyingCall extends StoppableCall {
  readonly callId: string;
  /** `HoldReceipt.seq`: the order of the holds, for stops that concern only what came before them. */
  readonly seq: number;
  readonly abort: AbortController;
}

/** The calls that this process has under way, so that a limit can count them, a drain wait for them and a stop abort them. */
export class InFlight {
  readonly #calls = new Map<string, FlyingCall>();
  readonly #underWayByKey = new Map<string, number>();
  #underWay = 0;

  /**
   * Counts a call from its policy's verdict to its end at the vendor, its hold included: of calls that come at the same
   * moment each must see the ones before it. The function it gives ends that.
   */
  enter(keyId: string): () => void {
    this.#count(keyId, 1);
    return () => this.#count(keyId, -1);
  }

  #count(keyId: string, change: 1 | -1): void {
    this.#underWay += change;
    const ofKey = this.underWayOf(keyId) + change;
    if (ofKey > 0) this.#underWayByKey.set(keyId, ofKey);
    else this.#underWayByKey.delete(keyId);
  }

  /** The calls that were let in and have not ended; `count` of them are at their vendors. */
  get underWay(): number {
    return this.#underWay;
  }

  underWayOf(keyId: string): number {
    return this.#underWayByKey.get(keyId) ?? 0;
  }

  add(call: FlyingCall): void {
    this.#calls.set(call.callId, call);
  }

  remove(callId: string): void {
    this.#calls.delete(callId);
  }

  get count(): number {
    return this.#calls.size;
  }

  /** Aborts the calls that `concerns` picks; their outcome is unknown from then on. The number of them. */
  abort(concerns: (call: FlyingCall) => boolean): number {
    let aborted = 0;
    for (const call of this.#calls.values()) {
      if (!concerns(call)) continue;
      call.abort.abort();
      aborted += 1;
    }
    return aborted;
  }
}
