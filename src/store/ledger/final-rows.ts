import { type ChainValue, chainHash } from "../../audit/chain.ts";
import { HASHED_COLUMNS } from "../../audit/chain-columns.ts";
import type { ChainHead } from "../../audit/chained-row.ts";
import type { CallEnd, CallFacts } from "../../audit/row.ts";
import type { Micros } from "../../core/money.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { Charge } from "../../ledger/entry.ts";
import { encodeCharges } from "./charges.ts";
import type { FinalRowStatements } from "./statements.ts";

/** The columns of the audit table, in the order in which a row is written. */
export const FINAL_COLUMNS: readonly string[] = [...HASHED_COLUMNS, "prev_hash", "hash"];

/** A row as it will be for ever. */
export interface FinalRow {
  readonly seq: number;
  readonly facts: CallFacts;
  /** The call that the row corrects; null for the row of the call itself. */
  readonly refersTo: string | null;
  readonly rule: string;
  readonly state: "refused" | "settled" | "released" | "unresolved";
  readonly exposureMicros: Micros;
  /** Null where it is not known. */
  readonly costMicros: Micros | null;
  readonly capUsageAfterMicros: Micros | null;
  /** Null where the call held nothing. */
  readonly charges: readonly Charge[] | null;
  readonly end: Omit<CallEnd, "costMicros">;
}

/** What a call has that nobody sent: it was refused, or its end was never seen. */
export function unseenEnd(finishedAt: number, verdict: Verdict, flag: string | null): Omit<CallEnd, "costMicros"> {
  return {
    finishedAt,
    verdict,
    costSource: "none",
    vendorRequestId: null,
    vendorTxnId: null,
    httpStatus: null,
    latencyMs: null,
    upstreamLatencyMs: null,
    flag,
  };
}

/** Adds final rows to the audit table, each chained to the one before it. */
export class FinalRows {
  readonly #statements: FinalRowStatements;
  readonly #chainKey: () => Uint8Array;

  constructor(statements: FinalRowStatements, chainKey: () => Uint8Array) {
    this.#statements = statements;
    this.#chainKey = chainKey;
  }

  /** The new head, or undefined where there is such a row already: nothing was written then. */
  add(head: ChainHead, row: FinalRow): ChainHead | undefined {
    const values = hashedValues(head.count + 1, row).map(asKept);
    const hash = chainHash(this.#chainKey(), head.hash, values);
    const { changes } = this.#statements.insert.run(...values, head.hash, hash);
    if (changes === 0) return undefined;
    return { count: head.count + 1, hash, costMicros: head.costMicros + (row.costMicros ?? 0n) };
  }
}

/** In the order of `HASHED_COLUMNS`. */
function hashedValues(chainSeq: number, row: FinalRow): ChainValue[] {
  const { seq, facts, refersTo, rule, state, exposureMicros, costMicros, capUsageAfterMicros, charges, end } = row;
  return [
    seq,
    chainSeq,
    facts.id,
    refersTo,
    facts.calledAt,
    end.finishedAt,
    facts.agentRunId,
    facts.agentRunLabel,
    facts.agentName,
    facts.vaultKeyId,
    facts.vendor,
    facts.method,
    facts.endpoint,
    facts.path,
    end.verdict,
    rule,
    state,
    exposureMicros.toString(),
    decimal(costMicros),
    end.costSource,
    decimal(capUsageAfterMicros),
    facts.customerScopeId,
    end.vendorRequestId,
    end.vendorTxnId,
    facts.triggeringEventId,
    facts.idempotencyKeyHash,
    end.httpStatus,
    end.latencyMs,
    end.upstreamLatencyMs,
    end.flag,
    facts.metadata,
    charges && encodeCharges(facts.vaultKeyId, exposureMicros, charges),
  ];
}

/** A lone surrogate cannot be written in UTF-8: what is hashed is what will be read back. */
function asKept(value: ChainValue): ChainValue {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** SQLite makes an integer of it again: the columns are declared so. */
function decimal(amount: Micros | null): string | null {
  return amount === null ? null : amount.toString();
}
