import { type Call, type JsonValue, METHODS, type Method, NO_FIELDS } from "../core/call.ts";
import { Problem } from "../core/problem.ts";
import type { Vendor } from "../vendors/vendor.ts";

const ENDPOINT = /^([A-Za-z]+) (\/[^\s?#]*)(?:\?([^\s#]*))?$/;
const SEGMENT = /^[A-Za-z0-9._~!$&'()*+,=:@%-]+$/;

/**
 * The call that `"POST /v1/charges?expand[]=customer"` and `amount=500` write down, for `explain`. The vendor's prefix
 * may stand before the path; the data may also be one JSON text. Nothing of this is ever sent: what the proxy forwards is parsed by its own strict reader.
 * @throws Problem `usage` where the text is no call, or names a parameter twice.
 */
export function callFromText(vendor: Vendor, endpoint: string, data: readonly string[] = []): Call {
  const match = ENDPOINT.exec(endpoint.trim());
  if (!match) throw new Problem("usage", `"${endpoint}" is no call`, 'write it like "POST /v1/charges"');
  const method = match[1]!.toUpperCase();
  if (!(METHODS as readonly string[]).includes(method)) {
    throw new Problem("usage", `"${endpoint}" has the method ${method}`, `the methods are ${METHODS.join(", ")}`);
  }
  const path = match[2]!.startsWith(`/${vendor.name}/`) ? match[2]!.slice(vendor.name.length + 1) : match[2]!;
  for (const segment of path.slice(1).split("/")) {
    if (segment === "." || segment === ".." || !SEGMENT.test(segment)) {
      throw new Problem(
        "usage",
        `the path ${path} has the segment "${segment}", which the proxy refuses (request_rejected)`,
      );
    }
  }
  const query = match[3] ?? "";
  const queryFields = pairs(query === "" ? [] : query.split("&").map(decode));
  const body = bodyOf(vendor, data);
  for (const name of body.bodyFields.keys()) {
    if (queryFields.has(name)) throw new Problem("usage", `${name} is in the query and in the data`, "give it once");
  }
  return { method: method as Method, path, query, queryFields, headers: new Map(), ...body };
}

type Body = Pick<Call, "body" | "bodyKind" | "bodyFields" | "json">;

function bodyOf(vendor: Vendor, data: readonly string[]): Body {
  if (data.length === 0) return { body: new Uint8Array(), bodyKind: "none", bodyFields: NO_FIELDS, json: undefined };
  const first = data[0]!.trim();
  if (data.length === 1 && /^[[{]/.test(first)) return jsonBody(first);
  const fields = pairs(data);
  if (vendor.bodyKinds.includes("form")) {
    const text = new URLSearchParams([...fields]).toString();
    return { body: new TextEncoder().encode(text), bodyKind: "form", bodyFields: fields, json: undefined };
  }
  const nested = [...fields.keys()].find((name) => name.includes("["));
  if (nested !== undefined) {
    throw new Problem(
      "usage",
      `${vendor.title} takes JSON, in which ${nested} cannot be said by -d name=value`,
      "give the body as one JSON text",
    );
  }
  return jsonBody(JSON.stringify(Object.fromEntries(fields)));
}

function jsonBody(text: string): Body {
  let json: JsonValue;
  try {
    json = JSON.parse(text) as JsonValue;
  } catch (error) {
    throw new Problem("usage", `the data is no JSON: ${(error as Error).message}`);
  }
  const fields = new Map<string, string>();
  flatten(json, "", fields);
  return { body: new TextEncoder().encode(text), bodyKind: "json", bodyFields: fields, json };
}

/** Leaves by their bracket names: `to[0]`, and `[0][to][1]` where the whole is a list. */
function flatten(value: JsonValue, name: string, fields: Map<string, string>): void {
  if (typeof value !== "object" || value === null) {
    fields.set(name, String(value));
    return;
  }
  for (const [key, entry] of Object.entries(value)) {
    const isRootField = name === "" && !Array.isArray(value);
    flatten(entry, isRootField ? key : `${name}[${key}]`, fields);
  }
}

/** `name=value` texts as fields; `name[]` is numbered. */
function pairs(texts: readonly string[]): Map<string, string> {
  const fields = new Map<string, string>();
  for (const text of texts) {
    const equals = text.indexOf("=");
    if (equals < 1) throw new Problem("usage", `"${text}" is no parameter`, "write it like -d amount=500");
    const given = text.slice(0, equals);
    const list = given.endsWith("[]") ? given.slice(0, -2) : undefined;
    const count = [...fields.keys()].filter((known) => list !== undefined && known.startsWith(`${list}[`)).length;
    const name = list === undefined ? given : `${list}[${count}]`;
    if (fields.has(name))
      throw new Problem("usage", `the parameter ${name} is given twice`, "the proxy refuses that (request_rejected)");
    fields.set(name, text.slice(equals + 1));
  }
  return fields;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    throw new Problem("usage", `"${text}" has an invalid escape`, "write %25 for a percent sign");
  }
}
