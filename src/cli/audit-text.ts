import type { EpochMs } from "../core/window.ts";
import type { AuditRowView, AuditTotalsView } from "../operate/control-plane.ts";
import type { Column } from "./table.ts";
import type { Colour } from "./voice.ts";
import { counted, dollars, grouped } from "./wording.ts";

export const FORMATS = ["table", "json", "ndjson", "csv"] as const;
export type AuditFormat = (typeof FORMATS)[number];

/** The columns of audit.md, in its order. */
const CSV_COLUMNS = [
  "id",
  "called_at",
  "finished_at",
  "agent_run_id",
  "agent_run_label",
  "agent_name",
  "vault_key_id",
  "vendor",
  "method",
  "endpoint",
  "path",
  "policy_verdict",
  "verdict_rule",
  "state",
  "exposure_usd",
  "cost_usd",
  "cost_source",
  "cap_usage_after_usd",
  "customer_scope_id",
  "vendor_request_id",
  "vendor_txn_id",
  "triggering_event_id",
  "idempotency_key_hash",
  "http_status",
  "latency_ms",
  "upstream_latency_ms",
  "metadata",
  "prev_hash",
  "hash",
] as const;

function textOf(row: AuditRowView, name: (typeof CSV_COLUMNS)[number]): string {
  const value = row[name];
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/** The table's columns; a day that is today for every row is left out of the time. */
export function auditColumns(rows: readonly AuditRowView[], now: EpochMs): readonly Column<AuditRowView>[] {
  const today = new Date(now).toISOString().slice(0, 10);
  const isToday = rows.every((row) => textOf(row, "called_at").startsWith(today));
  return [
    {
      header: "time (UTC)",
      text: (row) =>
        textOf(row, "called_at")
          .slice(isToday ? 11 : 0, 19)
          .replace("T", " "),
    },
    { header: "run / agent", text: runAndAgent, widthMin: 10 },
    { header: "endpoint", text: (row) => `${textOf(row, "method")} ${textOf(row, "endpoint")}`, widthMin: 14 },
    { header: "verdict", text: (row) => textOf(row, "policy_verdict"), colour: verdictColour, widthMin: 12 },
    { header: "cost", text: costText, align: "right" },
    { header: "state", text: (row) => textOf(row, "state"), colour: stateColour },
  ];
}

function runAndAgent(row: AuditRowView): string {
  const run = textOf(row, "agent_run_label") || textOf(row, "agent_run_id") || textOf(row, "vault_key_id");
  const agent = textOf(row, "agent_name");
  return agent === "" ? run : `${run} (${agent})`;
}

/** What the call did cost, or what is kept for it while that is not known. */
function costText(row: AuditRowView): string {
  const state = textOf(row, "state");
  if (state === "refused") return "-";
  const cost = textOf(row, state === "held" || state === "unresolved" ? "exposure_usd" : "cost_usd");
  return cost === "" ? "-" : dollars(cost);
}

function verdictColour(row: AuditRowView): Colour | undefined {
  return textOf(row, "policy_verdict") === "allowed" ? undefined : "red";
}

function stateColour(row: AuditRowView): Colour | undefined {
  const state = textOf(row, "state");
  if (state === "settled") return "green";
  return state === "held" || state === "unresolved" ? "yellow" : "dim";
}

/** `12 calls, 3 refused, $240.00 settled, $0.00 held, $0.00 unresolved` */
export function totalsText(totals: AuditTotalsView): string {
  return [
    counted(totals.calls, "call"),
    `${grouped(totals.refused)} refused`,
    `${dollars(totals.settled_usd)} settled`,
    `${dollars(totals.held_usd)} held`,
    `${dollars(totals.unresolved_usd)} unresolved`,
  ].join(", ");
}

export function csvHeader(): string {
  return `${CSV_COLUMNS.join(",")}\r\n`;
}

/** RFC 4180. */
export function csvLine(row: AuditRowView): string {
  return `${CSV_COLUMNS.map((name) => csvField(textOf(row, name))).join(",")}\r\n`;
}

/**
 * A text that a spreadsheet would run as a formula (`=HYPERLINK(…)` in an agent's name) gets an apostrophe before it
 * (owasp.org/www-community/attacks/CSV_Injection). Amounts are never negative here.
 */
function csvField(text: string): string {
  const inert = /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}
