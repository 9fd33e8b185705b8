import { type Call, type Fields, type JsonValue, NO_FIELDS } from "../core/call.ts";
import type { Vendor } from "../vendors/vendor.ts";
import { bodyTokenProblem } from "./body-credential.ts";
import type { DataPlane } from "./data-plane.ts";
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
  readonly request: ParsedRequest;
  readonly startedMs: number;
} & ({ readonly call: Call } | { readonly call: undefined; readonly denial: Denial });

/** Which vendor and operation a call is for, by its prefix or else by its key; and its body as that vendor reads it. */
export function identify(plane: DataPlane, request: ParsedRequest, key: RingKey): IdentifiedCall {
  const setup = plane.vendors.setupOf(key.vendor);
  const call = readCall(request, setup);
  const { startedMs } = request.incoming;
  if (!call.ok)
    return { setup, request, startedMs, call: undefined, denial: { ...call.rejection, rule: "parse", details: {} } };
  const denial =
    unknownDenial(plane, setup.vendor) ??
    vendorDenial(request.target?.vendor, call.value.path, setup.vendor) ??
    bodyDenial(setup.vendor, call.value, key);
  if (denial) return { setup, request, startedMs, call: undefined, denial };
  return { setup, request, startedMs, call: call.value };
}

/** Of a key whose vendor was declared after the server has started, or is declared no more: no path of it leads on. */
function unknownDenial(plane: DataPlane, { name }: Vendor): Denial | undefined {
  if (plane.vendors.get(name)) return undefined;
  const message = `This server does not know ${name}, which is not in the configuration that it has started with; the operator must declare it in keybrake.yaml, where that is not done, and start the server anew.`;
  return { code: "vendor_unknown", rule: "vendor", message, details: {} };
}

/** A prefix that names another vendor than the key's, or a path without a prefix that is not this vendor's. */
function vendorDenial(named: string | undefined, path: string, vendor: Vendor): Denial | undefined {
  if (named === vendor.name || (named === undefined && vendor.unprefixed.test(path))) return undefined;
  if (named === undefined) {
    const message = `${path.slice(0, 60)} is no path of ${vendor.name}, and begins with no vendor's name; the base URL ends in /${vendor.name}.`;
    return { code: "vendor_unknown", rule: "vendor", message, details: {} };
  }
  const message = `This vault key is for ${vendor.name}, not for ${named}; use a key issued for ${named}.`;
  return { code: "endpoint_denied", rule: "vendor", message, details: {} };
}

/** A body in which the vault key cannot be replaced by the secret without doubt. */
function bodyDenial(vendor: Vendor, call: Call, key: RingKey): Denial | undefined {
  const message = vendor.credentialBodyField === undefined ? undefined : bodyTokenProblem(vendor, call, key.tokenHash);
  return message === undefined ? undefined : { code: "request_rejected", rule: "credential", message, details: {} };
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
