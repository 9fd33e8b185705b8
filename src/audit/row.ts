import type { CallState, CostSource } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { Verdict } from "../core/verdict.ts";
import type { EpochMs } from "../core/window.ts";

/** What is known of a call when its fate is decided, before anything is sent: the first half of its audit row. */
export interface CallFacts {
  /** `call_…`, time-ordered. */
  readonly id: string;
  readonly calledAt: EpochMs;
  /** The request's own `X-Agent-Run-Id`, else the run label. */
  readonly agentRunId: string | null;
  readonly agentRunLabel: string | null;
  readonly agentName: string | null;
  readonly vaultKeyId: string;
  readonly vendor: string;
  readonly method: string;
  /** The path with ids replaced by `*`. */
  readonly endpoint: string;
  readonly path: string;
  readonly customerScopeId: string | null;
  readonly triggeringEventId: string | null;
  /** Hex SHA-256; the key itself is the agent's and is not kept. */
  readonly idempotencyKeyHash: string | null;
  /** JSON object of flat strings from the key. */
  readonly metadata: string | null;
}

/** The second half: what became of a call that was forwarded. */
export interface CallEnd {
  readonly finishedAt: EpochMs;
  readonly verdict: Verdict;
  readonly costMicros: Micros;
  readonly costSource: CostSource;
  readonly vendorRequestId: string | null;
  readonly vendorTxnId: string | null;
  readonly httpStatus: number | null;
  readonly latencyMs: number | null;
  readonly upstreamLatencyMs: number | null;
  /** `overrun`, `cost_unreadable`, … : appended to the rule that decided; null where there is nothing to flag. */
  readonly flag: string | null;
}

/** One call as it is read back. `seq` is the order in which rows were written and the cursor of every listing. */
export interface AuditRow extends CallFacts {
  readonly seq: number;
  /** The call that this row corrects: a later resolution or price; null for the row of a call itself. */
  readonly refersTo: string | null;
  readonly finishedAt: EpochMs | null;
  readonly policyVerdict: Verdict;
  readonly verdictRule: string;
  readonly state: CallState;
  readonly exposureMicros: Micros;
  readonly costMicros: Micros | null;
  readonly costSource: CostSource;
  /** Use of the tightest dollar cap after this call; without one, what the key has spent; null where nothing is counted. */
  readonly capUsageAfterMicros: Micros | null;
  readonly vendorRequestId: string | null;
  readonly vendorTxnId: string | null;
  readonly httpStatus: number | null;
  readonly latencyMs: number | null;
  readonly upstreamLatencyMs: number | null;
  readonly flag: string | null;
  /** Of the row before it in the chain, and its own: hex, null while the call is in flight. */
  readonly prevHash: string | null;
  readonly hash: string | null;
}
