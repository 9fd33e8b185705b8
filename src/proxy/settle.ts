import type { Answer, Call } from "../core/call.ts";
import type { Resolution } from "../core/hold.ts";
import type { Verdict } from "../core/verdict.ts";
import { resolutionOf, unknownOutcome } from "../ledger/outcome.ts";
import { causeText } from "../log.ts";
import type { Cost, Exposure, Operation, Pricing } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Outcome } from "./forward.ts";
import type { AdmittedCall } from "./hold.ts";
import { scrubText } from "./scrub.ts";
import { canariesOf } from "./swap.ts";

/** How a call ended, and what that makes of its hold: its resolution and the cost that it leaves behind. */
export interface Ending {
  readonly outcome: Outcome;
  readonly to: Resolution;
  readonly cost: Cost;
  readonly verdict: Verdict;
  readonly flag: string | null;
}

const NOTHING: Cost = { micros: 0n, source: "none" };

/** What an outcome means (ledger.md, "A hold's life"). Pure. */
export function endingOf({ call, setup, operation, exposure }: AdmittedCall, outcome: Outcome): Ending {
  const forwarded = {
    method: call.method,
    exposureMicros: exposure.micros,
    releasedStatuses: setup.vendor.releasedStatuses,
  };
  if (outcome.kind === "not_sent") {
    return { outcome, to: "released", cost: NOTHING, verdict: "upstream_unreachable", flag: outcome.cause };
  }
  if (outcome.kind === "unknown") {
    const to = unknownOutcome(forwarded);
    return { outcome, to, cost: NOTHING, verdict: "upstream_timeout", flag: outcome.why };
  }
  const to = resolutionOf(outcome.status, forwarded);
  if (to !== "settled") return { outcome, to, cost: NOTHING, verdict: "allowed", flag: null };
  const cost = readCost(call, operation, exposure, setup.pricing, outcome.answer);
  const overrun = cost.micros > exposure.micros ? "overrun" : null;
  return { outcome, to, cost, verdict: "allowed", flag: cost.unreadable ? "cost_unreadable" : overrun };
}

/** An answer that a vendor's file cannot digest costs the full hold; it must not cost the row. */
function readCost(call: Call, operation: Operation, exposure: Exposure, pricing: Pricing, answer: Answer): Cost {
  if (!operation.cost) return NOTHING;
  try {
    const cost = operation.cost(call, answer, exposure, pricing);
    // Where the answer shows more than was held (a dearer currency than the dollar), the larger figure stands.
    return cost.unreadable && cost.micros < exposure.micros ? { ...cost, micros: exposure.micros } : cost;
  } catch {
    return { micros: exposure.micros, source: "none", unreadable: true };
  }
}

/** Resolves the hold and finishes the audit row. Never throws and is not waited for: until it is on disk the hold counts in full. */
export function settle(plane: DataPlane, { facts, setup, receipt, startedMs }: AdmittedCall, ending: Ending): void {
  const { outcome, to, cost, verdict, flag } = ending;
  const answered = outcome.kind === "answered" ? outcome : undefined;
  const { requestIdHeader } = setup.vendor;
  const requestId = (requestIdHeader && answered?.answer.headers.get(requestIdHeader)) || null;
  // What a vendor says may hold what it was sent, and a row is for ever.
  const clean = (text: string | null) => text && scrubText(text, canariesOf(setup));
  plane.ledger
    .resolve({
      type: "resolve",
      callId: facts.id,
      ...(receipt ? { receipt } : {}),
      to,
      end: {
        finishedAt: plane.clock.now(),
        verdict,
        costMicros: cost.micros,
        costSource: to === "settled" ? cost.source : "none",
        vendorRequestId: clean(requestId),
        vendorTxnId: clean(cost.vendorTxnId ?? null),
        httpStatus: outcome.kind === "not_sent" ? null : outcome.status,
        latencyMs: rounded(plane.clock.elapsed() - startedMs),
        upstreamLatencyMs: outcome.kind === "not_sent" ? null : rounded(outcome.upstreamMs),
        flag,
      },
    })
    .catch((cause) => plane.log.error("settle_failed", { call: facts.id, cause: causeText(cause) }));
}

/** To a microsecond; the digits below are noise. */
function rounded(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}
