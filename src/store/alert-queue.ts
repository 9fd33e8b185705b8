import type { AuditRow } from "../audit/row.ts";
import type { AlertNews } from "../core/alert-event.ts";
import type { EpochMs } from "../core/window.ts";
import type { Charge } from "../ledger/entry.ts";

/** Of an audit row, what the rules of alerts look at. */
export interface AlertRow
  extends Pick<
    AuditRow,
    | "seq"
    | "id"
    | "refersTo"
    | "calledAt"
    | "agentRunLabel"
    | "vaultKeyId"
    | "vendor"
    | "method"
    | "endpoint"
    | "policyVerdict"
    | "verdictRule"
    | "state"
    | "exposureMicros"
    | "costMicros"
    | "costSource"
    | "httpStatus"
    | "flag"
  > {
  readonly finishedAt: EpochMs;
  readonly charges: readonly Charge[];
}

/** How far the audit rows have been read, as the store keeps it. */
export interface AlertCursor {
  readonly version: number;
  /** Every row up to this position of the chain has been read. */
  readonly chainSeq: number;
  /** No row that has not been read lies before it. */
  readonly place: number;
  readonly pass: AlertPass | null;
}

/** A walk over the rows that were final when it began. */
export interface AlertPass {
  readonly to: number;
  readonly end: number;
  readonly floor: number;
}

/** Some rows that no rule has seen, and where the cursor is to stand when they have been. */
export interface AlertSlice {
  readonly from: AlertCursor;
  readonly next: AlertCursor;
  readonly rows: readonly AlertRow[];
  /** True where there may be more behind it. */
  readonly more: boolean;
}

/**
 * Of alerts: `hits` of a key by minute, `spend` by hour, `run` cost of a label; `warned` and `hit`, by the millisecond, the
 * events of caps over a rolling window. Of `auto_revoke`: `cap_hits` and
 * `vendor_errors` of a key by millisecond, `calls` of a key by hour, and of a family of keys by hour its `family_calls` and
 * `family_hours`, the hours of keys that had any.
 */
export type TallyKind =
  | "hits"
  | "spend"
  | "run"
  | "warned"
  | "hit"
  | "cap_hits"
  | "vendor_errors"
  | "calls"
  | "family_calls"
  | "family_hours";

export interface Tally {
  readonly kind: TallyKind;
  readonly subject: string;
  /** The start of the slot of time; 0 where there is but one. */
  readonly slot: EpochMs;
  /** Calls or micro-dollars. */
  readonly amount: bigint;
  readonly at: EpochMs;
}

/** Events, the targets that each goes to, and the time from which it does. */
export interface QueuedNews {
  readonly news: readonly AlertNews[];
  readonly targets: readonly string[];
  readonly at: EpochMs;
}

/** A rule of `auto_revoke` that has revoked its key: what was counted, up to which call. */
export interface TrippedRule {
  readonly rule: string;
  readonly limit: number;
  /** How long each counted; null of a rule that goes by the hour. */
  readonly within: string | null;
  readonly value: number;
  /** The baseline, with two decimals, where the rule has one. */
  readonly baseline: string | null;
  readonly call_id: string;
}

/** What somebody did, of which nobody has been told yet. */
export type UntoldAct =
  | {
      readonly act: "revoked";
      readonly id: string;
      readonly at: EpochMs;
      readonly label: string | null;
      readonly vendors: readonly string[];
      readonly reason: string | null;
      /** Set where nobody did it but a rule of the key's own. */
      readonly tripped: TrippedRule | null;
    }
  | {
      readonly act: "braked";
      readonly id: string;
      readonly at: EpochMs;
      readonly labelPrefix: string | null;
      readonly vendor: string | null;
      readonly reason: string | null;
    };

export type DeliveryState = "pending" | "delivered" | "failed";

/** One event on its way to one target. */
export interface Delivery {
  readonly eventSeq: number;
  readonly target: string;
  readonly event: AlertNews;
  readonly state: DeliveryState;
  /** How often it has been tried, the try that is on included. */
  readonly attempts: number;
  readonly queuedAt: EpochMs;
  /** When it is tried next, where it is pending. */
  readonly dueAt: EpochMs;
  readonly httpStatus: number | null;
  /** What became of the last try, without URLs; null where it went well, or there was none. */
  readonly problem: string | null;
}

export interface DeliveryEnd extends Pick<Delivery, "state" | "dueAt" | "httpStatus" | "problem"> {}

/** The store's part in alerts: what has been looked at, what was found, and the queue of what is to be sent. */
export interface AlertQueue {
  /** The next rows in the order of the table, each once; rows of calls in flight come when they are final. */
  readAlertSlice(rowsMax: number): Promise<AlertSlice>;
  /** Moves the cursor, adds to the tallies and queues events, all or nothing; false where another server was faster. */
  finishAlertSlice(slice: AlertSlice, found: QueuedNews & { readonly tallies: readonly Tally[] }): Promise<boolean>;
  /** The slots of one subject that begin at `from` or later, oldest first. */
  alertTallies(kind: TallyKind, subject: string, from: EpochMs): Promise<readonly Pick<Tally, "slot" | "amount">[]>;
  /** What is used of a budget in one window; of a rolling one now, by the ledger's clock. */
  counterUse(budgetId: string, windowStart: EpochMs): Promise<bigint>;
  /** Revoked keys and brakes of which nobody has been told, oldest first. */
  untoldActs(limit: number): Promise<readonly UntoldAct[]>;
  /** Queues the events of these acts and notes that they have been told of, all or nothing. */
  tellActs(acts: readonly UntoldAct[], news: QueuedNews): Promise<void>;
  /** Queues events; those whose ids are known already are left as they are. */
  queueAlert(news: QueuedNews): Promise<void>;
  /** The oldest event that is due for a target, counted as tried and put off until `until`: nobody else has it till then. */
  takeDelivery(target: string, now: EpochMs, until: EpochMs): Promise<Delivery | undefined>;
  /** Says how a try ended; nothing is changed where somebody has tried again since. */
  endDelivery(delivery: Delivery, end: DeliveryEnd): Promise<void>;
  /** What is pending, oldest first, then the newest of what is not. */
  listDeliveries(limit: number): Promise<readonly Delivery[]>;
  /** Forgets tallies and events before that time, and the ways that these went. */
  purgeAlerts(before: { readonly tallies: EpochMs; readonly events: EpochMs }): Promise<void>;
}
