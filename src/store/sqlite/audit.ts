import { and, asc, desc, eq, gt, gte, lt, or, type SQL, sql } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { AuditRow } from "../../audit/row.ts";
import type { CallState, CostSource } from "../../core/hold.ts";
import { idFloor } from "../../core/id.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { EpochMs } from "../../core/window.ts";
import type { AuditFilter, AuditPage, AuditTotals } from "../store.ts";
import { auditRows } from "./schema.ts";

/** Reading the audit table. Rows are written by the ledger, in the transaction that decides a call. */
export class SqliteAudit {
  readonly #db: BunSQLiteDatabase;

  constructor(db: BunSQLiteDatabase) {
    this.#db = db;
  }

  query(filter: AuditFilter, page: { limit: number; before?: number; after?: number }): AuditPage {
    const conditions = filterConditions(filter);
    if (page.after !== undefined) {
      conditions.push(gt(auditRows.seq, page.after));
      const rows = this.#select(conditions, asc(auditRows.seq), page.limit);
      return { rows, older: undefined };
    }
    if (page.before !== undefined) conditions.push(lt(auditRows.seq, page.before));
    const rows = this.#select(conditions, desc(auditRows.seq), page.limit + 1);
    const shown = rows.slice(0, page.limit).reverse();
    return { rows: shown, older: rows.length > page.limit ? shown[0]?.seq : undefined };
  }

  totals(filter: AuditFilter): AuditTotals {
    const sumWhere = (column: SQL, state: CallState) =>
      sql<bigint>`coalesce(sum(CASE WHEN ${auditRows.state} = ${state} THEN ${column} END), 0)`;
    const [row] = this.#db
      .select({
        calls: sql<bigint>`count(*)`,
        refused: sql<bigint>`coalesce(sum(${auditRows.state} = 'refused'), 0)`,
        settled: sumWhere(sql`${auditRows.costMicros}`, "settled"),
        held: sumWhere(sql`${auditRows.exposureMicros}`, "held"),
        unresolved: sumWhere(sql`${auditRows.exposureMicros}`, "unresolved"),
      })
      .from(auditRows)
      .where(and(...filterConditions(filter)))
      .all();
    return {
      calls: Number(row!.calls),
      refused: Number(row!.refused),
      settledMicros: row!.settled,
      heldMicros: row!.held,
      unresolvedMicros: row!.unresolved,
    };
  }

  #select(conditions: SQL[], order: SQL, limit: number): AuditRow[] {
    const query = this.#db
      .select()
      .from(auditRows)
      .where(and(...conditions));
    return query.orderBy(order).limit(limit).all().map(auditRow);
  }
}

function filterConditions(filter: AuditFilter): SQL[] {
  const conditions: SQL[] = [];
  if (filter.run !== undefined) {
    // A key's label never changes, so the rows with a label are those of its keys; an own run id has an index.
    const ofKeys = sql`${auditRows.vaultKeyId} IN (SELECT id FROM vault_keys WHERE label = ${filter.run})`;
    const ownId = and(
      eq(auditRows.agentRunId, filter.run),
      sql`${auditRows.agentRunId} IS NOT ${auditRows.agentRunLabel}`,
    );
    conditions.push(or(ofKeys, ownId)!);
  }
  if (filter.labelContains) conditions.push(sql`instr(${auditRows.agentRunLabel}, ${filter.labelContains}) > 0`);
  if (filter.keyId !== undefined) conditions.push(eq(auditRows.vaultKeyId, filter.keyId));
  if (filter.vendor !== undefined) conditions.push(eq(auditRows.vendor, filter.vendor));
  if (filter.verdict !== undefined) conditions.push(eq(auditRows.policyVerdict, filter.verdict));
  if (filter.verdict !== undefined && filter.verdict !== "allowed") {
    conditions.push(sql`${auditRows.policyVerdict} <> 'allowed'`);
  }
  if (filter.state !== undefined) conditions.push(eq(auditRows.state, filter.state));
  // What is open is little among much; SQLite takes the index of open calls only where its condition is in the query.
  if (filter.state === "held" || filter.state === "unresolved") {
    conditions.push(sql`${auditRows.state} IN ('held', 'unresolved')`);
  }
  if (filter.customer !== undefined) conditions.push(eq(auditRows.customerScopeId, filter.customer));
  if (filter.triggeringEventId !== undefined)
    conditions.push(eq(auditRows.triggeringEventId, filter.triggeringEventId));
  if (filter.since !== undefined) {
    const from = seqAt(filter.since - CLOCK_SPREAD_MS);
    conditions.push(gte(auditRows.calledAt, filter.since), sql`${auditRows.seq} >= coalesce(${from}, ${SEQ_MAX})`);
  }
  if (filter.until !== undefined) {
    const to = seqAt(filter.until + CLOCK_SPREAD_MS);
    conditions.push(lt(auditRows.calledAt, filter.until), sql`${auditRows.seq} <= coalesce(${to}, ${SEQ_MAX})`);
  }
  return conditions;
}

/**
 * Rows are written in the order of their time, give or take what two processes' clocks differ and a commit takes. That
 * order finds a time range by `seq`, with room on both sides; the column then decides exactly.
 */
const CLOCK_SPREAD_MS = 600_000;
const SEQ_MAX = Number.MAX_SAFE_INTEGER;

function seqAt(time: EpochMs): SQL {
  return sql`(SELECT seq FROM audit_rows WHERE id >= ${idFloor("call", time)} ORDER BY id LIMIT 1)`;
}

function auditRow(row: typeof auditRows.$inferSelect): AuditRow {
  return {
    ...row,
    policyVerdict: row.policyVerdict as Verdict,
    state: row.state as CallState,
    costSource: row.costSource as CostSource,
  };
}
