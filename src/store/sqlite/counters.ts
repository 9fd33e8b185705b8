import type { Database, Statement } from "bun:sqlite";
import type { EpochMs } from "../../core/window.ts";
import { counterKey } from "../../ledger/decide.ts";
import type { Charge } from "../../ledger/entry.ts";
import type { CounterUse } from "../counter-reads.ts";

/** The counters that a batch touches: read once, changed in memory, written once. */
export class Counters extends Map<string, bigint> {
  readonly #stored = new Map<string, bigint>();
  readonly #read: Statement<{ used: bigint }, [string, number]>;
  readonly #write: Statement<unknown, [string, number, bigint]>;

  constructor(database: Database) {
    super();
    this.#read = database.query("SELECT used FROM counters WHERE budget_id = ? AND window_start = ?");
    this.#write = database.query(
      "INSERT INTO counters (budget_id, window_start, used) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET used = excluded.used",
    );
  }

  load(budgetId: string, start: EpochMs): void {
    const key = counterKey(budgetId, start);
    if (this.#stored.has(key)) return;
    const used = this.#read.get(budgetId, start)?.used ?? 0n;
    this.#stored.set(key, used);
    this.set(key, used);
  }

  add(budgetId: string, start: EpochMs, delta: bigint): void {
    this.load(budgetId, start);
    const key = counterKey(budgetId, start);
    this.set(key, this.get(key)! + delta);
  }

  used(charge: Charge): bigint {
    return this.get(counterKey(charge.budgetId, charge.windowStart))!;
  }

  save(): void {
    for (const [key, used] of this) {
      if (used === this.#stored.get(key)) continue;
      const bar = key.indexOf("|");
      this.#write.run(key.slice(bar + 1), Number(key.slice(0, bar)), used);
    }
  }
}

/**
 * The counters under a prefix in these windows. Steps from id to id, so that a budget's earlier windows (a row a day, for
 * ever) are not read on the way.
 */
export function countersUnder(database: Database, prefix: string, starts: readonly EpochMs[]): readonly CounterUse[] {
  const rows = database
    .query<{ budget_id: string; window_start: bigint; used: bigint }, [string, string, string, string]>(
      `WITH RECURSIVE ids (id) AS (
         SELECT min(budget_id) FROM counters WHERE budget_id >= ? AND budget_id < ?
         UNION ALL
         SELECT (SELECT min(budget_id) FROM counters WHERE budget_id > ids.id AND budget_id < ?)
         FROM ids WHERE ids.id IS NOT NULL
       )
       SELECT budget_id, window_start, used FROM ids JOIN counters ON counters.budget_id = ids.id
       WHERE window_start IN (SELECT value FROM json_each(?)) ORDER BY budget_id, window_start`,
    )
    .all(prefix, `${prefix}\u{10ffff}`, `${prefix}\u{10ffff}`, JSON.stringify(starts));
  return rows.map((row) => ({ budgetId: row.budget_id, windowStart: Number(row.window_start), used: row.used }));
}
