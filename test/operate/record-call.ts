import type { CallFacts } from "../../src/audit/row.ts";
import type { Config } from "../../src/config.ts";
import type { CostSource, Resolution } from "../../src/core/hold.ts";
import { timeOrderedId } from "../../src/core/id.ts";
import { parseUsd } from "../../src/core/money.ts";
import type { RefusalCode } from "../../src/core/verdict.ts";
import { type Budget, keyCounters } from "../../src/ledger/budget.ts";
import type { HoldRequest } from "../../src/ledger/entry.ts";
import { compilePolicies } from "../../src/policy/compile.ts";
import type { CompiledPolicy, PolicyDocument } from "../../src/policy/policy.ts";
import type { Store } from "../../src/store/store.ts";
import type { TestClock } from "./installed.ts";

/** Where to write, and the rates for caps in other currencies. */
interface Recording {
  readonly store: Store;
  readonly clock: TestClock;
  readonly config?: Pick<Config, "currencyRates">;
}

export interface RecordedCall {
  readonly keyId: string;
  readonly exposureUsd?: string;
  readonly sends?: number;
  /** Of its money; a charge where it is left out. */
  readonly kind?: string;
  /** Left out, the call stays held. */
  readonly end?: { readonly to: Resolution; readonly costUsd?: string; readonly costSource?: CostSource };
  readonly refusal?: RefusalCode;
  /** Caps above the key that it is charged to. */
  readonly above?: readonly Budget[];
  readonly facts?: Partial<CallFacts>;
}

/** Writes a call to the ledger as the proxy does; the id of its audit row. */
export async function recordCall(recording: Recording, call: RecordedCall): Promise<string> {
  const { store, clock } = recording;
  const hold = await holdOf(recording, call);
  await store.apply([hold], clock.now());
  const { end } = call;
  if (end) await endCall({ store, clock }, hold.facts.id, end.to, end.costUsd, end.costSource);
  return hold.facts.id;
}

/** Writes the same call so many times, in one batch. */
export async function recordCalls(recording: Recording, call: Omit<RecordedCall, "end">, times: number): Promise<void> {
  const holds = await Promise.all(Array.from({ length: times }, () => holdOf(recording, call)));
  await recording.store.apply(holds, recording.clock.now());
}

async function holdOf(
  { store, clock, config }: Recording,
  { keyId, exposureUsd = "0", sends = 0, kind = "charge", refusal, above = [], facts: own = {} }: RecordedCall,
): Promise<HoldRequest> {
  const key = (await store.getKey(keyId))!;
  const facts: CallFacts = {
    id: timeOrderedId("call", clock.now()),
    calledAt: clock.now(),
    agentRunId: key.label,
    agentRunLabel: key.label,
    agentName: key.agentName,
    vaultKeyId: key.id,
    vendor: key.vendors[0]!,
    method: "POST",
    endpoint: "/v1/payment_intents",
    path: "/v1/payment_intents",
    customerScopeId: null,
    triggeringEventId: null,
    idempotencyKeyHash: null,
    metadata: Object.keys(key.metadata).length === 0 ? null : JSON.stringify(key.metadata),
    ...own,
  };
  const vendors = await store.listVendors();
  return {
    type: "hold",
    facts,
    keyVersion: key.version,
    vendorVersion: vendors.find(({ name }) => name === facts.vendor)?.version ?? 0,
    refusal: refusal && { code: refusal, rule: "test" },
    rule: "allowed_endpoints[0]",
    exposureMicros: parseUsd(exposureUsd),
    sends,
    kind,
    budgets: [
      ...keyCounters(key.id, policyFor(key.policy, facts.vendor), config?.currencyRates ?? new Map()),
      ...above,
    ],
    owner: "test",
  };
}

/** Resolves a call that is held. */
export async function endCall(
  { store, clock }: { readonly store: Store; readonly clock: TestClock },
  callId: string,
  to: Resolution,
  costUsd = "0",
  costSource: CostSource = "vendor_response",
): Promise<void> {
  const end = {
    finishedAt: clock.now(),
    verdict: "allowed",
    costMicros: parseUsd(costUsd),
    costSource,
    vendorRequestId: "req_1",
    vendorTxnId: "pi_1",
    httpStatus: 200,
    latencyMs: 12.5,
    upstreamLatencyMs: 10,
    flag: null,
  } as const;
  await store.apply([{ type: "resolve", callId, to, end }], clock.now());
}

/** That of the vendor; of a key for another one, which a test says that a call was for, its own. */
function policyFor(policy: PolicyDocument, vendor: string): CompiledPolicy {
  const policies = compilePolicies(policy);
  return policies.get(vendor) ?? [...policies.values()][0]!;
}
