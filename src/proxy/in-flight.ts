import type { StoppableCall } from "../core/hard-stop.ts";

/** A call that is at its vendor now. */
export interface FlyingCall extends StoppableCall {
  readonly callId: string;
  /** `HoldReceipt.seq`: the order of the holds, for stops that concern only what came before them. */
  readonly seq: number;
  readonly abort: AbortController;
}

/** The calls that this process has at its vendors, so that a hard stop can abort them and a limit can count them. */
export class InFlight {
  readonly #calls = new Map<string, FlyingCall>();
  readonly #byKey = new Map<string, number>();

  add(call: FlyingCall): void {
    this.#calls.set(call.callId, call);
    this.#byKey.set(call.keyId, this.countOf(call.keyId) + 1);
  }

  remove(callId: string): void {
    const call = this.#calls.get(callId);
    if (!call) return;
    this.#calls.delete(callId);
    const left = this.countOf(call.keyId) - 1;
    if (left > 0) this.#byKey.set(call.keyId, left);
    else this.#byKey.delete(call.keyId);
  }

  get count(): number {
    return this.#calls.size;
  }

  countOf(keyId: string): number {
    return this.#byKey.get(keyId) ?? 0;
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
