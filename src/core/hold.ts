/**
 * The life of a call's exposure. `refused` is the state of a row whose call never had a hold.
 * held → settled (the real cost) | released (nothing was spent) | unresolved (outcome unknown, kept in full)
 * unresolved → settled | released, by a look-up or by an operator.
 */
export const CALL_STATES = ["refused", "held", "settled", "released", "unresolved"] as const;
export type CallState = (typeof CALL_STATES)[number];

/** Where a hold can go. */
export type Resolution = "settled" | "released" | "unresolved";

/** Whether a hold in state `from` may move to `to`. A second resolution is refused, save that of an unresolved call. */
export function mayResolve(from: CallState, to: Resolution): boolean {
  return from === "held" || (from === "unresolved" && to !== "unresolved");
}

/** Where a cost was read. */
export const COST_SOURCES = [
  "vendor_response",
  "request",
  "rate_table",
  "lookup",
  "reconciled",
  "manual",
  "none",
] as const;
export type CostSource = (typeof COST_SOURCES)[number];
