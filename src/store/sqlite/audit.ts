import { and, asc, desc, eq, gt, gte, lt, type SQL, sql } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import type { AuditRow } from "../../audit/row.ts";
import { idFloor } from "../../core/id.ts";
import { auditRow, auditSearch, bySeq, CLOCK_SPREAD_MS, SEQ_MAX, seqAt } from "../audit-search.ts";
import { heldFilter, heldRow } from "../held-calls.ts";
import { readOpenCalls } from "../ledger/open-call.ts";
import type { AuditFilter, AuditPage, AuditTotals } from "../store.ts";
import { auditRows, openBatches } from "./schema.ts";

const { isUnresolved, conditions: filterConditions } = auditSearch(auditRows, {
  differ: (one, other) => sql`${one} IS NOT ${other}`,
  contains: (text, part) => sql`instr(${text}, ${part}) > 0`,
  noSeq: sql`${SEQ_MAX}`,
});

export { isUnresolved };

/** Reading the audit table. Rows are written by the ledger, in the transaction that decides a call. */
export class SqliteAudit {
  readonly #db: BunSQLiteDatabase;

  constructor(db: BunSQLiteDatabase) {
    this.#db = db;
  }

  query(filter: AuditFilter, page: { limit: number; before?: number; after?: number }): AuditPage {
    return this.#db.transaction(() => this.#query(filter, page));
  }

  #query(filter: AuditFilter, { limit, before, after }: { limit: number; before?: number; after?: number }): AuditPage {
    const conditions = filterConditions(filter);
    const held = this.#held(filter).filter(({ seq }) => seq < (before ?? SEQ_MAX) && seq > (after ?? 0));
    if (after !== undefined) {
      conditions.push(gt(auditRows.seq, after));
      const rows = [...this.#select(filter, conditions, "oldest", limit), ...held].sort(bySeq);
      return { rows: rows.slice(0, limit), older: undefined };
    }
    if (before !== undefined) conditions.push(lt(auditRows.seq, before));
    const rows = [...this.#select(filter, conditions, "newest", limit + 1), ...held].sort(bySeq);
    const shown = rows.slice(-limit);
    return { rows: shown, older: rows.length > limit ? shown[0]?.seq : undefined };
  }

  totals(filter: AuditFilter): AuditTotals {
    return this.#db.transaction(() => {
      const held = this.#held(filter);
      const parts = ranges(filter).map(({ range }) => this.#totals([...filterConditions(filter), ...range]));
      const sum = (amount: (part: TotalsRow) => bigint) => parts.reduce((all, part) => all + amount(part), 0n);
      return {
        calls: Number(sum(({ calls }) => calls)) + held.length,
        refused: Number(sum(({ refused }) => refused)),
        settledMicros: sum(({ settled }) => settled),
        heldMicros: held.reduce((all, { exposureMicros }) => all + exposureMicros, 0n),
        unresolvedMicros: sum(({ unresolved }) => unresolved),
      };
    });
  }

  #totals(conditions: SQL[]): TotalsRow {
    const [row] = this.#db
      .select({
        calls: sql<bigint>`count(*) FILTER (WHERE ${auditRows.refersTo} IS NULL)`,
        refused: sql<bigint>`count(*) FILTER (WHERE ${auditRows.state} = 'refused')`,
        settled: sql<bigint>`coalesce(sum(${auditRows.costMicros}) FILTER (WHERE ${auditRows.state} = 'settled'), 0)`,
        unresolved: sql<bigint>`coalesce(sum(${auditRows.exposureMicros}) FILTER (WHERE ${isUnresolved}), 0)`,
      })
      .from(auditRows)
      .where(and(...conditions))
      .all();
    return row!;
  }

  /** The calls in flight that the filter selects, in the order in which they were decided. */
  #held(filter: AuditFilter): AuditRow[] {
    const selects = heldFilter(filter);
    if (!selects) return [];
    const ended = this.#db
      .select({ id: auditRows.id })
      .from(auditRows)
      .where(eq(auditRows.id, sql.placeholder("id")))
      .prepare();
    const batches = this.#db.select().from(openBatches).orderBy(openBatches.batch).all();
    return batches
      .flatMap(({ batch, owner, calls }) => readOpenCalls({ batch: BigInt(batch), owner, calls }))
      .filter((call) => selects(call) && ended.all({ id: call.facts.id }).length === 0)
      .map(heldRow);
  }

  /** A range is asked only where those before it in the order leave room. */
  #select(filter: AuditFilter, conditions: SQL[], first: "oldest" | "newest", limit: number): AuditRow[] {
    const found: AuditRow[] = [];
    const inOrder = first === "oldest" ? ranges(filter) : ranges(filter).toReversed();
    for (const { range, place } of inOrder) {
      if (found.length === limit) break;
      const query = this.#db
        .select()
        .from(auditRows)
        .where(and(...conditions, ...range));
      const order = first === "oldest" ? asc(place) : desc(place);
      const rows = query.orderBy(order).limit(limit - found.length);
      found.push(...rows.all().map(auditRow));
    }
    return found;
  }
}

/** A part of the table in which rows of a filter lie, and the order of it that SQLite is to go by. */
interface Range {
  readonly range: SQL[];
  readonly place: typeof auditRows.seq | SQL;
}

/**
 * Up to a time there are the calls made before it, which lie together, and behind them, however late, the rows that refer to
 * them. The id that such a row refers to begins with the time of its call.
 */
function ranges({ since, until }: AuditFilter): readonly Range[] {
  if (until === undefined) return [{ range: [], place: auditRows.seq }];
  const to = sql`coalesce(${seqAt(until + CLOCK_SPREAD_MS)}, ${SEQ_MAX})`;
  const later = [
    gte(auditRows.refersTo, idFloor("call", (since ?? 0) - CLOCK_SPREAD_MS)),
    lt(auditRows.refersTo, idFloor("call", until + CLOCK_SPREAD_MS)),
    // The sign keeps SQLite from walking all rows behind instead of the few that refer to these calls.
    sql`+${auditRows.seq} > ${to}`,
  ];
  return [
    { range: [sql`${auditRows.seq} <= ${to}`], place: auditRows.seq },
    { range: later, place: sql`+${auditRows.seq}` },
  ];
}

interface TotalsRow {
  readonly calls: bigint;
  readonly refused: bigint;
  readonly settled: bigint;
  readonly unresolved: bigint;
}
