import { formatUsd, type Micros } from "../core/money.ts";
import type { EpochMs } from "../core/window.ts";
import { csvField } from "./csv-field.ts";
import type { AuditRow } from "./row.ts";

type Shown = string | number | Readonly<Record<string, string>> | null;
type Column = readonly [name: string, read: (row: AuditRow) => Shown];

/** The names and their order everywhere outside the store: JSON, NDJSON, CSV. Dollars are decimal text, times ISO 8601. */
const COLUMNS: readonly Column[] = [
  ["id", (row) => row.id],
  ["called_at", (row) => isoTime(row.calledAt)],
  ["finished_at", (row) => isoTime(row.finishedAt)],
  ["agent_run_id", (row) => row.agentRunId],
  ["agent_run_label", (row) => row.agentRunLabel],
  ["agent_name", (row) => row.agentName],
  ["vault_key_id", (row) => row.vaultKeyId],
  ["vendor", (row) => row.vendor],
  ["method", (row) => row.method],
  ["endpoint", (row) => row.endpoint],
  ["path", (row) => row.path],
  ["policy_verdict", (row) => row.policyVerdict],
  ["verdict_rule", (row) => row.verdictRule],
  ["state", (row) => row.state],
  ["exposure_usd", (row) => dollars(row.exposureMicros)],
  ["cost_usd", (row) => dollars(row.costMicros)],
  ["cost_source", (row) => row.costSource],
  ["cap_usage_after_usd", (row) => dollars(row.capUsageAfterMicros)],
  ["customer_scope_id", (row) => row.customerScopeId],
  ["vendor_request_id", (row) => row.vendorRequestId],
  ["vendor_txn_id", (row) => row.vendorTxnId],
  ["triggering_event_id", (row) => row.triggeringEventId],
  ["idempotency_key_hash", (row) => row.idempotencyKeyHash],
  ["http_status", (row) => row.httpStatus],
  ["latency_ms", (row) => row.latencyMs],
  ["upstream_latency_ms", (row) => row.upstreamLatencyMs],
  ["flag", (row) => row.flag],
  ["metadata", (row) => metadata(row.metadata)],
  ["refers_to", (row) => row.refersTo],
  ["prev_hash", (row) => row.prevHash],
  ["hash", (row) => row.hash],
];

/** Columns whose text Keybrake itself writes, numbers and times: nothing in them can be taken for a formula. */
const WRITTEN_BY_US: ReadonlySet<string> = new Set([
  "id",
  "called_at",
  "finished_at",
  "exposure_usd",
  "cost_usd",
  "cap_usage_after_usd",
  "http_status",
  "latency_ms",
  "upstream_latency_ms",
]);

/** One audit row with the names of audit.md; dollars are decimal strings, times ISO 8601, metadata an object. */
export type PresentedRow = Readonly<Record<string, unknown>> & { readonly id: string };

export const AUDIT_COLUMNS: readonly string[] = COLUMNS.map(([name]) => name);

export function presentRow(row: AuditRow): PresentedRow {
  return Object.fromEntries(COLUMNS.map(([name, read]) => [name, read(row)])) as PresentedRow;
}

/** One line of NDJSON, with its line feed. */
export function ndjsonLine(row: PresentedRow): string {
  return `${JSON.stringify(row)}\n`;
}

/** The first line of a CSV file (RFC 4180: CRLF after every record). */
export const CSV_HEADER = `${AUDIT_COLUMNS.join(",")}\r\n`;

/** One CSV record. Metadata is JSON text; whoever needs texts as they are, formulas too, takes NDJSON. */
export function csvLine(row: PresentedRow): string {
  return `${AUDIT_COLUMNS.map((name) => csvField(row[name], WRITTEN_BY_US.has(name))).join(",")}\r\n`;
}

function isoTime(at: EpochMs | null): string | null {
  return at === null ? null : new Date(at).toISOString();
}

function dollars(amount: Micros | null): string | null {
  return amount === null ? null : formatUsd(amount);
}

function metadata(text: string | null): Readonly<Record<string, string>> | null {
  return text === null ? null : (JSON.parse(text) as Readonly<Record<string, string>>);
}
