/** The methods that are forwarded. CONNECT, TRACE and invented ones are refused. */
export const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] as const;
export type Method = (typeof METHODS)[number];

/** GET, HEAD and OPTIONS change nothing at the vendor (RFC 9110 §9.2.1). */
export function isRead(method: Method): boolean {
  return method === "GET" || method === "HEAD" || method === "OPTIONS";
}

export type JsonValue = string | number | boolean | null | readonly JsonValue[] | { readonly [key: string]: JsonValue };

/** Leaf parameters by the vendor's own spelling: `metadata[order_id]` → `ord_1`, `to[0]` → `a@example.com`. */
export type Fields = ReadonlyMap<string, string>;

export const NO_FIELDS: Fields = new Map();

export type BodyKind = "none" | "form" | "json" | "multipart" | "opaque";

/**
 * A call that has been parsed strictly. What is judged and what is forwarded are both this value, byte for byte.
 */
export interface Call {
  readonly method: Method;
  /** As the policy writes it: product host first where it is not the vendor's main one (`/verify/v2/Services/VA1/…`). */
  readonly path: string;
  /** Raw query without `?`, empty when there is none. */
  readonly query: string;
  readonly queryFields: Fields;
  readonly body: Uint8Array;
  readonly bodyKind: BodyKind;
  /** Body parameters, flattened; empty for other bodies than form and JSON. */
  readonly bodyFields: Fields;
  readonly json: JsonValue | undefined;
  /** Lower-case names; a duplicate of an interpreted header never gets here. */
  readonly headers: ReadonlyMap<string, string>;
}

/** The parameter `name` of the query or the body; they never both have it. */
export function field(call: Call, name: string): string | undefined {
  return call.bodyFields.get(name) ?? call.queryFields.get(name);
}

/** Looked up by lower-case name: a `Headers` object, or a map. */
export interface AnswerHeaders {
  get(name: string): string | null | undefined;
}

/** The vendor's answer, as far as its cost has to be read from it. */
export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** Undefined where the body is no JSON, was cut off, or was not read. */
  readonly json: JsonValue | undefined;
}
