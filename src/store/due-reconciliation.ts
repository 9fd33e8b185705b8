import type { Micros } from "../core/money.ts";

/** A settled call whose price the vendor tells later. */
export interface DueReconciliation {
  readonly callId: string;
  readonly vendor: string;
  /** Where to ask, as `Call.path`. */
  readonly path: string;
  /** What the price there leaves out. */
  readonly besidesMicros: Micros;
  readonly attempts: number;
  readonly vendorTxnId: string | null;
}
