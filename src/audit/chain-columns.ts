import type { ChainValue } from "./chain.ts";

/** How a column's value is written where it is hashed: `micros` as decimal text, the others as JSON has them. */
export type ColumnKind = "integer" | "real" | "micros" | "text";

/** The columns that a row's hash covers, in its order: all but the two hashes themselves. */
export const CHAIN_COLUMNS = [
  ["seq", "integer"],
  ["chain_seq", "integer"],
  ["id", "text"],
  ["refers_to", "text"],
  ["called_at", "integer"],
  ["finished_at", "integer"],
  ["agent_run_id", "text"],
  ["agent_run_label", "text"],
  ["agent_name", "text"],
  ["vault_key_id", "text"],
  ["vendor", "text"],
  ["method", "text"],
  ["endpoint", "text"],
  ["path", "text"],
  ["policy_verdict", "text"],
  ["verdict_rule", "text"],
  ["state", "text"],
  ["exposure_micros", "micros"],
  ["cost_micros", "micros"],
  ["cost_source", "text"],
  ["cap_usage_after_micros", "micros"],
  ["customer_scope_id", "text"],
  ["vendor_request_id", "text"],
  ["vendor_txn_id", "text"],
  ["triggering_event_id", "text"],
  ["idempotency_key_hash", "text"],
  ["http_status", "integer"],
  ["latency_ms", "real"],
  ["upstream_latency_ms", "real"],
  ["flag", "text"],
  ["metadata", "text"],
  ["charges", "text"],
] as const satisfies readonly (readonly [name: string, kind: ColumnKind])[];

export type ChainColumn = (typeof CHAIN_COLUMNS)[number][0];

export const HASHED_COLUMNS: readonly ChainColumn[] = CHAIN_COLUMNS.map(([name]) => name);

const PLACES = new Map<string, number>(HASHED_COLUMNS.map((name, place) => [name, place]));

/** Where `column` stands among the hashed values. */
export function columnPlace(column: ChainColumn): number {
  return PLACES.get(column)!;
}

/** The value of `column` among a row's hashed values. */
export function columnValue(values: readonly ChainValue[], column: ChainColumn): ChainValue {
  return values[PLACES.get(column)!]!;
}
