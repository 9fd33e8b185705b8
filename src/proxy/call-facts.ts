import { hash } from "node:crypto";
import type { CallFacts } from "../audit/row.ts";
import type { Operation, Scope } from "../vendors/vendor.ts";
import { endpointOf } from "./endpoint.ts";
import type { IdentifiedCall } from "./identify.ts";
import type { RingKey } from "./key-ring.ts";

const TEXT_CHARACTERS_MAX = 200;
/** For a target that two parsers could read differently: none of the readings is written down. */
const UNREADABLE = "-";

interface Judgement {
  readonly operation?: Operation | undefined;
  readonly scope?: Scope | undefined;
}

/** What the audit row says of a call before it is sent. */
export function callFacts(key: RingKey, { request }: IdentifiedCall, { operation, scope }: Judgement): CallFacts {
  const { incoming, headers } = request;
  const path = request.target?.path;
  const idempotencyKey = headers.get("idempotency-key");
  return {
    id: incoming.id,
    calledAt: incoming.receivedAt,
    agentRunId: text(headers.get("x-agent-run-id")) ?? key.label,
    agentRunLabel: key.label,
    agentName: text(headers.get("x-agent-name")) ?? key.agentName,
    vaultKeyId: key.id,
    vendor: key.vendor,
    method: path === undefined ? UNREADABLE : request.method,
    endpoint: path === undefined ? UNREADABLE : withoutKeys(endpointOf(path, operation)),
    path: path === undefined ? UNREADABLE : withoutKeys(path),
    customerScopeId: text(scope?.customer) ?? null,
    triggeringEventId: text(headers.get("x-triggering-event-id")) ?? null,
    idempotencyKeyHash: idempotencyKey === undefined ? null : hash("sha256", idempotencyKey, "hex").slice(0, 32),
    metadata: key.metadata,
  };
}

function text(sent: string | undefined): string | undefined {
  return sent === undefined || sent === "" ? undefined : withoutKeys(sent).slice(0, TEXT_CHARACTERS_MAX);
}

/** An agent may put its key where it does not belong; rows are read by more people than may hold that key. */
function withoutKeys(sent: string): string {
  return sent.replace(/vault_?key_?[0-9A-Za-z]{20,}/g, "[vault key]");
}
