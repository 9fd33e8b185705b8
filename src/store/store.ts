import type { ChainedRow, ChainSource } from "../audit/chained-row.ts";
import type { AuditRow } from "../audit/row.ts";
import type { HardStop } from "../core/hard-stop.ts";
import type { CallState } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { Verdict } from "../core/verdict.ts";
import type { EpochMs } from "../core/window.ts";
import type { Brake, LedgerEntry, LedgerResult, ReconcileRequest, ReconcileResult } from "../ledger/entry.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import type { SealedChainKey } from "../vault/chain-key.ts";
import type { ControlRole } from "../vault/control-token.ts";
import type { AlertQueue, TrippedRule } from "./alert-queue.ts";
import type { AutoRevokes } from "./auto-revokes.ts";
import type { BackupReport, Frozen } from "./backup-report.ts";
import type { CounterReads } from "./counter-reads.ts";
import type { DueReconciliation } from "./due-reconciliation.ts";
import type { GaugeReads } from "./gauge-reads.ts";
import type { KeySpend } from "./key-spend.ts";
import type { RekeyVerbs } from "./rewraps.ts";
import type { SessionVerbs } from "./sessions.ts";
import type { SpendStore } from "./spend.ts";
import type { Standing } from "./standing.ts";
import type { VendorOutcomeReads } from "./vendor-outcomes.ts";

/** A vault key as it is kept: never the token, only its hash. */
export interface VaultKeyRecord {
  readonly id: string;
  readonly tokenHash: Uint8Array;
  /** `vault_key_…a1B2`, to recognise a key by. */
  readonly hint: string;
  /** In the order of its policy; one, where its policy names a `vendor`. */
  readonly vendors: readonly string[];
  readonly label: string | null;
  readonly agentName: string | null;
  readonly template: string | null;
  readonly policy: PolicyDocument;
  /** Grows with every change of policy, caps or expiry. */
  readonly version: number;
  readonly createdAt: EpochMs;
  readonly expiresAt: EpochMs;
  readonly revokedAt: EpochMs | null;
  readonly revokeReason: string | null;
  /** What of its own rules has revoked it; null where somebody has, or nobody. */
  readonly autoRevoked: TrippedRule | null;
  readonly metadata: Readonly<Record<string, string>>;
  /** Id of the control token that issued it; null for the local CLI. */
  readonly issuedBy: string | null;
}

/** What became of a new key: its label may be in use, where it was to be unique. */
export type KeyInserted = { readonly inserted: true } | { readonly inserted: false; readonly activeKeyId: string };

/** Which keys; given fields are and-ed, no field at all is an error of the caller. */
export interface KeySelector {
  readonly ids?: readonly string[];
  readonly label?: string;
  readonly labelPrefix?: string;
  /** Keys that are for this vendor, alone or among others. */
  readonly vendor?: string;
  readonly all?: true;
  readonly issuedBy?: string;
}

export interface KeyFilter {
  readonly label?: string;
  readonly labelContains?: string;
  /** As `KeySelector.vendor`. */
  readonly vendor?: string;
  readonly activeAt?: EpochMs;
  readonly issuedBy?: string;
  /** Ids below this one (older keys) only. */
  readonly before?: string;
  readonly limit: number;
}

export interface KeyChange {
  readonly policy: PolicyDocument;
  readonly expiresAt: EpochMs;
  /** The version that the change was made from; another one means somebody was faster. */
  readonly fromVersion: number;
}

export interface VendorRecord {
  readonly name: string;
  /** Account id and user name are no secrets. */
  readonly accountId: string;
  readonly username: string;
  /** Set where the operator points the vendor at another address. */
  readonly origin: string | null;
  readonly isPrivate: boolean;
  /** Undefined where there is none (any more). */
  readonly sealedSecret: Uint8Array | undefined;
  readonly secretId: string;
  /** Grows with every change and never repeats. */
  readonly version: number;
  readonly updatedAt: EpochMs;
}

export interface ControlTokenRecord {
  readonly id: string;
  readonly tokenHash: Uint8Array;
  readonly role: ControlRole;
  readonly name: string | null;
  readonly templates: readonly string[] | null;
  readonly maxDailyMicros: Micros | null;
  readonly createdAt: EpochMs;
  readonly revokedAt: EpochMs | null;
}

export interface AuditFilter {
  /** The call with this id, and the rows that refer to it. */
  readonly callId?: string;
  readonly run?: string;
  readonly labelContains?: string;
  readonly keyId?: string;
  readonly vendor?: string;
  readonly verdict?: Verdict;
  readonly state?: CallState;
  readonly customer?: string;
  readonly triggeringEventId?: string;
  readonly since?: EpochMs;
  readonly until?: EpochMs;
}

/** A page of audit rows, oldest first within the page. */
export interface AuditPage {
  readonly rows: readonly AuditRow[];
  /** `seq` bounds for the next page in either direction; undefined where there is none. */
  readonly older: number | undefined;
}

export interface AuditTotals {
  readonly calls: number;
  readonly refused: number;
  readonly settledMicros: Micros;
  readonly heldMicros: Micros;
  readonly unresolvedMicros: Micros;
}

/** A remembered answer of the control plane, for `Idempotency-Key`. */
export interface RememberedAnswer {
  readonly bodyHash: string;
  /** Sealed by the caller: it holds a vault key. */
  readonly sealedAnswer: Uint8Array;
}

/** A live proxy process; its holds are its own until the lease runs out. */
export interface Lease {
  readonly owner: string;
  readonly until: EpochMs;
}

/** A hard stop as it is kept for the servers that have calls in flight. */
export interface RecordedHardStop extends HardStop {
  /** Grows with every stop and never repeats. */
  readonly seq: number;
  /** The newest hold (`HoldReceipt.seq`) when the stop was recorded; later ones are none of its business. */
  readonly lastCallSeq: number;
}

/** A counter that does not equal the sum over its rows (`keybrake doctor`). */
export interface CounterMismatch {
  readonly budgetId: string;
  readonly windowStart: EpochMs;
  readonly counter: bigint;
  readonly rows: bigint;
}

/**
 * What Keybrake needs of a database: a short list of verbs, each one transaction. No query builder, row type or handle
 * of a driver leaves an implementation. Every verb throws `Problem("unavailable")` where the store cannot do its work.
 */
export interface Store
  extends ChainSource,
    CounterReads,
    GaugeReads,
    AlertQueue,
    AutoRevokes,
    RekeyVerbs,
    SessionVerbs,
    SpendStore,
    VendorOutcomeReads {
  /** `sqlite`, `postgres`: for messages. */
  readonly kind: string;

  /** The ledger's verb: one batch, in order, in one durable transaction (hold, settle, release, mark unresolved). */
  apply(entries: readonly LedgerEntry[], now: EpochMs): Promise<readonly LedgerResult[]>;
  /** Takes or renews a lease. */
  renewLease(lease: Lease): Promise<void>;
  /** Makes the holds of owners without a living lease `unresolved`; the number of them. */
  sweepAbandonedHolds(now: EpochMs): Promise<number>;

  /**
   * What stands against any call of a key, what is known of the object that it is about, and whether it repeats another
   * (by the names of its `RepeatSlot`s): asked before a look-up.
   */
  standing(
    keyId: string,
    objectName: string | undefined,
    now: EpochMs,
    slotNames?: readonly string[],
  ): Promise<Standing>;

  /** Settled calls whose price is to be asked for, the longest waiting first. */
  dueReconciliations(now: EpochMs, limit: number): Promise<readonly DueReconciliation[]>;
  /** Writes the difference between the vendor's price and what was counted as a row of its own; the counters follow. */
  reconcile(request: ReconcileRequest): Promise<ReconcileResult>;
  /** Takes a question, which comes again at `askAgainAt`; false where another process has taken it. */
  claimReconciliation(due: DueReconciliation, askAgainAt: EpochMs): Promise<boolean>;
  /** Asks no more. */
  dropReconciliation(callId: string): Promise<void>;

  /** Forgets what repeats are no longer answered with, at most a slice of it; the number of records. */
  purgeRecordedCalls(now: EpochMs): Promise<number>;

  findKeyByHash(tokenHash: Uint8Array): Promise<VaultKeyRecord | undefined>;
  getKey(id: string): Promise<VaultKeyRecord | undefined>;
  listKeys(filter: KeyFilter): Promise<readonly VaultKeyRecord[]>;
  /** With `uniqueLabel`, refuses where an active key has the label and returns that key's id. */
  insertKey(key: VaultKeyRecord, uniqueLabel: boolean): Promise<KeyInserted>;
  /** The changed key, or undefined where the version is no longer `fromVersion`. */
  updateKey(id: string, change: KeyChange): Promise<VaultKeyRecord | undefined>;
  /** Returns the keys that this call revoked, and is in force for every process when it returns. */
  revokeKeys(selector: KeySelector, reason: string | null, now: EpochMs): Promise<readonly VaultKeyRecord[]>;
  /** @param now that rolling windows end at, or the ledger's own time where that is later; without it, that time. */
  keySpend(keyId: string, now?: EpochMs): Promise<KeySpend>;

  listVendors(): Promise<readonly VendorRecord[]>;
  /** Writes the settings as the successor of `vendor.version - 1`; false where somebody else was faster. */
  putVendor(vendor: VendorRecord): Promise<boolean>;
  /** Forgets secret, account and origin; the row stays, so that its version never repeats. */
  removeVendor(name: string, now: EpochMs): Promise<boolean>;

  engageBrake(brake: Brake): Promise<void>;
  /** Releases the brakes with exactly this vendor and prefix; the ones released. */
  releaseBrake(vendor: string | null, labelPrefix: string | null, now: EpochMs): Promise<readonly Brake[]>;
  listBrakes(): Promise<readonly Brake[]>;

  /** Tells every server on this store to abort calls in flight. Kept for a day. */
  recordHardStop(stop: HardStop, now: EpochMs): Promise<void>;
  /** The stops after `seq`, oldest first. */
  hardStopsSince(seq: number): Promise<readonly RecordedHardStop[]>;

  insertToken(token: ControlTokenRecord): Promise<void>;
  findTokenByHash(tokenHash: Uint8Array): Promise<ControlTokenRecord | undefined>;
  listTokens(): Promise<readonly ControlTokenRecord[]>;
  revokeToken(id: string, now: EpochMs): Promise<boolean>;

  /** Remembers an answer for 24 h; the earlier one where there is one. */
  rememberAnswer(
    scope: string,
    key: string,
    answer: RememberedAnswer,
    now: EpochMs,
  ): Promise<RememberedAnswer | undefined>;
  recallAnswer(scope: string, key: string, now: EpochMs): Promise<RememberedAnswer | undefined>;

  /** The newest `limit` rows older than `before`, or, with `after`, the oldest ones newer than it. */
  queryAudit(filter: AuditFilter, page: { limit: number; before?: number; after?: number }): Promise<AuditPage>;
  auditTotals(filter: AuditFilter): Promise<AuditTotals>;
  /** Calls without a recognisable key, counted by day and not kept one by one. */
  countUnknownKey(now: EpochMs, count: number): Promise<void>;

  chainKey(): Promise<SealedChainKey | undefined>;
  /** Keeps a first key, or one in place of `replacedId` while no row has been hashed; the one that is in force. */
  putChainKey(made: SealedChainKey, replacedId?: string): Promise<SealedChainKey>;
  /** From now on this handle hashes rows and seals segments with `key`. To be called before anything is written. */
  useChainKey(key: Uint8Array): void;
  /** The rows with these `seq`, as the chain has them. */
  chainRowsAt(seqs: readonly number[]): Promise<readonly ChainedRow[]>;
  /** The hash at a position that was reached within the newest `rowsMax` calls. */
  recentChainHash(chainSeq: number, rowsMax: number): Promise<Uint8Array | undefined>;
  /** Whether a later row says what became of an unresolved call. */
  isResolved(callId: string): Promise<boolean>;
  /**
   * Removes rows that follow one another in the chain and lets a segment of at most `rowsPerSegmentMax` stand for them;
   * false where they are no longer as they were read.
   */
  pruneAudit(rows: readonly ChainedRow[], rowsPerSegmentMax: number, now: EpochMs): Promise<boolean>;

  /** Recomputes every counter from the rows. */
  checkCounters(): Promise<readonly CounterMismatch[]>;
  /** Copies the store while it is in use. The copy is checked, and frozen inside. */
  backup(path: string, now: EpochMs, overwrite: boolean): Promise<BackupReport>;
  /** Stops every key until `thaw`; an earlier reason stays. `why` is a clause that agents may read. */
  freeze(why: string, now: EpochMs): Promise<void>;
  /** Lets keys spend again; false where nothing was frozen. */
  thaw(): Promise<boolean>;
  frozenSince(): Promise<Frozen | undefined>;

  /** Proves that a write reaches the disk. */
  probeWrite(now: EpochMs): Promise<void>;
  /** Figures for `doctor`: schema version, journal mode, file sizes in bytes, … */
  describe(): Promise<Readonly<Record<string, string | number>>>;
  close(): Promise<void>;
}
