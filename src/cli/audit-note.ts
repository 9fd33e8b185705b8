import type { AuditRowView } from "../operate/control-plane.ts";

const LOOKS_UP = "looks_up:";
const REPLAYS = "replays:";

/** The text of a row's column; empty where it has none. */
export function textOf(row: AuditRowView, name: string): string {
  const value = row[name];
  if (value === null || value === undefined) return "";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

/**
 * What must be known to read a row: that it belongs to another call (it repeats, asks about, resolves or prices it), its
 * flag, and that a refusal came from a look-up and not from the policy. Rows that are plain calls have none.
 */
export function auditNote(row: AuditRowView): string {
  const flag = textOf(row, "flag");
  const refersTo = textOf(row, "refers_to");
  if (refersTo !== "") {
    const what = textOf(row, "cost_source") === "reconciled" ? `later price of ${refersTo}` : `resolves ${refersTo}`;
    return flag === "" || flag === "looked_up" ? what : `${what}, ${words(flag)}`;
  }
  if (flag === "" && textOf(row, "verdict_rule") === "look_up") return "look-up failed";
  if (flag.startsWith(LOOKS_UP)) return `asks again for ${flag.slice(LOOKS_UP.length)}`;
  return flag.startsWith(REPLAYS) ? `replay of ${flag.slice(REPLAYS.length)}` : words(flag);
}

/** A flag of ours in words; one with a text of an operator's as it is. */
function words(flag: string): string {
  return /^[a-z_]+$/.test(flag) ? flag.replaceAll("_", " ") : flag;
}
