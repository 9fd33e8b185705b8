import type { EpochMs } from "../core/window.ts";
import type { AuditTotalsView } from "../operate/audit-chain-verbs.ts";
import type { AuditRowView } from "../operate/control-plane.ts";
import { auditNote, textOf } from "./audit-note.ts";
import type { Column } from "./table.ts";
import type { Colour } from "./voice.ts";
import { counted, dollars, grouped } from "./wording.ts";

export const FORMATS = ["table", "json", "ndjson", "csv"] as const;
export type AuditFormat = (typeof FORMATS)[number];

/**
 * The table's columns; of the time, the part that is the same as now for every row is left out: the day, or the year. A
 * last column tells the rows that are no plain calls, where there are such.
 */
export function auditColumns(rows: readonly AuditRowView[], now: EpochMs): readonly Column<AuditRowView>[] {
  const nowText = new Date(now).toISOString();
  const isEvery = (start: string) => rows.every((row) => textOf(row, "called_at").startsWith(start));
  const begin = isEvery(nowText.slice(0, 10)) ? 11 : isEvery(nowText.slice(0, 4)) ? 5 : 0;
  const note: Column<AuditRowView> = { header: "note", text: auditNote, widthMin: 12 };
  return [
    {
      header: "time (UTC)",
      text: (row) => textOf(row, "called_at").slice(begin, 19).replace("T", " "),
    },
    { header: "run / agent", text: runAndAgent, widthMin: 8 },
    {
      header: "endpoint",
      text: (row) => `${textOf(row, "method")} ${textOf(row, "endpoint")}`,
      widthMin: 18,
      tooWide: "cut-middle",
    },
    { header: "verdict", text: (row) => textOf(row, "policy_verdict"), colour: verdictColour, widthMin: 12 },
    { header: "cost", text: costText, align: "right" },
    { header: "state", text: (row) => textOf(row, "state"), colour: stateColour },
    ...(rows.some((row) => auditNote(row) !== "") ? [note] : []),
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
