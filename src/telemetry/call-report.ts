import type { Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import type { Period } from "./period.ts";
import type { CallOutcome } from "./tallies.ts";

/**
 * What is told of one call when it has ended, to traces and to the log's debug level. Nothing that the agent could put a
 * secret or a person's data into: no path, query, header or body; the endpoint is the operation's route.
 */
export interface CallReport {
  readonly callId: string;
  readonly receivedAt: EpochMs;
  readonly whole: Period;
  /** Undefined where no known key made the call; so are key, label and method. */
  readonly vendor: string | undefined;
  readonly keyId: string | undefined;
  readonly runLabel: string | null | undefined;
  readonly method: string | undefined;
  /** As the vendor's file declares it, with `*` for ids; undefined where it was refused before the operation was known. */
  readonly endpoint: string | undefined;
  /** `payment_intents.confirm`. */
  readonly operation: string | undefined;
  readonly outcome: CallOutcome;
  /** Which rule decided. */
  readonly rule: string | undefined;
  readonly costMicros: Micros;
  /** The vendor's; undefined where there was no answer of its. */
  readonly vendorStatus: number | undefined;
  /** When it waited for the disk. */
  readonly hold: Period | undefined;
  /** When it was at the vendor. */
  readonly forward: Period | undefined;
  /** As the agent sent it, not checked. */
  readonly traceparent: string | undefined;
}

/** Is told of every call once its answer is ready; must not throw, and does its work later. */
export type CallListener = (report: CallReport) => void;
