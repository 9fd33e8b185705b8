import type { Micros } from "./money.ts";
import type { EpochMs } from "./window.ts";

/** A call was sent and nobody knows what became of it: what it may have cost counts in full until somebody finds out. */
export interface CallUnresolved {
  readonly type: "call.unresolved";
  readonly at: EpochMs;
  readonly callId: string;
  readonly vaultKeyId: string;
  readonly runLabel: string | null;
  readonly vendor: string;
  readonly method: string;
  /** The path with ids replaced by `*`. */
  readonly endpoint: string;
  readonly exposureMicros: Micros;
  /** `timeout`, `owner_gone`, …: the flag of its audit row; null where the vendor's status says it all. */
  readonly why: string | null;
}

/** What an operator may want to be woken by. */
export type AlertEvent = CallUnresolved;

/** Where events go. Never throws and never waits: it stands in the path of calls. */
export interface Alerts {
  raise(event: AlertEvent): void;
}
