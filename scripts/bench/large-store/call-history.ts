import type { Micros } from "../../../src/core/money.ts";
import { type EpochMs, windowStart } from "../../../src/core/window.ts";
import type { Charge } from "../../../src/ledger/entry.ts";
import type { FinalRow } from "../../../src/store/ledger/final-rows.ts";
import type { Random } from "../../random.ts";
import { CALL_KINDS, type CallKind } from "./call-kinds.ts";

/** A run: one vault key and its label. */
export interface Run {
  readonly keyId: string;
  readonly label: string;
  readonly vendor: CallKind["vendor"];
  readonly agentName: string;
  readonly metadata: string;
}

/** What became of a call, out of a thousand: most settle, some are refused, few are declined, hardly one is unknown. */
function fateOf(random: Random): "settled" | "cap_exceeded" | "endpoint_denied" | "released" | "unresolved" {
  const draw = random() * 1_000;
  if (draw < 900) return "settled";
  if (draw < 945) return "cap_exceeded";
  if (draw < 965) return "endpoint_denied";
  return draw < 999.5 ? "released" : "unresolved";
}

function kindOf(vendor: CallKind["vendor"], random: Random): CallKind {
  let draw = random() * 100;
  const kinds = CALL_KINDS.filter((kind) => kind.vendor === vendor);
  for (const kind of kinds) {
    draw -= kind.percent;
    if (draw < 0) return kind;
  }
  return kinds[0]!;
}

export interface CallPlace {
  readonly id: string;
  readonly seq: number;
  readonly calledAt: EpochMs;
}

/** A final row as the ledger writes one: who called what, what it held and what it came to. */
export function finalRow(run: Run, { id, seq, calledAt }: CallPlace, random: Random): FinalRow {
  const kind = kindOf(run.vendor, random);
  const fate = fateOf(random);
  const isRefused = fate === "cap_exceeded" || fate === "endpoint_denied";
  const exposureMicros = kind.exposureMicros(500 + Math.floor(random() * 9_500));
  const charges = isRefused ? null : chargesOf(run.keyId, kind, calledAt, exposureMicros);
  const upstreamMs = 80 + Math.round(random() * 400_000) / 1_000;
  const token = randomToken(random);
  const isDone = fate === "settled";
  const rule = { cap_exceeded: "daily_usd_cap", endpoint_denied: "allowed_endpoints" } as Record<string, string>;
  const statuses = { settled: 200, released: 402, unresolved: 500 } as Record<string, number>;
  return {
    seq,
    refersTo: null,
    rule: rule[fate] ?? "allowed_endpoints[0]",
    state: isRefused ? "refused" : fate,
    exposureMicros,
    costMicros: isDone || fate === "released" ? (isDone ? exposureMicros : 0n) : null,
    capUsageAfterMicros: BigInt(Math.floor(random() * 500_000_000)),
    charges,
    facts: {
      id,
      calledAt,
      agentRunId: run.label,
      agentRunLabel: run.label,
      agentName: run.agentName,
      vaultKeyId: run.keyId,
      vendor: run.vendor,
      method: kind.method,
      endpoint: kind.endpoint,
      path: kind.path(token),
      customerScopeId: kind.hasCustomer ? `cus_${Math.floor(random() * 200_000)}` : null,
      triggeringEventId: random() < 0.2 ? `evt_${token}` : null,
      idempotencyKeyHash: kind.method === "POST" ? token.repeat(2).slice(0, 32) : null,
      metadata: run.metadata,
    },
    end: {
      finishedAt: calledAt + (isRefused ? 0 : Math.ceil(upstreamMs)),
      verdict: isRefused ? fate : "allowed",
      costSource: isDone ? kind.costSource : "none",
      vendorRequestId: isRefused ? null : `req_${token}`,
      vendorTxnId: isDone && kind.txnPrefix ? kind.txnPrefix + token : null,
      httpStatus: statuses[fate] ?? null,
      latencyMs: isRefused ? 0.6 : upstreamMs + 0.8,
      upstreamLatencyMs: isRefused ? null : upstreamMs,
      flag: null,
    },
  };
}

/** What a hold puts on a key's own counters, the daily dollars first. */
function chargesOf(keyId: string, { sends }: CallKind, calledAt: EpochMs, exposureMicros: Micros): Charge[] {
  const today = windowStart("utc_day", calledAt);
  return [
    { budgetId: `key:${keyId}:daily_usd_cap`, windowStart: today, unit: "usd", amount: exposureMicros },
    { budgetId: `key:${keyId}:total_usd_cap`, windowStart: 0, unit: "usd", amount: exposureMicros },
    { budgetId: `key:${keyId}:daily_send_cap`, windowStart: today, unit: "sends", amount: BigInt(sends) },
  ];
}

function randomToken(random: Random): string {
  return (
    (random() * 2 ** 52).toString(36).padStart(11, "0") +
    Math.floor(random() * 2 ** 31)
      .toString(36)
      .padStart(6, "0")
  );
}
