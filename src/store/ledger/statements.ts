import type { ChainValue } from "../../audit/chain.ts";
import type { CallFacts } from "../../audit/row.ts";
import type { Micros } from "../../core/money.ts";
import type { EpochMs } from "../../core/window.ts";
import type { RecordedCall } from "../../ledger/repeat.ts";

/**
 * One statement, as the ledger's steps run it: at once and in their order. bun:sqlite's prepared statements are such ones;
 * for PostgreSQL see src/store/postgres/rehearsal.ts.
 */
export interface Statement<Row, Args extends readonly unknown[]> {
  /** The first row, or null. */
  get(...args: Args): Row | null;
  all(...args: Args): readonly Row[];
  run(...args: Args): { readonly changes: number };
}

/** Everything that a transaction of the ledger asks its database. Integers of a row are bigints. */
export interface LedgerStatements {
  readonly state: StateStatements;
  readonly view: ViewStatements;
  readonly counters: CounterStatements;
  readonly rolling: RollingStatements;
  readonly records: RecordStatements;
  readonly objects: ObjectStatements;
  readonly openBatches: OpenBatchStatements;
  readonly finalRows: FinalRowStatements;
  readonly reconciliations: ReconciliationStatements;
}

export interface StateRow {
  readonly now: bigint;
  readonly last_seq: bigint;
  readonly chain_count: bigint;
  readonly chain_hash: Uint8Array;
  readonly chain_cost: string;
  readonly frozen: string | null;
}

export interface StateStatements {
  readonly read: Statement<StateRow, []>;
  readonly write: Statement<
    unknown,
    [now: EpochMs, lastSeq: number, chainCount: number, chainHash: Uint8Array, chainCost: string]
  >;
}

export interface KeyStateRow {
  readonly version: bigint;
  readonly expires_at: bigint;
  readonly revoked_at: bigint | null;
  readonly revoke_reason: string | null;
  /** The rule of `auto_revoke` that did it. */
  readonly revoked_by: string | null;
}

type FactsRow = { readonly [Name in keyof CallFacts]: CallFacts[Name] extends number ? bigint : CallFacts[Name] };

export interface FinalRowRead extends FactsRow {
  readonly state: string;
  readonly rule: string;
  readonly exposureMicros: Micros;
  readonly costMicros: Micros | null;
  readonly charges: string | null;
}

export interface ViewStatements {
  readonly key: Statement<KeyStateRow, [id: string]>;
  /** Engaged brakes as a JSON list of `Brake`, in their order, and the versions of the vendors' settings as a JSON object. */
  readonly circumstances: Statement<{ readonly brakes: string; readonly vendors: string }, []>;
  /** The final row of a call, by its id. */
  readonly finalRow: Statement<FinalRowRead, [callId: string]>;
}

export interface CounterStatements {
  readonly read: Statement<{ readonly used: bigint }, [budgetId: string, windowStart: EpochMs]>;
  readonly write: Statement<unknown, [budgetId: string, windowStart: EpochMs, used: bigint]>;
}

export interface RollingStatements {
  readonly total: Statement<{ readonly used: bigint; readonly due_at: bigint }, [budgetId: string]>;
  /** The totals that have aged by then, the longest due first. */
  readonly due: Statement<{ readonly budget_id: string; readonly used: bigint }, [now: EpochMs, limit: number]>;
  readonly write: Statement<unknown, [budgetId: string, used: bigint, dueAt: EpochMs]>;
  readonly forget: Statement<unknown, [budgetId: string]>;
  readonly oldest: Statement<{ readonly taken_at: bigint; readonly amount: bigint }, [budgetId: string, limit: number]>;
  readonly sliceEnd: Statement<{ readonly taken_at: bigint }, [budgetId: string, offset: number]>;
  /** The sum of the entries up to a time. */
  readonly aged: Statement<{ readonly amount: bigint }, [budgetId: string, until: EpochMs]>;
  readonly remove: Statement<unknown, [budgetId: string, until: EpochMs]>;
  readonly addEntry: Statement<unknown, [budgetId: string, takenAt: EpochMs, amount: bigint]>;
  readonly correctEntry: Statement<unknown, [delta: bigint, budgetId: string, takenAt: EpochMs]>;
}

export interface RecordRow {
  readonly request_hash: string;
  readonly state: RecordedCall["state"];
  readonly call_id: string;
  readonly held_by: string;
  readonly vendor_key: string | null;
  readonly status: bigint | null;
  readonly sealed_answer: Uint8Array | null;
  readonly expires_at: bigint;
}

export interface RecordStatements {
  readonly read: Statement<RecordRow, [vaultKeyId: string, slot: string]>;
  readonly write: Statement<
    unknown,
    [
      vaultKeyId: string,
      slot: string,
      requestHash: string,
      state: string,
      callId: string,
      heldBy: string,
      vendorKey: string | null,
      status: number | null,
      sealedAnswer: Uint8Array | null,
      expiresAt: EpochMs,
    ]
  >;
  readonly delete: Statement<unknown, [vaultKeyId: string, slot: string]>;
  /** The process that sent the call is gone, and with it whatever the vendor answered. */
  readonly loseAnswer: Statement<unknown, [vaultKeyId: string, callId: string]>;
  /** Nothing was spent by the call: it may be tried again. What the vendor has answered it says again (a decline). */
  readonly freeHeldBy: Statement<unknown, [vaultKeyId: string, callId: string]>;
  readonly forgetVendorKey: Statement<unknown, [vaultKeyId: string, callId: string]>;
  /** Another call of this key that is on its way to find out what became of `heldBy`. */
  readonly lookUp: Statement<unknown, [vaultKeyId: string, heldBy: string, notCallId: string]>;
}

export interface ObjectRow {
  readonly version: bigint;
  readonly held_by: string | null;
  readonly remembered: string | null;
}

export interface ObjectStatements {
  readonly read: Statement<ObjectRow, [name: string]>;
  readonly heldBy: Statement<{ readonly name: string }, [callId: string]>;
  readonly write: Statement<
    unknown,
    [name: string, version: number, heldBy: string | null, remembered: string | null, touchedAt: EpochMs]
  >;
}

/** A row of `open_batches`. */
export interface BatchRow {
  readonly batch: bigint;
  readonly owner: string;
  readonly calls: string;
}

export interface OpenBatchStatements {
  readonly insert: Statement<unknown, [batch: number, owner: string, calls: string]>;
  /** The batch of a call that has no final row. */
  readonly find: Statement<BatchRow, [callId: string]>;
  readonly countOpen: Statement<{ readonly open: bigint }, [batch: number]>;
  /** Batches of which no call is still to end. */
  readonly emptied: Statement<{ readonly batch: bigint }, []>;
  readonly delete: Statement<unknown, [batch: number]>;
  /** Batches of owners without a living lease. */
  readonly abandoned: Statement<BatchRow, [now: EpochMs]>;
}

export interface FinalRowStatements {
  /** The columns of `FINAL_COLUMNS`; changes nothing where there is such a row already. */
  readonly insert: Statement<unknown, (ChainValue | Uint8Array)[]>;
}

export interface ReconciliationStatements {
  readonly add: Statement<
    unknown,
    [callId: string, vendor: string, path: string, besidesMicros: Micros, dueAt: EpochMs]
  >;
  readonly remove: Statement<unknown, [callId: string]>;
}
