import type { Database } from "bun:sqlite";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type { CounterPage, CounterPlace, KeyPolicy, StoreGauges } from "../gauge-reads.ts";
import {
  AFTER_EVERY_ID,
  COUNTED_MAX,
  type CounterRow,
  type GaugesRow,
  gaugesOf,
  KEYS_COUNTED_MAX,
  keyPolicy,
  type PolicyRow,
  pageOf,
} from "../gauge-rows.ts";

/** Bounded reads for metrics, a prepared statement each. */
export class SqliteGauges {
  readonly #statements: ReturnType<typeof prepare>;

  constructor(database: Database) {
    this.#statements = prepare(database);
  }

  gauges(now: EpochMs): StoreGauges {
    return gaugesOf(this.#statements.gauges.get(now)!);
  }

  activePolicies(before: string | undefined, limit: number, now: EpochMs): readonly KeyPolicy[] {
    return this.#statements.policies.all(before ?? AFTER_EVERY_ID, now, limit).map(keyPolicy);
  }

  counterUses(places: readonly CounterPlace[], now: EpochMs): readonly bigint[] {
    const { counter, rolling } = this.#statements;
    return places.map(({ budgetId, windowStart }) => {
      const window = rollingWindowOf(budgetId);
      if (window === undefined) return counter.get(budgetId, windowStart)?.used ?? 0n;
      return rolling.get(now - ROLLING_WINDOWS_MS[window], budgetId)?.used ?? 0n;
    });
  }

  counterPage(prefix: string, starts: readonly EpochMs[], after: string, limit: number): CounterPage {
    const end = `${prefix}\u{10ffff}`;
    const from = after > prefix ? after : prefix;
    const rows = this.#statements.page.all(from, end, end, limit, JSON.stringify(starts));
    return pageOf(rows, limit);
  }
}

function prepare(database: Database) {
  return {
    gauges: database.query<GaugesRow, [EpochMs]>(
      `WITH open AS (
         SELECT exposure_micros FROM (
           SELECT id, exposure_micros FROM audit_rows WHERE state = 'unresolved' ORDER BY seq DESC LIMIT ${COUNTED_MAX}
         ) AS doubtful
         WHERE NOT EXISTS (SELECT 1 FROM audit_rows AS later WHERE later.refers_to = doubtful.id)
       )
       SELECT (SELECT count(*) FROM open) AS unresolved,
         (SELECT coalesce(sum(exposure_micros), 0) FROM open) AS unresolved_micros,
         (SELECT count(*) FROM (SELECT 1 FROM alert_deliveries WHERE state = 'pending' LIMIT ${COUNTED_MAX})) AS alerts,
         (SELECT count(*) FROM (SELECT 1 FROM reconciliations LIMIT ${COUNTED_MAX})) AS prices,
         (SELECT count(*) FROM (
           SELECT 1 FROM vault_keys WHERE revoked_at IS NULL AND expires_at > ? LIMIT ${KEYS_COUNTED_MAX})) AS keys`,
    ),
    policies: database.query<PolicyRow, [string, EpochMs, number]>(
      `SELECT id, policy FROM vault_keys WHERE id < ? AND revoked_at IS NULL AND expires_at > ? ORDER BY id DESC LIMIT ?`,
    ),
    counter: database.query<{ used: bigint }, [string, EpochMs]>(
      "SELECT used FROM counters WHERE budget_id = ? AND window_start = ?",
    ),
    rolling: database.query<{ used: bigint }, [EpochMs, string]>(
      `SELECT used - (
         SELECT coalesce(sum(amount), 0) FROM rolling_entries AS aged
         WHERE aged.budget_id = rolling_totals.budget_id AND taken_at <= ?
       ) AS used FROM rolling_totals WHERE budget_id = ?`,
    ),
    page: database.query<CounterRow, [string, string, string, number, string]>(
      `WITH RECURSIVE ids (id) AS (
         SELECT min(budget_id) FROM counters WHERE budget_id > ? AND budget_id < ?
         UNION ALL
         SELECT (SELECT min(budget_id) FROM counters WHERE budget_id > ids.id AND budget_id < ?)
         FROM ids WHERE ids.id IS NOT NULL LIMIT ?
       )
       SELECT ids.id AS budget_id, window_start, used FROM ids LEFT JOIN counters
         ON counters.budget_id = ids.id AND window_start IN (SELECT value FROM json_each(?))
       WHERE ids.id IS NOT NULL ORDER BY ids.id, window_start`,
    ),
  };
}
