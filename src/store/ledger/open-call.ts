import type { CallFacts } from "../../audit/row.ts";
import type { Micros } from "../../core/money.ts";
import type { Charge } from "../../ledger/entry.ts";
import { decodeCharges, encodeCharges } from "./charges.ts";
import type { BatchRow } from "./statements.ts";

/** A call in flight: the first half of its audit row, and what its hold has put on the counters. */
export interface OpenCall {
  readonly seq: number;
  /** The row of `open_batches` that it lies in. */
  readonly batch: number;
  /** The proxy process that answers for the hold while it lives. */
  readonly owner: string;
  readonly facts: CallFacts;
  readonly rule: string;
  readonly exposureMicros: Micros;
  readonly capUsageAfterMicros: Micros | null;
  readonly charges: readonly Charge[];
}

/** As `open_batches` keeps it. The view `calls_in_flight` of the schema reads the same places. */
type Written = [
  seq: number,
  id: string,
  calledAt: number,
  agentRunId: string | null,
  agentRunLabel: string | null,
  agentName: string | null,
  vaultKeyId: string,
  vendor: string,
  method: string,
  endpoint: string,
  path: string,
  customerScopeId: string | null,
  triggeringEventId: string | null,
  idempotencyKeyHash: string | null,
  metadata: string | null,
  rule: string,
  /** Amounts are text: a JSON number is a float to most readers. */
  exposureMicros: string,
  capUsageAfterMicros: string | null,
  charges: string,
];

export function writeOpenCalls(calls: readonly OpenCall[]): string {
  return JSON.stringify(calls.map(written));
}

export function readOpenCalls({ batch, owner, calls }: BatchRow): readonly OpenCall[] {
  return (JSON.parse(calls) as Written[]).map((call) => readOpenCall(Number(batch), owner, call));
}

function written({ seq, facts, rule, exposureMicros, capUsageAfterMicros, charges }: OpenCall): Written {
  return [
    seq,
    facts.id,
    facts.calledAt,
    facts.agentRunId,
    facts.agentRunLabel,
    facts.agentName,
    facts.vaultKeyId,
    facts.vendor,
    facts.method,
    facts.endpoint,
    facts.path,
    facts.customerScopeId,
    facts.triggeringEventId,
    facts.idempotencyKeyHash,
    facts.metadata,
    rule,
    exposureMicros.toString(),
    capUsageAfterMicros === null ? null : capUsageAfterMicros.toString(),
    encodeCharges(facts.vaultKeyId, exposureMicros, charges),
  ];
}

function readOpenCall(batch: number, owner: string, call: Written): OpenCall {
  const [seq, id, calledAt, agentRunId, agentRunLabel, agentName, vaultKeyId, vendor, method, endpoint, path] = call;
  const [customerScopeId, triggeringEventId, idempotencyKeyHash, metadata] = call.slice(11, 15) as (string | null)[];
  const exposureMicros = BigInt(call[16]);
  return {
    seq,
    batch,
    owner,
    facts: {
      id,
      calledAt,
      agentRunId,
      agentRunLabel,
      agentName,
      vaultKeyId,
      vendor,
      method,
      endpoint,
      path,
      customerScopeId: customerScopeId!,
      triggeringEventId: triggeringEventId!,
      idempotencyKeyHash: idempotencyKeyHash!,
      metadata: metadata!,
    },
    rule: call[15],
    exposureMicros,
    capUsageAfterMicros: call[17] === null ? null : BigInt(call[17]),
    charges: decodeCharges(vaultKeyId, exposureMicros, call[18]),
  };
}
