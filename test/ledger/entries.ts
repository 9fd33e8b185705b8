import type { CallEnd } from "../../src/audit/row.ts";
import type { Resolution } from "../../src/core/hold.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import type { CapWindow } from "../../src/core/window.ts";
import type { Budget } from "../../src/ledger/budget.ts";
import type { HoldRequest, ResolveRequest } from "../../src/ledger/entry.ts";

/** Noon of a UTC day. */
export const NOON = Date.UTC(2026, 0, 15, 12);
export const DAY_MS = 86_400_000;

/** Whole dollars in micro-dollars. */
export function usd(dollars: number): bigint {
  return BigInt(dollars) * 1_000_000n;
}

export function dailyCap(keyId: string, dollars: number): Budget {
  return { id: `key:${keyId}:daily_usd_cap`, name: "daily_usd_cap", unit: "usd", cap: usd(dollars), window: "utc_day" };
}

export function totalCap(keyId: string, dollars: number): Budget {
  return {
    id: `key:${keyId}:total_usd_cap`,
    name: "total_usd_cap",
    unit: "usd",
    cap: usd(dollars),
    window: "lifetime",
  };
}

export function sendCap(keyId: string, sends: number): Budget {
  return {
    id: `key:${keyId}:daily_send_cap`,
    name: "daily_send_cap",
    unit: "sends",
    cap: BigInt(sends),
    window: "utc_day",
  };
}

/** A cap of a day that counts one kind of money. */
export function kindCap(keyId: string, kind: string, dollars: number, window: CapWindow = "utc_day"): Budget {
  const name = `caps.${kind}.${window === "utc_day" ? "daily_usd" : "total_usd"}`;
  return { id: `key:${keyId}:${name}`, name, unit: "usd", cap: usd(dollars), window, kind };
}

type HoldOverrides = Partial<Omit<HoldRequest, "type" | "facts">> & { readonly facts?: Partial<HoldRequest["facts"]> };

/** A call of `keyId` that would cost at most `dollars`. */
export function holdOf(keyId: string, dollars: number, overrides: HoldOverrides = {}): HoldRequest {
  const { facts, ...rest } = overrides;
  return {
    type: "hold",
    facts: {
      id: timeOrderedId("call", NOON),
      calledAt: NOON,
      agentRunId: "ray-billing/01",
      agentRunLabel: "ray-billing/01",
      agentName: "billing",
      vaultKeyId: keyId,
      vendor: "stripe",
      method: "POST",
      endpoint: "/v1/payment_intents",
      path: "/v1/payment_intents",
      customerScopeId: null,
      triggeringEventId: null,
      idempotencyKeyHash: null,
      metadata: null,
      ...facts,
    },
    keyVersion: 1,
    vendorVersion: 0,
    refusal: undefined,
    rule: "POST /v1/payment_intents",
    exposureMicros: usd(dollars),
    sends: 0,
    kind: "charge",
    budgets: [dailyCap(keyId, 100)],
    owner: "host:1:aaaa",
    ...rest,
  };
}

export function resolutionOf(callId: string, to: Resolution, dollars = 0, end: Partial<CallEnd> = {}): ResolveRequest {
  return {
    type: "resolve",
    callId,
    to,
    end: {
      finishedAt: NOON + 40,
      verdict: to === "unresolved" ? "upstream_timeout" : "allowed",
      costMicros: usd(dollars),
      costSource: to === "settled" ? "vendor_response" : "none",
      vendorRequestId: "req_1",
      vendorTxnId: "pi_1",
      httpStatus: 200,
      latencyMs: 41.5,
      upstreamLatencyMs: 40.25,
      flag: null,
      ...end,
    },
  };
}
