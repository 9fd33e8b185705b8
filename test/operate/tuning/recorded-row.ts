import type { RecordedRow } from "../../../src/operate/tuning/recorded-calls.ts";
import { START_MS } from "../installed.ts";

/** A settled charge of nothing, with what a test says of it. */
export function recordedRow(seq: number, own: Partial<RecordedRow> = {}): RecordedRow {
  const calledAt = own.calledAt ?? START_MS + seq * 1_000;
  return {
    id: `call_${seq}`,
    seq,
    refersTo: null,
    calledAt,
    finishedAt: calledAt + 100,
    agentRunId: "run/1",
    agentRunLabel: "run/1",
    agentName: null,
    vaultKeyId: "vk_1",
    vendor: "stripe",
    method: "POST",
    endpoint: "/v1/payment_intents",
    path: "/v1/payment_intents",
    customerScopeId: null,
    triggeringEventId: null,
    idempotencyKeyHash: null,
    metadata: null,
    policyVerdict: "allowed",
    verdictRule: "allowed_endpoints[0]",
    state: "settled",
    exposureMicros: 0n,
    costMicros: 0n,
    costSource: "vendor_response",
    capUsageAfterMicros: null,
    vendorRequestId: null,
    vendorTxnId: null,
    httpStatus: 200,
    latencyMs: null,
    upstreamLatencyMs: null,
    flag: null,
    prevHash: null,
    hash: null,
    sends: 0n,
    ...own,
  };
}
