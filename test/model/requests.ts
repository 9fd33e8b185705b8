import { timeOrderedId } from "../../src/core/id.ts";
import { formatUsd } from "../../src/core/money.ts";
import type { EpochMs } from "../../src/core/window.ts";
import { type Budget, keyCounters } from "../../src/ledger/budget.ts";
import type { HoldReceipt, HoldRequest, ResolveRequest } from "../../src/ledger/entry.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import type { PolicyDocument } from "../../src/policy/policy.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import type { VaultKeyRecord } from "../../src/store/store.ts";
import type { ModelCall } from "./ledger-model.ts";
import { type Caps, type Entry, OUTCOMES } from "./steps.ts";

/** What a process knows of a key, as the proxy's ring of keys does: up to date when it was read, and stale later. */
export interface KnownKey {
  readonly id: string;
  readonly label: string | null;
  readonly vendor: string;
  readonly version: number;
  readonly budgets: readonly Budget[];
}

export function knownKey({ id, label, vendors, version, policy }: VaultKeyRecord): KnownKey {
  return { id, label, vendor: vendors[0]!, version, budgets: keyCounters(id, compilePolicy(policy), new Map()) };
}

/** Caps of a few micro-dollars, by the product's own way from a policy to what the ledger counts. */
export function policyOf(vendor: string, { daily, total, sends, refunds }: Caps): PolicyDocument {
  const checked = validatePolicy({
    vendor,
    allowed_endpoints: ["* /**"],
    ...(daily === null ? {} : { daily_usd_cap: formatUsd(daily) }),
    ...(total === null ? {} : { total_usd_cap: formatUsd(total) }),
    ...(sends === null ? {} : { daily_send_cap: Number(sends) }),
    ...(refunds === null ? {} : { caps: { refund: { daily_usd: formatUsd(refunds) } } }),
  });
  if (!checked.ok) throw new Error(checked.problems.map(({ message }) => message).join("; "));
  return checked.policy;
}

export function holdRequest(
  { exposure, sends, money, refusal }: Extract<Entry, { readonly kind: "call" }>,
  key: KnownKey,
  owner: string,
  now: EpochMs,
): HoldRequest {
  return {
    type: "hold",
    facts: {
      id: timeOrderedId("call", now),
      calledAt: now,
      agentRunId: key.label,
      agentRunLabel: key.label,
      agentName: null,
      vaultKeyId: key.id,
      vendor: key.vendor,
      method: "POST",
      endpoint: "/v1/charges",
      path: "/v1/charges",
      customerScopeId: null,
      triggeringEventId: null,
      idempotencyKeyHash: null,
      metadata: null,
    },
    keyVersion: key.version,
    vendorVersion: 0,
    refusal: refusal === null ? undefined : { code: refusal, rule: "rule" },
    rule: "* /**",
    exposureMicros: exposure,
    sends: refusal === null ? sends : 0,
    kind: money,
    budgets: key.budgets,
    owner,
  };
}

/** @param receipt of the process that took the hold; an operator, or a process after a crash, has none. */
export function resolveRequest(
  { outcome }: Extract<Entry, { readonly kind: "end" }>,
  call: Pick<ModelCall, "id" | "exposure">,
  receipt: HoldReceipt | undefined,
  now: EpochMs,
): ResolveRequest {
  const { to, verdict, flag, cost } = OUTCOMES[outcome];
  return {
    type: "resolve",
    callId: call.id,
    ...(receipt ? { receipt } : {}),
    to,
    end: {
      finishedAt: now,
      verdict,
      costMicros: cost(call.exposure),
      costSource: to === "settled" ? "vendor_response" : "none",
      vendorRequestId: null,
      vendorTxnId: null,
      httpStatus: null,
      latencyMs: null,
      upstreamLatencyMs: null,
      flag,
    },
  };
}
