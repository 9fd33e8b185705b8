import { type Call, type Fields, type JsonValue, NO_FIELDS } from "../core/call.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { bodyTokenProblem } from "./body-credential.ts";
import type { DataPlane } from "./data-plane.ts";
import type { RingKey, RingKeys } from "./key-ring.ts";
import { parseBodyKind } from "./parse/content-type.ts";
import { formOptions, parseForm } from "./parse/form.ts";
import { CODING_REFUSED } from "./parse/headers.ts";
import { parseStrictJson } from "./parse/json.ts";
import { parseQuery, rejectSharedFields } from "./parse/query.ts";
import { type Parsed, parsed, rejected } from "./parse/rejection.ts";
import type { ParsedRequest } from "./parse.ts";
import { pickVendor } from "./pick-vendor.ts";
import type { Denial } from "./refusal.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** A call whose vendor is known; or one that cannot be read without doubt, or is meant for another vendor. */
export type IdentifiedCall = {
  /** The key as calls to this vendor have it. */
  readonly key: RingKey;
  readonly setup: VendorSetup;
  readonly request: ParsedRequest;
  readonly startedMs: number;
} & ({ readonly call: Call } | { readonly call: undefined; readonly denial: Denial });

/** Which vendor and operation a call is for, by its prefix or else by its key; and its body as that vendor reads it. */
export function identify(plane: DataPlane, request: ParsedRequest, keys: RingKeys): IdentifiedCall {
  const { key, denial: astray } = pickVendor(plane, request, keys);
  const setup = plane.vendors.setupOf(key.vendor);
  const call = readCall(request, setup);
  const { startedMs } = request.incoming;
  if (!call.ok)
    return {
      key,
      setup,
      request,
      startedMs,
      call: undefined,
      denial: { ...call.rejection, rule: "parse", details: {} },
    };
  const denial = unknownDenial(plane, setup.vendor) ?? astray ?? bodyDenial(setup.vendor, call.value, key);
  if (denial) return { key, setup, request, startedMs, call: undefined, denial };
  return { key, setup, request, startedMs, call: call.value };
}

/** Of a key whose vendor was declared after the server has started, or is declared no more: no path of it leads on. */
function unknownDenial(plane: DataPlane, { name }: Vendor): Denial | undefined {
  if (plane.vendors.get(name)) return undefined;
  const message = `This server does not know ${name}, which is not in the configuration that it has started with; the operator must declare it in keybrake.yaml, where that is not done, and start the server anew.`;
  return { code: "vendor_unknown", rule: "vendor", message, details: {} };
}

/** A body in which the vault key cannot be replaced by the secret without doubt. */
function bodyDenial(vendor: Vendor, call: Call, key: RingKey): Denial | undefined {
  const message = vendor.credentialBodyField === undefined ? undefined : bodyTokenProblem(vendor, call, key.tokenHash);
  return message === undefined ? undefined : { code: "request_rejected", rule: "credential", message, details: {} };
}

function readCall(request: ParsedRequest, { vendor }: VendorSetup): Parsed<Call> {
  const { rejection, target, method, headers, incoming } = request;
  if (rejection || !target) return { ok: false, rejection: rejection! };
  if (request.chunked && !vendor.chunkedBodies) return rejected(CODING_REFUSED);
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
