import type { Frozen } from "../store/backup-report.ts";
import type { StoreGauges } from "../store/gauge-reads.ts";
import type { CapUse } from "./cap-use.ts";
import type { Tallies } from "./tallies.ts";

/** What the store holds for every process on it. */
export interface StoreReading extends StoreGauges {
  /** Engaged brakes by what they stop. */
  readonly brakes: Readonly<Record<BrakeScope, number>>;
  readonly frozen: Frozen | undefined;
}

export const BRAKE_SCOPES = ["everything", "vendor", "label_prefix", "vendor_and_label_prefix"] as const;
export type BrakeScope = (typeof BRAKE_SCOPES)[number];

/** What this process has under way at this moment. */
export interface ProcessReading {
  readonly connections: readonly (readonly [listener: "main" | "admin", open: number])[];
  /** Calls that were let in and have not ended, and those of them that are at their vendors. */
  readonly callsUnderWay: number;
  readonly callsAtVendors: number;
  /** Holds and resolutions that wait for a commit. */
  readonly ledgerQueue: number;
  readonly isDraining: boolean;
  readonly cpuSeconds: number;
  readonly residentBytes: number;
  /** Unix time. */
  readonly startedAtSeconds: number;
  /** Spans of traces by what became of them; undefined where no traces are written. */
  readonly spans: Readonly<Record<"exported" | "failed" | "dropped", number>> | undefined;
}

/** All that one scrape shows. */
export interface Snapshot {
  readonly tallies: Tallies;
  readonly process: ProcessReading;
  /** Whether a write has just reached the disk. */
  readonly isStoreUp: boolean;
  /** Undefined where the store could not be read in time. */
  readonly store: StoreReading | undefined;
  readonly capUse: CapUse | undefined;
}
