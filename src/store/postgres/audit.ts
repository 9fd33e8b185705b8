import { and, asc, desc, gt, inArray, lt, type SQL, sql } from "drizzle-orm";
import type { AuditRow } from "../../audit/row.ts";
import { auditRow, auditSearch, bySeq, SEQ_MAX } from "../audit-search.ts";
import { heldFilter, heldRow } from "../held-calls.ts";
import { readOpenCalls } from "../ledger/open-call.ts";
import type { AuditFilter, AuditPage, AuditTotals } from "../store.ts";
import { type Db, SNAPSHOT, type Tx } from "./db.ts";
import { auditRows, openBatches } from "./schema.ts";

const { isUnresolved, conditions: filterConditions } = auditSearch(auditRows, {
  differ: (one, other) => sql`${one} IS DISTINCT FROM ${other}`,
  contains: (text, part) => sql`strpos(${text}, ${part}) > 0`,
  noSeq: sql`${SEQ_MAX}::int8`,
});

export { isUnresolved };

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
