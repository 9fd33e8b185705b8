/** Most headers in one request. */
export const HEADERS_MAX = 100;
/** Most bytes of names and values, with `: ` and the line end. */
export const HEADER_BYTES_MAX = 16_384;

/** Headers whose presence alone is refused, and why, as the end of a sentence. */
const REFUSED_HEADERS: ReadonlyMap<string, string> = new Map([
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
const DROPPED_HEADERS: ReadonlySet<string> = new Set([
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "forwarded",
  "x-real-ip",
  "cookie",
  "via",
]);

/** The prefix of `X-Forwarded-For`, `-Host`, `-Proto`, … */
const DROPPED_PREFIX = "x-forwarded-";

/** List-valued, never interpreted, and meant to be repeated (RFC 9110 §5.3): joined by `, `. Any other repeat is refused. */
const JOINED_HEADERS: ReadonlySet<string> = new Set([
  "accept",
  "accept-charset",
  "accept-encoding",
  "accept-language",
  "cache-control",
  "pragma",
]);

/** What `Connection` may say. Any other token names a header to be removed, and so could remove one that was judged. */
export const CONNECTION_TOKENS: ReadonlySet<string> = new Set(["keep-alive", "close", "te"]);

/** Interpreted by `parseHeaders`, and made anew by the forwarder where it needs them. */
const INTERPRETED_HEADERS = [
  "host",
  "connection",
  "te",
  "content-encoding",
  "content-length",
  "transfer-encoding",
] as const;
export type InterpretedHeader = (typeof INTERPRETED_HEADERS)[number];

/** What becomes of a header. `name` is in lower case. */
export type HeaderRule =
  | { readonly fate: "refused"; readonly name: string; readonly advice: string }
  | { readonly fate: "interpreted"; readonly name: InterpretedHeader }
  | { readonly fate: "dropped" | "joined" | "kept"; readonly name: string };

/** What SDKs send beside the headers above. Being listed saves time and changes nothing. */
const USUAL_HEADERS = (
  "authorization content-type idempotency-key stripe-account stripe-context stripe-version user-agent " +
  "x-batch-validation x-stripe-client-telemetry x-stripe-client-user-agent x-twilio-apiversion"
).split(" ");

/** RFC 9110 §5.6.2 without `_`: CGI, PHP and nginx take `Stripe_Account` for `Stripe-Account`. */
const NAME = /^[A-Za-z0-9!#$%&'*+.^`|~-]+$/;

/** By the two spellings in use, so that most names are checked, lower-cased and judged by one look-up. */
const KNOWN: ReadonlyMap<string, HeaderRule> = new Map(
  [...REFUSED_HEADERS.keys(), ...DROPPED_HEADERS, ...JOINED_HEADERS, ...INTERPRETED_HEADERS, ...USUAL_HEADERS].flatMap(
    (name) => {
      const rule = ruleOf(name);
      return [
        [name, rule],
        [name.replace(/(?<![a-z])[a-z]/g, (letter) => letter.toUpperCase()), rule],
      ] as const;
    },
  ),
);

/** The rule for a header by its name as sent; undefined where that is no name. */
export function headerRule(rawName: string): HeaderRule | undefined {
  return KNOWN.get(rawName) ?? (NAME.test(rawName) ? ruleOf(rawName.toLowerCase()) : undefined);
}

function ruleOf(name: string): HeaderRule {
  const advice = REFUSED_HEADERS.get(name);
  if (advice !== undefined) return { fate: "refused", name, advice };
  if (DROPPED_HEADERS.has(name) || name.startsWith(DROPPED_PREFIX)) return { fate: "dropped", name };
  const interpreted = INTERPRETED_HEADERS.find((each) => each === name);
  if (interpreted !== undefined) return { fate: "interpreted", name: interpreted };
  return { fate: JOINED_HEADERS.has(name) ? "joined" : "kept", name };
}
