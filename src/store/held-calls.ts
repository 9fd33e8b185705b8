import type { AuditRow } from "../audit/row.ts";
import type { OpenCall } from "./ledger/open-call.ts";
import type { AuditFilter } from "./store.ts";

/** What a filter says of calls in flight; undefined where it can select none of them. */
export function heldFilter(filter: AuditFilter): ((call: OpenCall) => boolean) | undefined {
  const { callId, run, labelContains, keyId, vendor, verdict, state, customer, triggeringEventId, since, until } =
    filter;
  if ((state ?? "held") !== "held" || (verdict ?? "allowed") !== "allowed") return undefined;
  return ({ facts }) =>
    (callId ?? facts.id) === facts.id &&
    (run === undefined || facts.agentRunLabel === run || facts.agentRunId === run) &&
    (!labelContains || (facts.agentRunLabel ?? "").includes(labelContains)) &&
    (keyId ?? facts.vaultKeyId) === facts.vaultKeyId &&
    (vendor ?? facts.vendor) === facts.vendor &&
    (customer ?? facts.customerScopeId) === facts.customerScopeId &&
    (triggeringEventId ?? facts.triggeringEventId) === facts.triggeringEventId &&
    facts.calledAt >= (since ?? 0) &&
    facts.calledAt < (until ?? Number.POSITIVE_INFINITY);
}

/** A call in flight as a row: what is not known yet is null. */
export function heldRow({ seq, facts, rule, exposureMicros, capUsageAfterMicros }: OpenCall): AuditRow {
  return {
    ...facts,
    seq,
    refersTo: null,
    finishedAt: null,
    policyVerdict: "allowed",
    verdictRule: rule,
    state: "held",
    exposureMicros,
    costMicros: null,
    costSource: "none",
    capUsageAfterMicros,
    vendorRequestId: null,
    vendorTxnId: null,
    httpStatus: null,
    latencyMs: null,
    upstreamLatencyMs: null,
    flag: null,
    prevHash: null,
    hash: null,
  };
}
