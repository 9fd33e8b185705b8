/** Most headers in one request. */
export const HEADERS_MAX = 100;
/** Most bytes of names and values, with `: ` and the line end. */
export const HEADER_BYTES_MAX = 16_384;

/** Headers whose presence alone is refused, and why, as the end of a sentence. */
export const REFUSED_HEADERS: ReadonlyMap<string, string> = new Map([
  ["expect", "send the body at once"],
  ["upgrade", "Keybrake forwards plain HTTP only"],
  ["http2-settings", "Keybrake forwards plain HTTP only"],
  ["trailer", "send the fields as headers"],
  ["range", "ask for the whole object"],
  ["if-range", "ask for the whole object"],
  ["content-range", "send the whole object"],
  // A policy judges the method and path of the request line; a server that follows these would run another one.
  ["x-http-method-override", "use the method itself"],
  ["x-http-method", "use the method itself"],
  ["x-method-override", "use the method itself"],
  ["x-original-method", "use the method itself"],
  ["x-original-url", "use the path itself"],
  ["x-rewrite-url", "use the path itself"],
  ["x-original-host", "the vendor comes from the path or the key"],
  ["x-host", "the vendor comes from the path or the key"],
]);

/**
 * Headers that never reach a vendor: hop-by-hop (RFC 9110 §7.6.1), what proxies say about the client, and what the
 * forwarder makes anew. They may be repeated.
 */
export const DROPPED_HEADERS: ReadonlySet<string> = new Set([
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "forwarded",
  "x-real-ip",
  "cookie",
  "via",
]);

/** The prefix of `X-Forwarded-For`, `-Host`, `-Proto`, … */
export const DROPPED_PREFIX = "x-forwarded-";

/** List-valued, never interpreted, and meant to be repeated (RFC 9110 §5.3): joined by `, `. Any other repeat is refused. */
export const JOINED_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "pragma",
]);

/** What `Connection` may say. Any other token names a header to be removed, and so could remove one that was judged. */
export const CONNECTION_TOKENS: ReadonlySet<string> = new Set(["keep-alive", "close", "te"]);
