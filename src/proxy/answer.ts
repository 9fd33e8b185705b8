import { formatUsd } from "../core/money.ts";
import type { DataPlane } from "./data-plane.ts";
import { decodeAnswer } from "./decode-answer.ts";
import type { Outcome } from "./forward.ts";
import type { AdmittedCall } from "./hold.ts";
import { rewritePageLinks } from "./page-links.ts";
import type { ParsedRequest } from "./parse.ts";
import { type Denial, type Outgoing, refuse } from "./refusal.ts";
import { scrubBytes, scrubStream, scrubText } from "./scrub.ts";
import type { Ending } from "./settle.ts";
import type { UpstreamRequest } from "./swap.ts";

type Headers = (readonly [string, string])[];

/** Hop-by-hop (RFC 9110 §7.6.1), framing that is made anew, and what a vendor must not set in a client of the proxy. */
const NOT_PASSED_ON = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authenticate",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
  "content-length",
  "set-cookie",
  "alt-svc",
  "clear-site-data",
  "strict-transport-security",
  "service-worker-allowed",
  "report-to",
  "nel",
]);

/**
 * With an answer that a browser could show. The dashboard may have the same address: a page of a vendor's, opened there by
 * a link with a vault key in it, must not run as one of its own. (CSP 3, `sandbox`: an origin of its own, and no script.)
 */
const SHOWN_NOWHERE: Headers = [
  ["content-security-policy", "sandbox"],
  ["x-content-type-options", "nosniff"],
];

/** In place of an answer that cannot be searched for the secret. The vendor was asked not to compress it. */
const WITHHELD = Buffer.from("Keybrake withheld this answer: its Content-Encoding cannot be read.");

/** From this share of a cap on, successful calls carry a notice: 80 %. */
const NOTICE_PERCENT = 80n;

/** What the client gets: the vendor's answer, or the sentence that says why there is none. */
export function answer(
  plane: DataPlane,
  request: ParsedRequest,
  admitted: AdmittedCall,
  upstream: UpstreamRequest,
  ending: Ending,
): Outgoing {
  const { outcome } = ending;
  if (outcome.kind === "answered") return passOn(plane, admitted, upstream, ending, outcome);
  const denial = brokenDenial(outcome, admitted.setup.vendor.title, plane.limits.upstreamTimeoutMs);
  return refuse(plane, request, denial, admitted.key);
}

/**
 * The vendor's answer unchanged, but for hop-by-hop headers, an echoed secret and links to further pages, and with
 * Keybrake's own headers.
 */
function passOn(
  { publicUrl }: DataPlane,
  admitted: AdmittedCall,
  upstream: UpstreamRequest,
  ending: Ending,
  outcome: Extract<Outcome, { kind: "answered" }>,
): Outgoing {
  const secrets = upstream.canaries;
  const headers: Headers = [];
  let body = outcome.body;
  let encoded = false;
  let isJson = false;
  for (const [name, value] of outcome.headers) {
    if (NOT_PASSED_ON.has(name) || name.startsWith("x-keybrake-")) continue;
    if (name === "content-encoding") encoded = true;
    if (name === "content-type") isJson = value.startsWith("application/json");
    headers.push([name, clientValue(name, value, upstream, secrets)]);
  }
  if (body instanceof Uint8Array) {
    const encoding = outcome.answer.headers.get("content-encoding") ?? undefined;
    const plain = decodeAnswer(body, encoding);
    const scrubbed = plain ? scrubBytes(plain, secrets) : WITHHELD;
    const { vendor, origin } = admitted.setup;
    const isPage = admitted.call.method === "GET" && vendor.pageLinks !== undefined;
    const linked = isPage ? rewritePageLinks(vendor, `${publicUrl}/${vendor.name}`, scrubbed, origin) : undefined;
    const clean = linked ?? scrubbed;
    if (clean !== plain) {
      body = clean;
      if (encoded)
        headers.splice(
          headers.findIndex(([name]) => name === "content-encoding"),
          1,
        );
    }
  } else {
    body = body.pipeThrough(scrubStream(secrets) as ReadableWritablePair<Uint8Array, Uint8Array>);
  }
  const length =
    admitted.call.method === "HEAD" ? (outcome.answer.headers.get("content-length") ?? undefined) : undefined;
  if (length !== undefined) headers.push(["content-length", length]);
  if (!isJson) headers.push(...SHOWN_NOWHERE);
  headers.push(...keybrakeHeaders(admitted, ending));
  return { status: outcome.status, headers, body };
}

/** The vendor echoes the idempotency key that it was sent; the client gets its own back. */
function clientValue(name: string, value: string, upstream: UpstreamRequest, secrets: readonly string[]): string {
  const { idempotencyKey } = upstream;
  if (name === "idempotency-key" && idempotencyKey?.client !== undefined && value === idempotencyKey.sent) {
    return idempotencyKey.client;
  }
  return scrubText(value, secrets);
}

function keybrakeHeaders({ setup, facts, exposure, tightest, resumes }: AdmittedCall, { to, cost }: Ending): Headers {
  const costMicros = to === "settled" ? cost.micros : to === "released" ? 0n : exposure.micros;
  const headers: Headers = [
    ["x-keybrake-request-id", facts.id],
    ["x-keybrake-cost-usd", formatUsd(costMicros)],
  ];
  if (setup.sandbox) headers.push(["x-keybrake-sandbox", "true"]);
  // A look-up's money is held by another call, perhaps in another window: what is left is not this one's to say.
  if (!tightest || resumes) return headers;
  const used = tightest.used - exposure.micros + costMicros;
  const left = used > tightest.cap ? 0n : tightest.cap - used;
  headers.push(["x-keybrake-cap-remaining-usd", formatUsd(left)]);
  const { noticeHeader } = setup.vendor;
  if (noticeHeader && used * 100n >= tightest.cap * NOTICE_PERCENT && costMicros > 0n) {
    const text = `Keybrake: $${formatUsd(used)} of the $${formatUsd(tightest.cap)} ${tightest.name} is used, $${formatUsd(left)} is left.`;
    headers.push([noticeHeader, text]);
  }
  return headers;
}

/** What the client is told where no whole answer came. */
function brokenDenial(outcome: Exclude<Outcome, { kind: "answered" }>, vendor: string, timeoutMs: number): Denial {
  if (outcome.kind === "not_sent") {
    const message = `${vendor} could not be reached (${outcome.cause}); nothing was sent and nothing is held. Retry later.`;
    return { code: "upstream_unreachable", rule: "upstream", message, details: { vendor } };
  }
  const what = {
    timeout: `did not answer within ${timeoutMs / 1000} s`,
    broken: "broke off before its whole answer had come",
    aborted: "was cut off by the operator's hard stop",
  }[outcome.why];
  const message = `The call to ${vendor} ${what}. Whether it took effect is unknown, so its full amount stays held; look before you repeat it.`;
  return { code: "upstream_timeout", rule: "upstream", message, details: { vendor } };
}
