import type { Alerts } from "../core/alert.ts";
import type { Clock } from "../core/clock.ts";
import type { LedgerBatcher } from "../ledger/batch.ts";
import type { Log } from "../log.ts";
import type { Store } from "../store/store.ts";
import type { CallListener } from "../telemetry/call-report.ts";
import type { Tallies } from "../telemetry/tallies.ts";
import type { AnswerBox } from "../vault/answer-box.ts";
import type { BudgetDesk } from "./budget-desk.ts";
import type { InFlight } from "./in-flight.ts";
import type { KeyRing } from "./key-ring.ts";
import type { Reach } from "./reach.ts";
import type { VendorDesk } from "./vendor-desk.ts";

export interface ProxyLimits {
  /** Largest request body in bytes, unless an operation has its own. */
  readonly bodyBytesMax: number;
  /** Largest vendor answer in bytes that is read for its cost. */
  readonly answerBytesMax: number;
  /** From sending to the last byte of the answer. */
  readonly upstreamTimeoutMs: number;
  /** Calls under way at once, in all and for one key. */
  readonly concurrentCallsMax: number;
  readonly concurrentCallsPerKeyMax: number;
}

/** What the steps of a call work with; made once by the server. */
export interface DataPlane {
  readonly clock: Clock;
  readonly log: Log;
  readonly store: Store;
  readonly ledger: LedgerBatcher;
  /** What calls come to, for metrics. */
  readonly tallies: Tallies;
  /** Who is told of every call; none where nobody asked for it. */
  readonly listeners: readonly CallListener[];
  readonly keys: KeyRing;
  readonly budgets: BudgetDesk;
  readonly vendors: VendorDesk;
  /** Where operators are told of what they should look at. */
  readonly alerts: Alerts;
  readonly answers: AnswerBox;
  readonly inFlight: InFlight;
  readonly reach: Reach;
  readonly limits: ProxyLimits;
  /** Where agents reach the proxy, without a slash at its end: what page links are made to lead to. */
  readonly publicUrl: string;
  /** This process, as the owner of its holds. */
  readonly owner: string;
  /** Set once the server has been told to stop. */
  draining: boolean;
  /** Calls without a recognisable key since the last time that the server wrote their number down. */
  unknownKeyCalls: number;
}
