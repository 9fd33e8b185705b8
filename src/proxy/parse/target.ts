import { type Parsed, parsed, quoted, rejected } from "./rejection.ts";

/** Longest path, with its vendor prefix. */
export const PATH_BYTES_MAX = 2048;
/** Longest query, without its `?`. */
export const QUERY_BYTES_MAX = 8192;

export interface Target {
  /** Begins with `/`; exactly the bytes that the client sent after the vendor prefix. */
  readonly path: string;
  /** Raw, without `?`; empty where there is none. */
  readonly query: string;
}

export interface VendorTarget extends Target {
  /** Undefined where the path has no vendor prefix; the vendor then comes from the key. */
  readonly vendor: string | undefined;
}

/** Linear: a segment's alphabet has no `/`, so no position can be read in two ways. */
const PLAIN_PATH = /^(?:\/[A-Za-z0-9._~!$&'()*+,=:@-]+)+$/;
const DOT_SEGMENT = /\/\.{1,2}(?:\/|$)/;
const SEGMENT_PIECE = /^(?:[A-Za-z0-9._~!$&'()*+,=:@-]|%[0-9A-F]{2})+$/;

/**
 * The ASCII characters that may be escaped in a path, because SDKs escape them (`encodeURIComponent`, Python's `quote`)
 * in e-mail addresses, phone numbers and ids: `$ & + , : = @`. Each of them is also allowed bare and none has a meaning
 * of its own to a router. Not among them: unreserved characters (a second spelling of the same path), `/ \ . %` (a
 * second path), `; # ?`, brackets, quotes, space and controls.
 */
const ESCAPES_ALLOWED: ReadonlySet<string> = new Set(["24", "26", "2B", "2C", "3A", "3D", "40"]);

/** What `new URL` and every HTTP client leave as it is. `'` is missing on purpose: fetch would send it as `%27`. */
const PLAIN_QUERY = /^[A-Za-z0-9._~!$&()*+,/:=@[\]%-]+$/;

/**
 * Reads a raw request target with its vendor prefix: prefix first, then the rest is judged. What comes back is sent as
 * it is: `fetch("https://host" + path + "?" + query)` changes no byte of it. The query's escapes and names are
 * `parseQuery`'s to judge.
 */
export function parseTarget(rawTarget: string, vendorNames: ReadonlySet<string>): Parsed<VendorTarget> {
  const cut = cutTarget(rawTarget);
  if (!cut.ok) return cut;
  const { vendor, path } = splitVendorPrefix(cut.value.path, vendorNames);
  const refusal = pathRefusal(path) ?? queryRefusal(rawTarget, cut.value.query);
  return refusal === undefined ? parsed({ vendor, path, query: cut.value.query }) : rejected(refusal);
}

/** Reads a raw request target that has no vendor prefix. */
export function splitTarget(rawTarget: string): Parsed<Target> {
  const target = parseTarget(rawTarget, NO_VENDORS);
  return target.ok ? parsed({ path: target.value.path, query: target.value.query }) : target;
}

const NO_VENDORS: ReadonlySet<string> = new Set();

/**
 * Takes the vendor's name off a raw path, and with it one empty segment right after it: a base URL with a trailing
 * slash makes `/resend//emails` (resend-node). Judges nothing: a second empty segment is still there to be refused.
 */
export function splitVendorPrefix(
  path: string,
  vendorNames: ReadonlySet<string>,
): { readonly vendor: string | undefined; readonly path: string } {
  const end = path.indexOf("/", 1);
  const first = end === -1 ? path.slice(1) : path.slice(1, end);
  if (!vendorNames.has(first)) return { vendor: undefined, path };
  const rest = end === -1 ? "/" : path.slice(end);
  return { vendor: first, path: rest.startsWith("//") ? rest.slice(1) : rest };
}

/** Origin form only (RFC 9112 §3.2.1): the absolute form carries a second host, and a fragment never belongs on the wire. */
function cutTarget(rawTarget: string): Parsed<Target> {
  if (!rawTarget.startsWith("/")) {
    return rejected(
      `The request target ${quoted(rawTarget)} does not begin with "/"; set Keybrake as the base URL, not as a forward proxy.`,
    );
  }
  if (rawTarget.includes("#"))
    return rejected('The request target has a fragment ("#"); leave it out, or write %23 in the query.');
  const question = rawTarget.indexOf("?");
  const path = question === -1 ? rawTarget : rawTarget.slice(0, question);
  const query = question === -1 ? "" : rawTarget.slice(question + 1);
  if (path.length > PATH_BYTES_MAX) {
    return rejected(`The path has ${path.length} bytes; the limit is ${PATH_BYTES_MAX}.`);
  }
  if (query.length > QUERY_BYTES_MAX) {
    return rejected(
      `The query has ${query.length} bytes; the limit is ${QUERY_BYTES_MAX}. Send the parameters in the body.`,
    );
  }
  return parsed({ path, query });
}

function pathRefusal(path: string): string | undefined {
  if (path === "/") return undefined;
  if (path.includes("/.") && DOT_SEGMENT.test(path))
    return 'The path has a "." or ".." segment; send the path it stands for.';
  if (PLAIN_PATH.test(path)) return undefined;
  for (const segment of path.slice(1).split("/")) {
    const refusal = segmentRefusal(segment);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function segmentRefusal(segment: string): string | undefined {
  if (segment === "") return "The path has an empty segment (two slashes together, or one at the end); leave it out.";
  if (!SEGMENT_PIECE.test(segment)) {
    return `The path segment ${quoted(segment)} has a character that is not allowed there, or an escape that is not "%" and two upper-case hex digits.`;
  }
  for (const match of segment.matchAll(/%([0-7][0-9A-F])/g)) {
    if (!ESCAPES_ALLOWED.has(match[1]!)) {
      return `The path segment ${quoted(segment)} has the escape %${match[1]}; only $ & + , : = @ and non-ASCII characters may be escaped in a path.`;
    }
  }
  return nonAsciiRefusal(segment);
}

/**
 * Non-ASCII characters must be valid UTF-8 and in NFKC form: a server that normalises would otherwise see `/` in
 * U+FF0F, `.` in U+2024 and `%` in U+FF05.
 */
function nonAsciiRefusal(segment: string): string | undefined {
  const refusal = `The path segment ${quoted(segment)} escapes bytes that are not plain UTF-8 text in NFKC form.`;
  let decoded: string;
  try {
    decoded = decodeURIComponent(segment);
  } catch {
    return refusal;
  }
  return decoded.normalize("NFKC") !== decoded || /[\p{C}\p{Z}]/u.test(decoded) ? refusal : undefined;
}

function queryRefusal(rawTarget: string, query: string): string | undefined {
  if (query === "")
    return rawTarget.endsWith("?") ? 'The request target ends in "?" with no query; leave it out.' : undefined;
  if (PLAIN_QUERY.test(query)) return undefined;
  return `The query ${quoted(query)} has a character that must be written as an escape (% and two hex digits).`;
}
