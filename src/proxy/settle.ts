import type { CallEnd } from "../audit/row.ts";
import type { Answer, Call } from "../core/call.ts";
import type { Resolution } from "../core/hold.ts";
import type { Verdict } from "../core/verdict.ts";
import type { ResolveRequest } from "../ledger/entry.ts";
import { objectName } from "../ledger/object.ts";
import { resolutionOf, unknownOutcome } from "../ledger/outcome.ts";
import { causeText } from "../log.ts";
import { callUnresolved } from "../operate/unresolved-events.ts";
import type { Cost, Exposure, Operation, Pricing } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import type { Outcome } from "./forward.ts";
import type { AdmittedCall } from "./hold.ts";
import { FIRST_ASK_MS } from "./reconciler.ts";
import type { Outgoing } from "./refusal.ts";
import { repeatOutcome } from "./repeat.ts";
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
export function endingOf(admitted: AdmittedCall, outcome: Outcome): Ending {
  const { call, setup, operation, exposure } = admitted;
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
  const cost = readCost(call, operation, exposure, setup.pricing, countedAnswer(admitted, outcome.answer));
  if (isUncounted(exposure)) return { outcome, to, cost: uncounted(cost), verdict: "allowed", flag: "unpriced" };
  const overrun = cost.micros > exposure.micros ? "overrun" : null;
  return { outcome, to, cost, verdict: "allowed", flag: cost.unreadable ? "cost_unreadable" : overrun };
}

/**
 * Where Keybrake answers repeats from its record, an answer that the vendor gives for the second time is one that nobody
 * has counted yet: it was lost on its way, or an operator has taken the first call off the books.
 */
function countedAnswer({ repeat, resumes }: AdmittedCall, answer: Answer): Answer {
  const isOurs = resumes !== undefined || repeat?.slots.some(({ name }) => name.startsWith("key:"));
  if (!isOurs || answer.headers.get(REPLAYED) === null) return answer;
  const get = (name: string) => (name.toLowerCase() === REPLAYED ? null : answer.headers.get(name));
  return { ...answer, headers: { get } };
}

/** Stripe's word for a stored answer (docs.stripe.com/api/idempotent_requests). */
const REPLAYED = "idempotent-replayed";

/** An answer that a vendor's file cannot digest costs the full hold; it must not cost the row. */
function readCost(call: Call, operation: Operation, exposure: Exposure, pricing: Pricing, answer: Answer): Cost {
  const unread: Cost = { micros: exposure.micros, source: "none", unreadable: true };
  if (!operation.cost) return exposure.unpriced ? unread : NOTHING;
  try {
    const cost = operation.cost(call, answer, exposure, pricing);
    // Of what nobody could price only the vendor's own figure is worth more than what was reserved for it.
    if (exposure.unpriced && cost.source !== "vendor_response") return { ...cost, ...unread };
    // Where the answer shows more than was held (a dearer currency than the dollar), the larger figure stands.
    return cost.unreadable && cost.micros < exposure.micros ? { ...cost, micros: exposure.micros } : cost;
  } catch {
    return unread;
  }
}

/** Whether the policy lets the call in without counting it (`on_unknown_cost: allow`). */
function isUncounted({ unpriced, micros }: Exposure): boolean {
  return unpriced === true && micros === 0n;
}

/** What the answer shows of the vendor's object, without its money, now or later. */
function uncounted({ vendorTxnId, remember }: Cost): Cost {
  return { ...NOTHING, ...(vendorTxnId === undefined ? {} : { vendorTxnId }), ...(remember ? { remember } : {}) };
}

/**
 * Resolves the hold and finishes the audit row. Never throws and is not waited for: until it is on disk the hold counts in
 * full.
 * @param outgoing what the client gets, for its repeats.
 */
export function settle(plane: DataPlane, admitted: AdmittedCall, ending: Ending, outgoing: Outgoing | undefined): void {
  const { facts, key, repeat, receipt, resumes } = admitted;
  const { outcome, to } = ending;
  const end = callEnd(plane, admitted, ending);
  const resolve = (request: Omit<ResolveRequest, "type">) =>
    plane.ledger
      .resolve({ type: "resolve", ...request })
      .then((result) => {
        if (result.resolved) plane.tallies.of(facts.vendor).settled(result.costMicros);
        if (!result.resolved || resumes || request.to !== "unresolved") return;
        plane.alerts.raise(callUnresolved(facts, admitted.exposure.micros, end.flag, end.finishedAt));
      })
      .catch((cause) => plane.log.error("settle_failed", { call: request.callId, cause: causeText(cause) }));
  const left = repeat && repeatOutcome(plane, key.id, repeat.requestHash, ending, outgoing);
  const own = { callId: facts.id, ...(receipt ? { receipt } : {}), ...keptAtVendor(plane, admitted, ending) };
  if (!resumes) {
    resolve({ ...own, to, end, ...(repeat ? { repeat: { slots: repeat.slots, outcome: left! } } : {}) });
    return;
  }
  // A refusal of the repeat says nothing about the first call: only an answer that the vendor keeps under the key does.
  const known = left !== undefined && left !== "free" && left !== "unknown" ? left : undefined;
  const nothing = { ...end, costMicros: 0n, costSource: "none", flag: `looks_up:${resumes.callId}` } as const;
  const repeated = { slots: repeat?.slots ?? [], outcome: known ?? "unknown" } as const;
  resolve({ ...own, to: outcome.kind === "answered" ? "settled" : "released", end: nothing, repeat: repeated });
  // What is odd about the cost is worth more than how it was found: `cost_source` says that.
  if (known)
    resolve({ callId: resumes.callId, to, end: { ...end, costSource: "lookup", flag: end.flag ?? "looked_up" } });
}

/** What the ledger is told of the vendor's side: the object that is free again, what it is now, a price that comes later. */
function keptAtVendor(
  plane: DataPlane,
  { object, setup, resumes }: AdmittedCall,
  { outcome, cost }: Ending,
): Pick<ResolveRequest, "object" | "remembers" | "pricedLater"> {
  const { remember, pricedLaterAt, besidesMicros = 0n } = cost;
  const name = remember && objectName(setup.vendor.name, remember.path);
  // A stored answer shows the object as it was then: good for one that nobody has named since it was made.
  const isNew = outcome.kind === "answered" && !resumes && outcome.answer.headers.get(REPLAYED) === null;
  const remembers = name !== undefined &&
    (isNew || name !== object) && { name, json: JSON.stringify(remember!.object) };
  return {
    ...(object === undefined ? {} : { object }),
    ...(remembers ? { remembers } : {}),
    ...(pricedLaterAt === undefined || resumes
      ? {}
      : { pricedLater: { path: pricedLaterAt, askAt: plane.clock.now() + FIRST_ASK_MS, besidesMicros } }),
  };
}

function callEnd(plane: DataPlane, { setup, startedMs }: AdmittedCall, ending: Ending): CallEnd {
  const { outcome, to, cost, verdict, flag } = ending;
  const answered = outcome.kind === "answered" ? outcome : undefined;
  const { requestIdHeader } = setup.vendor;
  const requestId = (requestIdHeader && answered?.answer.headers.get(requestIdHeader)) || null;
  // What a vendor says may hold what it was sent, and a row is for ever.
  const clean = (text: string | null) => text && scrubText(text, canariesOf(setup));
  return {
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
  };
}

/** To a microsecond; the digits below are noise. */
function rounded(durationMs: number): number {
  return Math.round(durationMs * 1000) / 1000;
}
