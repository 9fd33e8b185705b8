import type { SQL as Pool } from "bun";
import { type EpochMs, ROLLING_WINDOWS_MS } from "../../core/window.ts";
import { rollingWindowOf } from "../../ledger/budget.ts";
import type { CounterPage, CounterPlace, GaugeReads, KeyPolicy, StoreGauges } from "../gauge-reads.ts";
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

/** Bounded reads for metrics. */
export class PostgresGauges implements GaugeReads {
  readonly #pool: Pool;

  constructor(pool: Pool) {
    this.#pool = pool;
  }

  async gauges(now: EpochMs): Promise<StoreGauges> {
    const [row] = (await this.#pool.unsafe(
      `WITH open AS (
         SELECT exposure_micros FROM (
           SELECT id, exposure_micros FROM audit_rows WHERE state = 'unresolved' ORDER BY seq DESC LIMIT ${COUNTED_MAX}
         ) AS doubtful
         WHERE NOT EXISTS (SELECT 1 FROM audit_rows AS later WHERE later.refers_to = doubtful.id)
       )
       SELECT (SELECT count(*) FROM open) AS unresolved,
         (SELECT coalesce(sum(exposure_micros), 0)::int8 FROM open) AS unresolved_micros,
         (SELECT count(*) FROM (SELECT 1 FROM alert_deliveries WHERE state = 'pending' LIMIT ${COUNTED_MAX}) AS a) AS alerts,
         (SELECT count(*) FROM (SELECT 1 FROM reconciliations LIMIT ${COUNTED_MAX}) AS p) AS prices,
         (SELECT count(*) FROM (
           SELECT 1 FROM vault_keys WHERE revoked_at IS NULL AND expires_at > $1 LIMIT ${KEYS_COUNTED_MAX}) AS k) AS keys`,
      [now],
    )) as [GaugesRow];
    return gaugesOf(row);
  }

  async activePolicies(before: string | undefined, limit: number, now: EpochMs): Promise<readonly KeyPolicy[]> {
    const rows = (await this.#pool.unsafe(
      `SELECT id, policy FROM vault_keys WHERE id < $1 AND revoked_at IS NULL AND expires_at > $2
       ORDER BY id DESC LIMIT $3`,
      [before ?? AFTER_EVERY_ID, now, limit],
    )) as PolicyRow[];
    return rows.map(keyPolicy);
  }

  async counterUses(places: readonly CounterPlace[], now: EpochMs): Promise<readonly bigint[]> {
    const asked = places.map(({ budgetId, windowStart }) => {
      const window = rollingWindowOf(budgetId);
      return [budgetId, windowStart, window === undefined ? null : now - ROLLING_WINDOWS_MS[window]];
    });
    const rows = (await this.#pool.unsafe(
      `SELECT CASE WHEN v ->> 2 IS NULL
           THEN (SELECT used FROM counters WHERE budget_id = v ->> 0 AND window_start = (v ->> 1)::int8)
           ELSE (SELECT used FROM rolling_totals WHERE budget_id = v ->> 0) - (
             SELECT coalesce(sum(amount), 0)::int8 FROM rolling_entries
             WHERE budget_id = v ->> 0 AND taken_at <= (v ->> 2)::int8)
         END AS used
       FROM json_array_elements($1::text::json) WITH ORDINALITY AS a (v, i) ORDER BY i`,
      [JSON.stringify(asked)],
    )) as { used: bigint | null }[];
    return rows.map(({ used }) => used ?? 0n);
  }

  async counterPage(prefix: string, starts: readonly EpochMs[], after: string, limit: number): Promise<CounterPage> {
    const next = "SELECT budget_id FROM counters WHERE budget_id >";
    const rows = (await this.#pool.unsafe(
      `WITH RECURSIVE ids (id, place) AS (
             SELECT (${next} $1 AND budget_id < $2 ORDER BY budget_id LIMIT 1), 1
             UNION ALL
             SELECT (${next} ids.id AND budget_id < $2 ORDER BY budget_id LIMIT 1), place + 1
             FROM ids WHERE ids.id IS NOT NULL AND place < $3
           )
           SELECT ids.id AS budget_id, window_start, used FROM ids LEFT JOIN counters
             ON counters.budget_id = ids.id
               AND window_start IN (SELECT value::int8 FROM json_array_elements_text($4::text::json))
           WHERE ids.id IS NOT NULL ORDER BY ids.id, window_start`,
      [after > prefix ? after : prefix, `${prefix}\u{10ffff}`, limit, JSON.stringify(starts)],
    )) as CounterRow[];
    return pageOf(rows, limit);
  }
}
