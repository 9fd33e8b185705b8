import { type Answer, type Call, isRead, type JsonValue, type Method } from "../core/call.ts";
import type { LookUp } from "../vendors/vendor.ts";
import type { DataPlane } from "./data-plane.ts";
import { decodeAnswer } from "./decode-answer.ts";
import type { AdmittedCall } from "./hold.ts";
import { readRequest, type UpstreamRequest } from "./swap.ts";
import type { VendorSetup } from "./vendor-desk.ts";

/** How a call ended at the vendor. It begins as `not_sent`, and whatever leaves `forward` early leaves it `unknown`. */
export type Outcome =
  | { readonly kind: "not_sent"; readonly cause: string }
  | {
      readonly kind: "unknown";
      readonly why: "timeout" | "broken" | "aborted";
      readonly upstreamMs: number;
      readonly status: number | null;
    }
  | {
      readonly kind: "answered";
      readonly status: number;
      readonly headers: readonly (readonly [string, string])[];
      /** The whole body, or the rest of it where its cost is not in it. */
      readonly body: Uint8Array | ReadableStream<Uint8Array>;
      readonly answer: Answer;
      readonly upstreamMs: number;
    };

/** Failures before the first byte of the request: the name, the connection, the handshake. */
const NOT_SENT =
  /^(?:ECONNREFUSED|ENOTFOUND|EAI_\w+|EPROTO|ENETUNREACH|EHOSTUNREACH|EADDRNOTAVAIL|\w*(?:CERT|SIGNED)\w*|ERR_TLS\w*|ConnectionRefused|FailedToOpenSocket|UNABLE_TO_\w+)$/;

/**
 * Sends the call, once, and reads the answer; never retries, and passes redirects on. Bun's fetch by itself repeats GET,
 * HEAD, PUT and DELETE when its pooled connection turns out to be closed, and never POST or PATCH: of the former only a
 * read that costs nothing goes over a pooled connection (docs/decisions/0012).
 */
export async function forward(plane: DataPlane, admitted: AdmittedCall, upstream: UpstreamRequest): Promise<Outcome> {
  const { facts, key, call, exposure, setup, receipt } = admitted;
  if (!setup.isPrivate && !(await plane.reach.isPublic(upstream.url))) {
    return { kind: "not_sent", cause: "its name resolves to a private address" };
  }
  const abort = new AbortController();
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    abort.abort();
  }, plane.limits.upstreamTimeoutMs);
  const startedMs = plane.clock.elapsed();
  const upstreamMs = () => plane.clock.elapsed() - startedMs;
  plane.inFlight.add({
    callId: facts.id,
    seq: receipt?.seq ?? 0,
    keyId: key.id,
    label: key.label,
    vendor: key.vendor,
    abort,
  });
  const end = () => {
    clearTimeout(timer);
    plane.inFlight.remove(facts.id);
  };
  let status: number | null = null;
  let isStreaming = false;
  try {
    const pooled = isNeverRepeated(call.method) || (isRead(call.method) && exposure.micros === 0n);
    const response = await fetchOnce(upstream, abort.signal, pooled);
    if (response.status < 200 || response.status > 599) throw new Error(`${response.status} is no status of an answer`);
    status = response.status;
    // An answer that shows an object is remembered, and so is read also where nothing was held.
    const mustRead = exposure.micros > 0n || admitted.object !== undefined;
    const mayStream = !mustRead && !(setup.vendor.pageLinks && isJson(response));
    const read = await readBody(response, plane.limits.answerBytesMax, mayStream);
    isStreaming = read instanceof ReadableStream;
    const body = read instanceof ReadableStream ? endingStream(read, end) : read;
    const headers = [...response.headers];
    return { kind: "answered", status, headers, body, answer: readAnswer(response, body), upstreamMs: upstreamMs() };
  } catch (cause) {
    const code = String((cause as { code?: unknown }).code ?? "");
    if (status === null && !timedOut && !abort.signal.aborted && NOT_SENT.test(code))
      return { kind: "not_sent", cause: code };
    const why = timedOut ? "timeout" : abort.signal.aborted ? "aborted" : "broken";
    return { kind: "unknown", why, upstreamMs: upstreamMs(), status };
  } finally {
    if (!isStreaming) end();
  }
}

/** The bytes as they are, to this one address. */
function fetchOnce(upstream: UpstreamRequest, signal: AbortSignal, keepalive: boolean): Promise<Response> {
  const { url, method, headers, body } = upstream;
  const init = { method, headers, ...(body ? { body } : {}), redirect: "manual", decompress: false, keepalive, signal };
  return fetch(url, init as RequestInit);
}

/** What a read that Keybrake makes for itself has come to. */
export type Reading =
  | { readonly kind: "found"; readonly json: JsonValue; readonly status: number }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "failed"; readonly why: string };

/** An agent waits for it; and a vendor that is this slow would not answer the call itself in time. */
const READ_TIMEOUT_MS = 10_000;
const READ_BYTES_MAX = 1024 * 1024;

/** Asks the vendor for what costs and changes nothing (`LookUp`), with the real secret. Never throws. */
export async function read(
  plane: Pick<DataPlane, "reach" | "limits">,
  setup: VendorSetup,
  lookUp: LookUp,
  call?: Call,
): Promise<Reading> {
  const upstream = readRequest(setup, lookUp, call);
  if (!setup.isPrivate && !(await plane.reach.isPublic(upstream.url))) {
    return { kind: "failed", why: "its name resolves to a private address" };
  }
  const timeoutMs = Math.min(READ_TIMEOUT_MS, plane.limits.upstreamTimeoutMs);
  try {
    const response = await fetchOnce(upstream, AbortSignal.timeout(timeoutMs), true);
    const { status } = response;
    // A 204 has no body at all.
    const body = response.body ? await readBounded(response.body, READ_BYTES_MAX) : new Uint8Array(0);
    if (status >= 500 || status === 429) return { kind: "failed", why: `it was answered ${status}` };
    if (status < 200 || status > 299) return { kind: "refused", status };
    const json = parseJson(decodeAnswer(body, response.headers.get("content-encoding") ?? undefined));
    return json === undefined ? { kind: "failed", why: "the answer is no JSON" } : { kind: "found", json, status };
  } catch (cause) {
    const isLate = (cause as { name?: unknown }).name === "TimeoutError";
    return { kind: "failed", why: isLate ? `no answer came within ${timeoutMs} ms` : "no whole answer came" };
  }
}

/** The same pieces; `end` is called once, when the last has been passed on, the vendor breaks off, or the client goes. */
function endingStream(body: ReadableStream<Uint8Array>, end: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (!done) return controller.enqueue(value);
        end();
        controller.close();
      } catch (cause) {
        end();
        controller.error(cause);
      }
    },
    cancel(reason) {
      end();
      return reader.cancel(reason);
    },
  });
}

/** By Bun's fetch, when a pooled connection was closed by the other end. */
function isNeverRepeated(method: Method): boolean {
  return method === "POST" || method === "PATCH";
}

/** A page whose links are made to lead to the proxy has to be whole; a recording does not. */
function isJson(response: Response): boolean {
  return /^application\/json\b/i.test(response.headers.get("content-type") ?? "");
}

/** Larger answers of calls that cost nothing are streamed; the others must be whole before their cost is known. */
const BUFFERED_BYTES_MAX = 256 * 1024;

async function readBody(
  response: Response,
  bytesMax: number,
  costsNothing: boolean,
): Promise<Uint8Array | ReadableStream<Uint8Array>> {
  // `response.body` makes a stream, which costs more than the rest of a call: it is asked for only where one is needed.
  const length = response.headers.get("content-length");
  const bytes = length === null ? undefined : Number(length);
  if (bytes !== undefined && bytes <= (costsNothing ? BUFFERED_BYTES_MAX : bytesMax)) {
    return new Uint8Array(await response.arrayBuffer());
  }
  if (!response.body) return new Uint8Array(0);
  // In pieces of a compressed answer nobody would find an echoed secret.
  const readable = (response.headers.get("content-encoding") ?? "identity") === "identity";
  return costsNothing && readable && response.status < 300 ? response.body : readBounded(response.body, bytesMax);
}

async function readBounded(body: ReadableStream<Uint8Array>, bytesMax: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.length;
    if (bytes > bytesMax) throw new Error(`the answer has more than ${bytesMax} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function readAnswer(response: Response, body: Uint8Array | ReadableStream<Uint8Array>): Answer {
  const { headers } = response;
  const json =
    body instanceof Uint8Array
      ? parseJson(decodeAnswer(body, headers.get("content-encoding") ?? undefined))
      : undefined;
  return { status: response.status, headers, json };
}

function parseJson(body: Uint8Array | undefined): JsonValue | undefined {
  if (!body || body.length === 0) return undefined;
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString("utf8")) as JsonValue;
  } catch {
    return undefined;
  }
}
