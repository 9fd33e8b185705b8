import { createHash } from "node:crypto";
import type { CallFacts } from "../audit/row.ts";
import { type Call, type Fields, type JsonValue, NO_FIELDS } from "../core/call.ts";
import { operationOf } from "../vendors/operations.ts";
import type { Operation } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import { endpointOf } from "./endpoint.ts";
import type { RingKey } from "./key-ring.ts";
import { parseBodyKind } from "./parse/content-type.ts";
import { formOptions, parseForm } from "./parse/form.ts";
import { parseStrictJson } from "./parse/json.ts";
import { parseQuery, rejectSharedFields } from "./parse/query.ts";
import { type Parsed, parsed, rejected } from "./parse/rejection.ts";
import type { ParsedRequest } from "./parse.ts";
import type { Denial } from "./refusal.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** A call whose vendor is known; or one that cannot be read without doubt, or is meant for another vendor. */
export type IdentifiedCall = {
  readonly setup: VendorSetup;
  readonly facts: CallFacts;
  readonly startedMs: number;
} & ({ readonly call: Call } | { readonly call: undefined; readonly denial: Denial });

/** Which vendor and operation a call is for, by its prefix or else by its key; and its body as that vendor reads it. */
export function identify(plane: DataPlane, request: ParsedRequest, key: RingKey): IdentifiedCall {
  const setup = plane.vendors.get(key.vendor)!;
  const read = readCall(request, setup);
  const call = read.ok ? read.value : undefined;
  const operation = call && operationOf(setup.vendor, call.method, call.path);
  const common = { setup, facts: facts(request, key, call, operation, setup), startedMs: request.incoming.startedMs };
  if (!read.ok) return { ...common, call: undefined, denial: { ...read.rejection, rule: "parse", details: {} } };
  const denial = vendorDenial(request.target?.vendor, key);
  return denial ? { ...common, call: undefined, denial } : { ...common, call: read.value };
}

function vendorDenial(named: string | undefined, key: RingKey): Denial | undefined {
  if (named === undefined || named === key.vendor) return undefined;
  return {
    code: "endpoint_denied",
    rule: "vendor",
    message: `This vault key is for ${key.vendor}, not for ${named}; use a key issued for ${named}.`,
    details: {},
  };
}

function readCall(request: ParsedRequest, { vendor }: VendorSetup): Parsed<Call> {
  const { rejection, target, method, headers, incoming } = request;
  if (rejection || !target) return { ok: false, rejection: rejection! };
  const { body } = incoming;
  if (body.length > 0 && (method === "GET" || method === "HEAD" || method === "OPTIONS")) {
    return rejected(`A ${method} request has no body; send its parameters in the query.`);
  }
  const kind = parseBodyKind(headers.get("content-type"), body.length);
  if (!kind.ok) return kind;
  const options = formOptions(vendor.repeatableFields);
  const queryFields = target.query === "" ? parsed(NO_FIELDS) : parseQuery(target.query, options);
  if (!queryFields.ok) return queryFields;
  let bodyFields: Fields = NO_FIELDS;
  let json: JsonValue | undefined;
  if (kind.value === "form") {
    const form = parseForm(body, options);
    if (!form.ok) return form;
    bodyFields = form.value;
  } else if (kind.value === "json") {
    const document = parseStrictJson(body);
    if (!document.ok) return document;
    bodyFields = document.value.fields;
    json = document.value.value;
  }
  const shared = rejectSharedFields(queryFields.value, bodyFields);
  if (!shared.ok) return shared;
  return parsed({
    method,
    path: target.path,
    query: target.query,
    queryFields: queryFields.value,
    body,
    bodyKind: kind.value,
    bodyFields,
    json,
    headers,
  });
}

const TEXT_CHARACTERS_MAX = 200;

function facts(
  request: ParsedRequest,
  key: RingKey,
  call: Call | undefined,
  operation: Operation | undefined,
  setup: VendorSetup,
): CallFacts {
  const { incoming, headers } = request;
  const idempotencyKey = headers.get("idempotency-key");
  return {
    id: incoming.id,
    calledAt: incoming.receivedAt,
    agentRunId: short(headers.get("x-agent-run-id")) ?? key.label,
    agentRunLabel: key.label,
    agentName: short(headers.get("x-agent-name")) ?? key.agentName,
    vaultKeyId: key.id,
    vendor: key.vendor,
    method: call ? call.method : "-",
    endpoint: call ? endpointOf(call.path, operation) : "-",
    path: call ? call.path : "-",
    customerScopeId: call ? (setup.vendor.scope(call, setup.account).customer ?? null) : null,
    triggeringEventId: short(headers.get("x-triggering-event-id")) ?? null,
    idempotencyKeyHash:
      idempotencyKey === undefined ? null : createHash("sha256").update(idempotencyKey).digest("hex").slice(0, 32),
    metadata: key.metadata,
  };
}

function short(text: string | undefined): string | undefined {
  return text === undefined || text === "" ? undefined : text.slice(0, TEXT_CHARACTERS_MAX);
}
