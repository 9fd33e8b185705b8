import type { EpochMs } from "../core/window.ts";
import type { AuditRowView, VendorView } from "../operate/control-plane.ts";
import type { ResolvedCallView } from "../operate/resolution.ts";
import { idempotencyKeySent } from "../operate/vendor-trace.ts";
import type { Column } from "./table.ts";
import { budgetAmount, dollars, fromNow, grouped } from "./wording.ts";

/** An unresolved call's audit row, and the idempotency key that its vendor was sent, where that can be told. */
export interface UnresolvedCall extends AuditRowView {
  readonly idempotency_key_sent: string | null;
}

export function unresolvedCall(row: AuditRowView, vendors: readonly VendorView[]): UnresolvedCall {
  const vendor = vendors.find(({ name }) => name === row["vendor"]);
  const sent = { id: row.id, method: textOf(row, "method"), idempotencyKeyHash: row["idempotency_key_hash"] as string };
  return { ...row, idempotency_key_sent: idempotencyKeySent(vendor, sent) };
}

function textOf(row: AuditRowView, name: string): string {
  return row[name] === null || row[name] === undefined ? "" : String(row[name]);
}

/** What helps to find the call at its vendor; the id is what one pastes, and the last to be cut. */
export const unresolvedColumns = (now: EpochMs): readonly Column<UnresolvedCall>[] => [
  { header: "call", text: ({ id }) => id },
  { header: "when", text: (row) => fromNow(textOf(row, "called_at"), now) },
  { header: "run", text: runOf, widthMin: 6 },
  { header: "endpoint", text: (row) => `${textOf(row, "method")} ${textOf(row, "endpoint")}`, widthMin: 8 },
  { header: "at most", text: (row) => dollars(textOf(row, "exposure_usd")), align: "right", colour: () => "yellow" },
  { header: "why", text: whyOf, widthMin: 6 },
  { header: "at the vendor", text: traceOf, widthMin: 6 },
];

function runOf(row: UnresolvedCall): string {
  return textOf(row, "agent_run_label") || textOf(row, "agent_run_id") || textOf(row, "vault_key_id");
}

/** The vendor's status where one came, and what cut the answer off. */
function whyOf(row: UnresolvedCall): string {
  const status = textOf(row, "http_status");
  const words = [status === "" ? "" : `HTTP ${status}`, textOf(row, "flag").replaceAll("_", " ")];
  return words.filter((word) => word !== "").join(", ") || "no answer";
}

/** By what the vendor knows the call: its own id of the request, and the idempotency key that it was sent. */
function traceOf(row: UnresolvedCall): string {
  const ownKey = textOf(row, "idempotency_key_hash") === "" ? "" : "the agent's own idempotency key";
  const words = [textOf(row, "vendor_request_id"), row.idempotency_key_sent ?? ownKey];
  return words.filter((word) => word !== "").join(", ") || "-";
}

/** `call_… is settled at $29.99; $30.00 was held for it`, and the cap that this changed. */
export function resolvedText(view: ResolvedCallView, now: EpochMs): string {
  const cost = view.state === "settled" ? `settled at ${dollars(view.cost_usd)}` : "released: nothing was spent";
  const first = `${view.refers_to} is ${cost}; ${dollars(view.exposure_usd)} was held for it`;
  return view.budget === null ? first : `${first}\n${budgetText(view.budget, now)}`;
}

/** `daily_usd_cap: $60.00 → $30.00 of $100.00 used, resets in 18h` */
function budgetText(change: NonNullable<ResolvedCallView["budget"]>, now: EpochMs): string {
  const { budget, unit, used_before, used_after, cap, reset_at } = change;
  const amount = (text: string) => (unit === "usd" ? dollars(text) : grouped(text));
  const reset =
    reset_at === null
      ? ""
      : Date.parse(reset_at) <= now
        ? `; that window ended ${fromNow(reset_at, now)}, and the one under way is as it was`
        : `, resets ${fromNow(reset_at, now)}`;
  return `${budget}: ${amount(used_before)} → ${amount(used_after)} of ${budgetAmount(unit, cap)} used${reset}`;
}
