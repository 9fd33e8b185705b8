import { sql } from "drizzle-orm";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type { CounterUse } from "../key-spend.ts";
import type { Tx } from "./db.ts";

/**
 * What counts on a key's rolling budgets at `now`, or at the ledger's own time where that is later. Of what has aged since
 * the last call only the sum is read: nothing is taken off here.
 */
export async function rollingUses(tx: Tx, keyId: string, now: EpochMs): Promise<readonly CounterUse[]> {
  const prefix = `key:${keyId}:`;
  const totals = (await tx.execute(sql`
    SELECT budget_id, used, now FROM rolling_totals, ledger_state
    WHERE budget_id >= ${prefix} AND budget_id < ${`key:${keyId};`} ORDER BY budget_id
  `)) as unknown as { budget_id: string; used: bigint; now: bigint }[];
  const uses: CounterUse[] = [];
  for (const total of totals) {
    const window = rollingWindowOf(total.budget_id);
    if (window === undefined) continue;
    const windowMs = ROLLING_WINDOWS_MS[window];
    const at = Math.max(now, Number(total.now));
    const [entries] = (await tx.execute(sql`
      SELECT coalesce(sum(amount) FILTER (WHERE taken_at <= ${at - windowMs}), 0)::int8 AS aged,
             min(taken_at) FILTER (WHERE taken_at > ${at - windowMs} AND amount > 0) AS oldest
      FROM rolling_entries WHERE budget_id = ${total.budget_id}
    `)) as unknown as [{ aged: bigint; oldest: bigint | null }];
    const use = { name: total.budget_id.slice(prefix.length), windowStart: at, used: total.used - entries.aged };
    uses.push(entries.oldest === null ? use : { ...use, freesAt: Number(entries.oldest) + windowMs });
  }
  return uses;
}
