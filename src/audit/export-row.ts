import type { CallState, CostSource } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";
import type { Verdict } from "../core/verdict.ts";
import type { ChainValue } from "./chain.ts";
import { type ChainColumn, columnValue } from "./chain-columns.ts";
import type { ChainedRow } from "./chained-row.ts";
import { CSV_HEADER, csvLine, presentRow } from "./present.ts";
import type { AuditRow } from "./row.ts";

/**
 * What an exported row has beside the columns of every listing: its position, and in `hashed` the very text that its hash
 * covers, so that HMAC-SHA256(key, prev_hash ‖ hashed) can be computed without knowing how Keybrake writes numbers.
 */
const EXTRA = ["chain_seq", "hashed"] as const;

/** One line of NDJSON, with its line feed. */
export function exportLine(row: ChainedRow): string {
  return `${JSON.stringify({ ...presentRow(auditRowOf(row)), chain_seq: row.chainSeq, hashed: hashedText(row) })}\n`;
}

export const EXPORT_CSV_HEADER = CSV_HEADER.replace("\r\n", `,${EXTRA.join(",")}\r\n`);

/** One CSV record. `hashed` begins with a bracket and has quotes in it: no spreadsheet runs it. */
export function exportCsvLine(row: ChainedRow): string {
  const columns = csvLine(presentRow(auditRowOf(row))).replace(/\r\n$/, "");
  return `${columns},${row.chainSeq},"${hashedText(row).replaceAll('"', '""')}"\r\n`;
}

function hashedText({ values }: ChainedRow): string {
  return JSON.stringify(values);
}

/** The row as every listing has it. */
export function auditRowOf({ place, values, prevHash, hash }: ChainedRow): AuditRow {
  const read = (column: ChainColumn): ChainValue => columnValue(values, column);
  const text = (column: ChainColumn) => read(column) as string | null;
  const number = (column: ChainColumn) => read(column) as number | null;
  const money = (column: ChainColumn) => toMicros(read(column));
  return {
    seq: Number(place),
    id: text("id")!,
    refersTo: text("refers_to"),
    calledAt: number("called_at")!,
    finishedAt: number("finished_at"),
    agentRunId: text("agent_run_id"),
    agentRunLabel: text("agent_run_label"),
    agentName: text("agent_name"),
    vaultKeyId: text("vault_key_id")!,
    vendor: text("vendor")!,
    method: text("method")!,
    endpoint: text("endpoint")!,
    path: text("path")!,
    policyVerdict: text("policy_verdict") as Verdict,
    verdictRule: text("verdict_rule")!,
    state: text("state") as CallState,
    exposureMicros: money("exposure_micros")!,
    costMicros: money("cost_micros"),
    costSource: text("cost_source") as CostSource,
    capUsageAfterMicros: money("cap_usage_after_micros"),
    customerScopeId: text("customer_scope_id"),
    vendorRequestId: text("vendor_request_id"),
    vendorTxnId: text("vendor_txn_id"),
    triggeringEventId: text("triggering_event_id"),
    idempotencyKeyHash: text("idempotency_key_hash"),
    httpStatus: number("http_status"),
    latencyMs: number("latency_ms"),
    upstreamLatencyMs: number("upstream_latency_ms"),
    flag: text("flag"),
    metadata: text("metadata"),
    prevHash: Buffer.from(prevHash).toString("hex"),
    hash: Buffer.from(hash).toString("hex"),
  };
}

function toMicros(value: ChainValue): Micros | null {
  return value === null ? null : BigInt(value);
}
