import { and, asc, desc, eq, gt, gte, inArray, lt, or, type SQL, sql } from "drizzle-orm";
import type { AuditRow } from "../../audit/row.ts";
import type { CallState, CostSource } from "../../core/hold.ts";
import { idFloor } from "../../core/id.ts";
import type { Verdict } from "../../core/verdict.ts";
import type { EpochMs } from "../../core/window.ts";
import { heldFilter, heldRow } from "../held-calls.ts";
import { readOpenCalls } from "../ledger/open-call.ts";
import type { AuditFilter, AuditPage, AuditTotals } from "../store.ts";
import { type Db, SNAPSHOT, type Tx } from "./db.ts";
import { auditRows, openBatches } from "./schema.ts";

/**
 * A call whose outcome nobody has found out yet. A literal, because the index of unresolved calls is only
 * taken where its condition stands in the query.
 */
export const isUnresolved: SQL = sql`(${auditRows.state} = 'unresolved' AND NOT EXISTS (
  SELECT 1 FROM audit_rows AS later WHERE later.refers_to = ${auditRows.id}))`;

/** Reading the audit table. Rows are written by the ledger, in the transaction that decides a call. */
export class PostgresAudit {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  query(filter: AuditFilter, page: { limit: number; before?: number; after?: number }): Promise<AuditPage> {
    return this.#db.transaction((tx) => queryIn(tx, filter, page), SNAPSHOT);
  }

  totals(filter: AuditFilter): Promise<AuditTotals> {
    return this.#db.transaction(async (tx) => {
      const [row] = await tx
        .select({
          calls: sql<bigint>`count(*) FILTER (WHERE ${auditRows.refersTo} IS NULL)`,
          refused: sql<bigint>`count(*) FILTER (WHERE ${auditRows.state} = 'refused')`,
          settled: sql<bigint>`coalesce(sum(${auditRows.costMicros}) FILTER (WHERE ${auditRows.state} = 'settled'), 0)::int8`,
          unresolved: sql<bigint>`coalesce(sum(${auditRows.exposureMicros}) FILTER (WHERE ${isUnresolved}), 0)::int8`,
        })
        .from(auditRows)
        .where(and(...filterConditions(filter)));
      const held = await heldIn(tx, filter);
      return {
        calls: Number(row!.calls) + held.length,
        refused: Number(row!.refused),
        settledMicros: row!.settled,
        heldMicros: held.reduce((sum, { exposureMicros }) => sum + exposureMicros, 0n),
        unresolvedMicros: row!.unresolved,
      };
    }, SNAPSHOT);
  }
}

async function queryIn(
  tx: Tx,
  filter: AuditFilter,
  { limit, before, after }: { limit: number; before?: number; after?: number },
): Promise<AuditPage> {
  const conditions = filterConditions(filter);
  const held = (await heldIn(tx, filter)).filter(({ seq }) => seq < (before ?? SEQ_MAX) && seq > (after ?? 0));
  if (after !== undefined) {
    conditions.push(gt(auditRows.seq, after));
    const rows = [...(await selectIn(tx, conditions, asc(auditRows.seq), limit)), ...held].sort(bySeq);
    return { rows: rows.slice(0, limit), older: undefined };
  }
  if (before !== undefined) conditions.push(lt(auditRows.seq, before));
  const rows = [...(await selectIn(tx, conditions, desc(auditRows.seq), limit + 1)), ...held].sort(bySeq);
  const shown = rows.slice(-limit);
  return { rows: shown, older: rows.length > limit ? shown[0]?.seq : undefined };
}

/** The calls in flight that the filter selects, in the order in which they were decided. */
async function heldIn(tx: Tx, filter: AuditFilter): Promise<AuditRow[]> {
  const selects = heldFilter(filter);
  if (!selects) return [];
  const batches = await tx.select().from(openBatches).orderBy(openBatches.batch);
  const calls = batches
    .flatMap(({ batch, owner, calls }) => readOpenCalls({ batch: BigInt(batch), owner, calls }))
    .filter(selects);
  if (calls.length === 0) return [];
  const ids = calls.map(({ facts }) => facts.id);
  const final = await tx.select({ id: auditRows.id }).from(auditRows).where(inArray(auditRows.id, ids));
  const ended = new Set(final.map(({ id }) => id));
  return calls.filter(({ facts }) => !ended.has(facts.id)).map(heldRow);
}

async function selectIn(tx: Tx, conditions: SQL[], order: SQL, limit: number): Promise<AuditRow[]> {
  const query = tx
    .select()
    .from(auditRows)
    .where(and(...conditions));
  return (await query.orderBy(order).limit(limit)).map(auditRow);
}

function filterConditions(filter: AuditFilter): SQL[] {
  const conditions: SQL[] = [];
  if (filter.callId !== undefined) {
    conditions.push(or(eq(auditRows.id, filter.callId), eq(auditRows.refersTo, filter.callId))!);
  }
  if (filter.run !== undefined) {
    // A key's label never changes, so the rows with a label are those of its keys; an own run id has an index.
    const ofKeys = sql`${auditRows.vaultKeyId} IN (SELECT id FROM vault_keys WHERE label = ${filter.run})`;
    const ownId = and(
      eq(auditRows.agentRunId, filter.run),
      sql`${auditRows.agentRunId} IS DISTINCT FROM ${auditRows.agentRunLabel}`,
    );
    conditions.push(or(ofKeys, ownId)!);
  }
  if (filter.labelContains) conditions.push(sql`strpos(${auditRows.agentRunLabel}, ${filter.labelContains}) > 0`);
  if (filter.keyId !== undefined) conditions.push(eq(auditRows.vaultKeyId, filter.keyId));
  if (filter.vendor !== undefined) conditions.push(eq(auditRows.vendor, filter.vendor));
  if (filter.verdict !== undefined) conditions.push(eq(auditRows.policyVerdict, filter.verdict));
  if (filter.verdict !== undefined && filter.verdict !== "allowed") {
    conditions.push(sql`${auditRows.policyVerdict} <> 'allowed'`);
  }
  if (filter.state !== undefined)
    conditions.push(filter.state === "unresolved" ? isUnresolved : eq(auditRows.state, filter.state));
  if (filter.customer !== undefined) conditions.push(eq(auditRows.customerScopeId, filter.customer));
  if (filter.triggeringEventId !== undefined)
    conditions.push(eq(auditRows.triggeringEventId, filter.triggeringEventId));
  if (filter.since !== undefined) {
    const from = seqAt(filter.since - CLOCK_SPREAD_MS);
    conditions.push(
      gte(auditRows.calledAt, filter.since),
      sql`${auditRows.seq} >= coalesce(${from}, ${SEQ_MAX}::int8)`,
    );
  }
  if (filter.until !== undefined) conditions.push(lt(auditRows.calledAt, filter.until));
  return conditions;
}

/**
 * Rows are written in the order of their time, give or take what two processes' clocks differ and a commit takes. That
 * order finds a time range by `seq`, with room on both sides; the column then decides exactly.
 */
export const CLOCK_SPREAD_MS = 600_000;
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

function bySeq(a: AuditRow, b: AuditRow): number {
  return a.seq - b.seq;
}
