import { isRead, type Method } from "../core/call.ts";
import type { Resolution } from "../core/hold.ts";
import type { Micros } from "../core/money.ts";

/** Answers by which every vendor says that it did nothing. */
const RELEASED = new Set([400, 401, 403, 404, 422]);

/** What the ledger must know of a forwarded call to judge its end. */
export interface Forwarded {
  readonly method: Method;
  readonly exposureMicros: Micros;
  /** Further statuses by which this vendor says that it did nothing. */
  readonly releasedStatuses: readonly number[];
}

/**
 * What a vendor's answer means for the hold (ledger.md, "A hold's life"). Whatever is not known to have moved nothing
 * counts as spent until somebody knows better. A read that holds nothing has nothing to find out.
 */
export function resolutionOf(status: number, call: Forwarded): Resolution {
  if (status >= 200 && status < 300) return "settled";
  if (RELEASED.has(status) || call.releasedStatuses.includes(status)) return "released";
  return unknownOutcome(call);
}

/** The end of a call whose answer never came whole. */
export function unknownOutcome(call: Forwarded): Resolution {
  return isRead(call.method) && call.exposureMicros === 0n ? "released" : "unresolved";
}
