import { sql } from "drizzle-orm";
import type { BunSQLiteDatabase } from "drizzle-orm/bun-sqlite";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type { CounterUse } from "../key-spend.ts";

/**
 * What counts on a key's rolling budgets at `now`, or at the ledger's own time where that is later. Of what has aged since
 * the last call only the sum is read: nothing is taken off here.
 */
export function rollingUses(db: BunSQLiteDatabase, keyId: string, now: EpochMs): readonly CounterUse[] {
  const prefix = `key:${keyId}:`;
  const totals = db.all(sql`
    SELECT budget_id, used, now FROM rolling_totals, ledger_state
    WHERE budget_id >= ${prefix} AND budget_id < ${`key:${keyId};`} ORDER BY budget_id
  `) as { budget_id: string; used: bigint; now: bigint }[];
  return totals.flatMap((total) => {
    const window = rollingWindowOf(total.budget_id);
    if (window === undefined) return [];
    const windowMs = ROLLING_WINDOWS_MS[window];
    const at = Math.max(now, Number(total.now));
    const [entries] = db.all(sql`
      SELECT coalesce((
               SELECT sum(amount) FROM rolling_entries
               WHERE budget_id = ${total.budget_id} AND taken_at <= ${at - windowMs}
             ), 0) AS aged,
             (
               SELECT min(taken_at) FROM rolling_entries
               WHERE budget_id = ${total.budget_id} AND taken_at > ${at - windowMs} AND amount > 0
             ) AS oldest
    `) as [{ aged: bigint; oldest: bigint | null }];
    const use = { name: total.budget_id.slice(prefix.length), windowStart: at, used: total.used - entries.aged };
    return [entries.oldest === null ? use : { ...use, freesAt: Number(entries.oldest) + windowMs }];
  });
}
