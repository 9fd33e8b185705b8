import type { Micros } from "../core/money.ts";
import type { AuditRow } from "./row.ts";

type SpendingRow = Pick<AuditRow, "state" | "refersTo" | "costMicros" | "costSource" | "exposureMicros">;

/**
 * What a final row adds to what has been spent. An unresolved call counts in full until a later row says what became of it,
 * and a later price is the difference to what was counted.
 */
export function spentMicros({ state, refersTo, costMicros, costSource, exposureMicros }: SpendingRow): Micros {
  if (state === "refused") return 0n;
  if (state === "unresolved") return exposureMicros;
  const cost = costMicros ?? 0n;
  return refersTo === null || costSource === "reconciled" ? cost : cost - exposureMicros;
}
