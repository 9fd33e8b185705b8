import type { Micros } from "../core/money.ts";
import type { PolicyDocument } from "../policy/policy.ts";
import type { CounterPage, KeyPolicy, StoreGauges } from "./gauge-reads.ts";

/** Of what waits, no more is counted: a figure that large says enough, and every scrape costs the same. */
export const COUNTED_MAX = 10_000;

/** An entry of an index for each: what a hundred thousand cost, no call should wait for twice. */
export const KEYS_COUNTED_MAX = 100_000;

/** Ids are ASCII. */
export const AFTER_EVERY_ID = "\u{10ffff}";

/** What the stores' one query for `StoreGauges` answers. */
export interface GaugesRow {
  readonly unresolved: bigint;
  readonly unresolved_micros: Micros;
  readonly alerts: bigint;
  readonly prices: bigint;
  readonly keys: bigint;
}

/** A counter of a page; without a window where its budget has none of those asked for. */
export interface CounterRow {
  readonly budget_id: string;
  readonly window_start: bigint | null;
  readonly used: bigint | null;
}

export interface PolicyRow {
  readonly id: string;
  /** JSON. */
  readonly policy: string;
}

export function gaugesOf(row: GaugesRow): StoreGauges {
  return {
    unresolvedCalls: Number(row.unresolved),
    unresolvedMicros: row.unresolved_micros,
    alertsWaiting: Number(row.alerts),
    pricesWaiting: Number(row.prices),
    activeKeys: Number(row.keys),
  };
}

export function keyPolicy({ id, policy }: PolicyRow): KeyPolicy {
  return { id, policy: JSON.parse(policy) as PolicyDocument };
}

/** @param rows of up to `limit` ids, in their order. */
export function pageOf(rows: readonly CounterRow[], limit: number): CounterPage {
  const ids = new Set(rows.map((row) => row.budget_id));
  const uses = rows.flatMap(({ budget_id: budgetId, window_start: start, used }) =>
    start === null || used === null ? [] : [{ budgetId, windowStart: Number(start), used }],
  );
  return { uses, next: ids.size < limit ? undefined : rows.at(-1)!.budget_id };
}
