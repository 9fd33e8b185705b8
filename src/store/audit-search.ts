import { and, eq, gte, lt, or, type SQL, type SQLWrapper, sql } from "drizzle-orm";
import type { AuditRow } from "../audit/row.ts";
import type { CallState, CostSource } from "../core/hold.ts";
import { idFloor } from "../core/id.ts";
import type { Verdict } from "../core/verdict.ts";
import type { EpochMs } from "../core/window.ts";
import type { AuditFilter } from "./store.ts";

/** The columns of either database's audit table that a filter is about. */
export type AuditColumns = Readonly<
  Record<
    | "id"
    | "seq"
    | "calledAt"
    | "agentRunId"
    | "agentRunLabel"
    | "vaultKeyId"
    | "vendor"
    | "policyVerdict"
    | "state"
    | "customerScopeId"
    | "triggeringEventId"
    | "refersTo",
    SQLWrapper
  >
>;

/** How a database says what the other one says differently. */
export interface AuditDialect {
  /** Whether two values differ, where null is a value. */
  readonly differ: (one: SQLWrapper, other: SQLWrapper) => SQL;
  readonly contains: (text: SQLWrapper, part: string) => SQL;
  /** Above every `seq`. */
  readonly noSeq: SQL;
}

/** How the rows of a filter are found in one database's table. */
export interface AuditSearch {
  /** A call whose outcome nobody has found out yet. */
  readonly isUnresolved: SQL;
  readonly conditions: (filter: AuditFilter) => SQL[];
}

/**
 * Rows are written in the order of their time, give or take what two processes' clocks differ and a commit takes. That
 * order finds a time range by `seq`, with room on both sides; the column then decides exactly.
 */
export const CLOCK_SPREAD_MS = 600_000;
export const SEQ_MAX = Number.MAX_SAFE_INTEGER;

export function seqAt(time: EpochMs): SQL {
  return sql`(SELECT seq FROM audit_rows WHERE id >= ${idFloor("call", time)} ORDER BY id LIMIT 1)`;
}

export function auditSearch(rows: AuditColumns, { differ, contains, noSeq }: AuditDialect): AuditSearch {
  // A literal, because the index of unresolved calls is only taken where its condition stands in the query.
  const isUnresolved = sql`(${rows.state} = 'unresolved' AND NOT EXISTS (
    SELECT 1 FROM audit_rows AS later WHERE later.refers_to = ${rows.id}))`;
  const ofRun = (run: string): SQL => {
    // A key's label never changes, so the rows with a label are those of its keys; an own run id has an index.
    const ofKeys = sql`${rows.vaultKeyId} IN (SELECT id FROM vault_keys WHERE label = ${run})`;
    return or(ofKeys, and(eq(rows.agentRunId, run), differ(rows.agentRunId, rows.agentRunLabel)))!;
  };
  const since = (from: EpochMs): SQL =>
    and(gte(rows.calledAt, from), sql`${rows.seq} >= coalesce(${seqAt(from - CLOCK_SPREAD_MS)}, ${noSeq})`)!;
  const conditions = (filter: AuditFilter): SQL[] => {
    const { callId, run, labelContains, keyId, vendor, verdict, state, customer, triggeringEventId, until } = filter;
    return [
      callId !== undefined && or(eq(rows.id, callId), eq(rows.refersTo, callId)),
      run !== undefined && ofRun(run),
      labelContains && contains(rows.agentRunLabel, labelContains),
      keyId !== undefined && eq(rows.vaultKeyId, keyId),
      vendor !== undefined && eq(rows.vendor, vendor),
      verdict !== undefined && eq(rows.policyVerdict, verdict),
      // As the condition of the index of refusals has it.
      verdict !== undefined && verdict !== "allowed" && sql`${rows.policyVerdict} <> 'allowed'`,
      state !== undefined && (state === "unresolved" ? isUnresolved : eq(rows.state, state)),
      customer !== undefined && eq(rows.customerScopeId, customer),
      triggeringEventId !== undefined && eq(rows.triggeringEventId, triggeringEventId),
      filter.since !== undefined && since(filter.since),
      until !== undefined && lt(rows.calledAt, until),
    ].filter((condition) => typeof condition === "object");
  };
  return { isUnresolved, conditions };
}

/** A row as either database hands it out: texts that the ledger has written, and nobody else. */
export function auditRow<
  Row extends { readonly policyVerdict: string; readonly state: string; readonly costSource: string },
>(row: Row): Row & Pick<AuditRow, "policyVerdict" | "state" | "costSource"> {
  return {
    ...row,
    policyVerdict: row.policyVerdict as Verdict,
    state: row.state as CallState,
    costSource: row.costSource as CostSource,
  };
}

export function bySeq(a: AuditRow, b: AuditRow): number {
  return a.seq - b.seq;
}
