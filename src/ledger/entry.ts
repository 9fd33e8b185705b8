import type { CallEnd, CallFacts } from "../audit/row.ts";
import type { Resolution } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { RefusalCode } from "../core/verdict.ts";
import type { EpochMs } from "../core/window.ts";
import type { Budget } from "./budget.ts";
import type { ObjectTerms } from "./object.ts";
import type { RecordedAnswer, RepeatOutcome, RepeatSlot, RepeatTerms } from "./repeat.ts";

/** What a call wants from the ledger, after its policy has judged it. */
export interface HoldRequest {
  readonly type: "hold";
  readonly facts: CallFacts;
  /** The version of the key's policy by which the call was judged. */
  readonly keyVersion: number;
  /** The version of the vendor's settings by which the call will be sent; 0 where the store has none. */
  readonly vendorVersion: number;
  /** Set where the call is refused whatever the ledger says; the row is written all the same. */
  readonly refusal: { readonly code: RefusalCode; readonly rule: string } | undefined;
  /** What decided where nothing refuses. */
  readonly rule: string;
  readonly exposureMicros: Micros;
  readonly sends: number;
  /** What its money is (`refund`), for caps of one kind; undefined where it was refused before anybody asked. */
  readonly kind: string | undefined;
  /** All of the key's, and those above it that match the call; those of another kind are none of this call's. */
  readonly budgets: readonly Budget[];
  /** The proxy process that answers for the hold while it lives. */
  readonly owner: string;
  /** Set for calls whose repeats are not calls of their own. */
  readonly repeat?: RepeatTerms;
  /** Set where nothing was looked up because the call repeats another: where it does not after all, it is judged anew. */
  readonly repeatOnly?: boolean;
  /** Set where the call relies on or changes an amount that the vendor keeps. */
  readonly object?: ObjectTerms;
}

/** The end of a hold. */
export interface ResolveRequest {
  readonly type: "resolve";
  readonly callId: string;
  /** From the hold's decision, where the process that took it resolves it: spares the store a look-up. */
  readonly receipt?: HoldReceipt;
  readonly to: Resolution;
  readonly end: CallEnd;
  /** What the call leaves for its repeats, where it came with `RepeatTerms`. */
  readonly repeat?: { readonly slots: readonly RepeatSlot[]; readonly outcome: RepeatOutcome };
  /** Name of the object that the hold was taken with. */
  readonly object?: string;
  /** What the answer showed of an object: JSON. */
  readonly remembers?: { readonly name: string; readonly json: string };
  /** Where the vendor tells the price of a settled call later, and when to ask first. */
  readonly pricedLater?: {
    readonly path: string;
    readonly askAt: EpochMs;
    /** What that price leaves out. */
    readonly besidesMicros: Micros;
  };
}

/** The vendor's own price of a settled call, told later: a row of its own gets the difference. */
export interface ReconcileRequest {
  readonly callId: string;
  /** The whole price, micro-dollars. */
  readonly priceMicros: Micros;
  readonly finishedAt: EpochMs;
  readonly vendorTxnId: string | null;
  readonly httpStatus: number;
}

/** What a store gives out with a hold. */
export interface HoldReceipt {
  /** The store's own number of the row. */
  readonly seq: number;
  readonly charges: readonly Charge[];
  /** What the store wants back with the resolution, and nobody else reads. */
  readonly held?: unknown;
}

export type LedgerEntry = HoldRequest | ResolveRequest;

/** A vault key as the ledger needs it, read in the transaction that decides. */
export interface KeyState {
  readonly id: string;
  readonly version: number;
  readonly expiresAt: EpochMs;
  readonly revokedAt: EpochMs | null;
  readonly revokeReason: string | null;
  /** The rule of `auto_revoke` that revoked it; null or left out where somebody did. */
  readonly revokedBy?: string | null;
}

/** An engaged brake; one with neither vendor nor prefix stops everything. */
export interface Brake {
  readonly id: string;
  readonly vendor: string | null;
  readonly labelPrefix: string | null;
  readonly reason: string | null;
  readonly engagedAt: EpochMs;
}

/** An amount put on a budget's counter by a hold; taken off or corrected when the hold is resolved. */
export interface Charge {
  readonly budgetId: string;
  /** Of a rolling budget the moment of the hold: that is when the amount begins to age. */
  readonly windowStart: EpochMs;
  readonly unit: Budget["unit"];
  readonly amount: bigint;
}

/** A budget at the moment of a decision, for the error message and the headers. */
export interface BudgetUse {
  readonly name: string;
  readonly unit: Budget["unit"];
  readonly cap: bigint;
  readonly used: bigint;
  /** Of a rolling budget: when enough of it has come free for the call that it refused; else undefined. */
  readonly resetAt: EpochMs | undefined;
  /** Set with `rate_exceeded`: the same call is admitted after this long, if no other one comes before it. */
  readonly retryAfterMs?: number;
  /** As `Budget.lacksRateOf`. */
  readonly lacksRateOf?: Budget["lacksRateOf"];
}

/** The earlier call whose outcome a repeat finds out. */
export interface Resumed {
  readonly callId: string;
  readonly vendorKey: string;
  /** What that call holds; set by the store. */
  readonly heldMicros?: Micros;
}

export type HoldDecision =
  /** Held. `tightest` is the dollar budget with the least left, after this call; its charge stands first. */
  | {
      readonly admitted: true;
      readonly charges: readonly Charge[];
      readonly tightest: BudgetUse | undefined;
      /** Set where the call finds out what became of an earlier one, under that one's hold and idempotency key. */
      readonly resumes?: Resumed;
      /** Set by the store. */
      readonly receipt?: HoldReceipt;
    }
  | {
      readonly admitted: false;
      readonly code: RefusalCode;
      readonly rule: string;
      /** The budget that decided, or the tightest one, before this call. */
      readonly budget: BudgetUse | undefined;
      /** Reason given by the operator with a revoke or a brake; of the rule `object`, the call that holds the object. */
      readonly reason: string | null;
    }
  /** A repeat: it gets the answer of the call that holds the money, costs nothing and is not sent. */
  | { readonly admitted: false; readonly code: "replayed"; readonly answer: RecordedAnswer; readonly heldBy: string }
  /** The key's policy or the vendor's settings changed since the call was judged: judge it again. Nothing was written. */
  | { readonly admitted: false; readonly code: "stale" };

/**
 * `resolved: false`: the call was already resolved, is not known, or a repeat is at the vendor to find out what became of
 * it; `why` says which.
 */
export type ResolveResult =
  | { readonly resolved: true; readonly costMicros: Micros }
  | { readonly resolved: false; readonly why: "unknown_call" | "already_resolved" | "being_looked_up" };

/** `costMicros` is the difference to what was counted. False where the call does not wait for its price (any more). */
export type ReconcileResult =
  | { readonly reconciled: true; readonly costMicros: Micros }
  | { readonly reconciled: false };

export type LedgerResult = HoldDecision | ResolveResult;
