import {
  CONNECTION_TOKENS,
  HEADER_BYTES_MAX,
  HEADERS_MAX,
  headerRule,
  type InterpretedHeader,
} from "./header-rules.ts";
import { type Parsed, parsed, quoted, rejected } from "./rejection.ts";

export interface HeaderOptions {
  /** A `Content-Length` above it is 413, before a byte of the body is read. */
  readonly bodyBytesMax?: number;
}

export interface ParsedHeaders {
  /** Lower-case names; without `Host`, framing, hop-by-hop and `X-Forwarded-*` headers and cookies. */
  readonly headers: ReadonlyMap<string, string>;
  /** `host[:port]` as the client wrote it: to make links that lead back, never to choose a vendor. */
  readonly host: string;
  /** Undefined where there is none, or the body is chunked. */
  readonly contentLength: number | undefined;
  /** Whether the body came in chunks; only some vendors' SDKs do that (`Vendor.chunkedBodies`). */
  readonly chunked: boolean;
}

/** Visible ASCII, space and tab. Bytes from 0x80 are Latin-1 to one reader and UTF-8 to the next. */
const VALUE = /^[\t\x20-\x7e]*$/;
const CONTENT_LENGTH = /^(?:0|[1-9][0-9]{0,15})$/;
/** Name, IPv4 address or bracketed IPv6 address, and a port. `_` because Docker's service names have it. */
const HOST = /^(?:[A-Za-z0-9_](?:[A-Za-z0-9._-]{0,253})|\[[0-9A-Fa-f:.]{2,45}\])(?::[0-9]{1,5})?$/;

/**
 * Reads node:http's `rawHeaders` (names and values in turn). Every header is forwarded or interpreted by somebody, so a
 * repeat of any is refused but for the few in `JOINED_HEADERS`; what a server could take for another request (method
 * overrides, `X-Original-URL`, two lengths) is refused; values are never echoed, as one of them is the vault key.
 */
export function parseHeaders(rawHeaders: readonly string[], options: HeaderOptions = {}): Parsed<ParsedHeaders> {
  const limit = limitRefusal(rawHeaders);
  if (limit !== undefined) return rejected(limit);
  const headers = new Map<string, string>();
  const interpreted: Interpreted = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const refusal = addHeader(headers, interpreted, rawHeaders[index]!, rawHeaders[index + 1]!);
    if (refusal !== undefined) return rejected(refusal);
  }
  const { host, "content-encoding": encoding } = interpreted;
  if (host === undefined || !HOST.test(host))
    return rejected("The request needs one Host header of the form host or host:port.");
  const refusal = connectionRefusal(interpreted);
  if (refusal !== undefined) return rejected(refusal);
  if (encoding !== undefined && encoding.toLowerCase() !== "identity") {
    return rejected(
      `The Content-Encoding ${quoted(encoding)} is not supported; send the body uncompressed.`,
      "encoding_unsupported",
    );
  }
  const framing = parseFraming(interpreted, options);
  if (!framing.ok) return framing;
  const { contentLength, chunked } = framing.value;
  return parsed({ headers, host, contentLength, chunked });
}

/** Kept apart from the headers that are passed on: a map of four entries takes a fifth of the memory of one of five. */
type Interpreted = { [name in InterpretedHeader]?: string };

function limitRefusal(rawHeaders: readonly string[]): string | undefined {
  const count = rawHeaders.length / 2;
  if (count > HEADERS_MAX) return `The request has ${count} headers; the limit is ${HEADERS_MAX}.`;
  let bytes = 0;
  for (let index = 0; index < rawHeaders.length; index++) bytes += rawHeaders[index]!.length + 2;
  return bytes > HEADER_BYTES_MAX ? `The headers have ${bytes} bytes; the limit is ${HEADER_BYTES_MAX}.` : undefined;
}

/** Puts one header where it belongs unless it is to be dropped; or says why it is refused. */
function addHeader(
  headers: Map<string, string>,
  interpreted: Interpreted,
  rawName: string,
  value: string,
): string | undefined {
  const rule = headerRule(rawName);
  if (rule === undefined)
    return `The header name ${quoted(rawName)} has a character that is not allowed (letters, digits and "-" are).`;
  const { fate, name } = rule;
  if (!VALUE.test(value)) return `The header ${quoted(name)} has a control or non-ASCII character in its value.`;
  if (fate === "dropped") return undefined;
  if (fate === "refused") return `The header ${quoted(name)} is refused; ${rule.advice}.`;
  if (fate === "interpreted") {
    if (interpreted[rule.name] !== undefined) return repeated(name);
    interpreted[rule.name] = value;
    return undefined;
  }
  const earlier = headers.get(name);
  if (earlier !== undefined && fate === "kept") return repeated(name);
  headers.set(name, earlier === undefined ? value : `${earlier}, ${value}`);
  return undefined;
}

function repeated(name: string): string {
  return `The header ${quoted(name)} is there more than once; send it once.`;
}

function connectionRefusal({ connection, te }: Interpreted): string | undefined {
  if (connection !== undefined && connection !== "keep-alive") {
    for (const token of connection.toLowerCase().split(",")) {
      if (!CONNECTION_TOKENS.has(token.trim()))
        return 'The Connection header may only say "keep-alive", "close" or "te".';
    }
  }
  return te === undefined || te.toLowerCase() === "trailers"
    ? undefined
    : 'The TE header may only say "trailers"; leave it out.';
}

export const CODING_REFUSED = "Transfer-Encoding is refused here; send the body with a Content-Length.";

/** RFC 9112 §6.3: one statement of the body's length, or request smuggling. */
function parseFraming(
  { "content-length": length, "transfer-encoding": coding }: Interpreted,
  options: HeaderOptions,
): Parsed<Pick<ParsedHeaders, "contentLength" | "chunked">> {
  if (coding !== undefined) {
    if (length !== undefined)
      return rejected("The request has both Content-Length and Transfer-Encoding; send Content-Length.");
    if (coding.toLowerCase() !== "chunked") return rejected(CODING_REFUSED);
    return parsed({ contentLength: undefined, chunked: true });
  }
  if (length === undefined) return parsed({ contentLength: undefined, chunked: false });
  if (!CONTENT_LENGTH.test(length)) return rejected("The Content-Length must be one plain decimal number.");
  const bytes = Number(length);
  if (options.bodyBytesMax !== undefined && bytes > options.bodyBytesMax) {
    return rejected(`The body has ${bytes} bytes; the limit is ${options.bodyBytesMax}.`, "body_too_large");
  }
  return parsed({ contentLength: bytes, chunked: false });
}
