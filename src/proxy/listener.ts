import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Clock } from "../core/clock.ts";
import { timeOrderedId } from "../core/id.ts";
import { Problem } from "../core/problem.ts";
import { causeText, type Log } from "../log.ts";
import type { TlsPair } from "../operate/tls-pair.ts";
import { BodyMemory } from "./body-memory.ts";
import type { Connections } from "./connections.ts";
import type { Rejection } from "./parse/rejection.ts";
import type { IncomingCall } from "./parse.ts";
import type { Outgoing } from "./refusal.ts";

/**
 * node:http and not Bun.serve, because it shows the request target and the headers as they were sent: Bun.serve resolves
 * `%2e%2e` and joins repeated headers before anybody can refuse them (docs/decisions/0002).
 */
export interface ListenerOptions {
  readonly clock: Clock;
  readonly log: Log;
  /** Where there is one nothing but TLS is spoken, in version 1.2 or 1.3. */
  readonly tls?: TlsPair | undefined;
  /** How long a client may take to send a body, and how long it may take nothing of an answer. */
  readonly bodyTimeoutMs: number;
  /** Those of clients, and how many there may be at once. */
  readonly connections: Connections;
  /** The largest body in bytes that may be sent anywhere. */
  readonly usualBodyBytesMax: number;
  /** The largest body in bytes that may be sent to this target. */
  readonly bodyBytesMax: (method: string, target: string) => number;
  readonly onCall: (call: IncomingCall) => Promise<Outgoing>;
}

/** 16 KB of head, and ten seconds to send it, however the bytes trickle in; looked at every other second. */
const HEAD_BYTES_MAX = 16_384;
const HEAD_TIMEOUT_MS = 10_000;
const HEAD_CHECK_EVERY_MS = 2_000;
const KEEP_ALIVE_MS = 75_000;
/** Of all bodies that are being read or judged. */
const BODY_MEMORY_BYTES = 256 * 1024 * 1024;

export function createListener(options: ListenerOptions): Server {
  const { connections } = options;
  const memory = new BodyMemory(BODY_MEMORY_BYTES);
  const settings = {
    maxHeaderSize: HEAD_BYTES_MAX,
    insecureHTTPParser: false,
    requireHostHeader: true,
    connectionsCheckingInterval: HEAD_CHECK_EVERY_MS,
  };
  const { tls } = options;
  const onRequest = (request: IncomingMessage, response: ServerResponse) =>
    void serve(options, connections, memory, request, response);
  const server = tls
    ? createTlsServer({ ...settings, cert: tls.certificate, key: tls.key.reveal(), minVersion: "TLSv1.2" }, onRequest)
    : createServer(settings, onRequest);
  server.headersTimeout = HEAD_TIMEOUT_MS;
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  server.on("connection", (socket) => connections.opened(socket));
  return server;
}

/** Starts listening; resolves with the port, which is a free one where 0 was asked for. */
export function listenOn(server: Server, host: string, port: number): Promise<number> {
  return new Promise((done, failed) => {
    server.once("error", (cause: Error & { code?: string }) => failed(listenProblem(cause, host, port)));
    server.listen(port, host, () => {
      server.removeAllListeners("error");
      done((server.address() as AddressInfo).port);
    });
  });
}

function listenProblem(cause: Error & { code?: string }, host: string, port: number): Error {
  if (cause.code !== "EADDRINUSE" && cause.code !== "EACCES" && cause.code !== "EADDRNOTAVAIL") return cause;
  const why = {
    EADDRINUSE: "another process listens there",
    EACCES: "this user may not",
    EADDRNOTAVAIL: "this machine has no such address",
  }[cause.code];
  return new Problem(
    "unavailable",
    `cannot listen on ${host}:${port}: ${why}`,
    "stop the other process, or choose another address with --listen",
  );
}

async function serve(
  options: ListenerOptions,
  connections: Connections,
  memory: BodyMemory,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { clock, log, onCall } = options;
  const receivedAt = clock.now();
  const id = timeOrderedId("call", receivedAt);
  const startedMs = clock.elapsed();
  const method = request.method ?? "";
  const target = request.url ?? "";
  let release = () => {};
  try {
    const { body, rejection } = await readBody(options, memory, request, (free) => {
      release = free;
    });
    connections.served(request.socket);
    response.once("close", () => connections.answered(request.socket));
    const peer = () => request.socket.remoteAddress;
    const call = { id, receivedAt, startedMs, method, target, rawHeaders: request.rawHeaders, body, peer };
    const outgoing = await onCall({ ...call, bodyRejection: rejection });
    await send(response, method, outgoing, rejection !== undefined, options.bodyTimeoutMs);
  } catch (cause) {
    log.error("request_failed", { call: id, cause: causeText(cause) });
    if (!response.headersSent) await send(response, method, FAILED, true, options.bodyTimeoutMs);
    else response.destroy();
  } finally {
    release();
  }
}

const FAILED: Outgoing = {
  status: 500,
  headers: [["content-type", "application/json"]],
  body: JSON.stringify({
    error: { type: "api_error", code: "internal", message: "Keybrake: an internal error; the server's log says more." },
    message: "Keybrake: an internal error; the server's log says more.",
  }),
};

interface ReadBody {
  readonly body: Uint8Array;
  readonly rejection: Rejection | undefined;
}

const EMPTY = new Uint8Array(0);

/** The whole body, or why it is not wanted: too large (by its announced length, before a byte is read) or too slow. */
function readBody(
  options: ListenerOptions,
  memory: BodyMemory,
  request: IncomingMessage,
  reserved: (free: () => void) => void,
): Promise<ReadBody> {
  const timeoutMs = options.bodyTimeoutMs;
  const announced = request.headers["content-length"];
  const isUsual = announced !== undefined && Number(announced) <= options.usualBodyBytesMax;
  // What an operation takes beyond the usual is looked up only where it matters.
  const bytesMax = isUsual ? options.usualBodyBytesMax : options.bodyBytesMax(request.method ?? "", request.url ?? "");
  const tooLarge = (bytes: number | string): ReadBody => ({
    body: EMPTY,
    rejection: { code: "body_too_large", message: `The body has ${bytes} bytes or more; the limit is ${bytesMax}.` },
  });
  if (announced !== undefined && Number(announced) > bytesMax) return Promise.resolve(tooLarge(announced));
  if ((announced === undefined || announced === "0") && request.headers["transfer-encoding"] === undefined) {
    return Promise.resolve({ body: EMPTY, rejection: undefined });
  }
  const free = memory.reserve(announced === undefined ? bytesMax : Number(announced));
  if (!free) {
    const message = "Too many large bodies are being sent at once; send this one again in a moment.";
    return Promise.resolve({ body: EMPTY, rejection: { code: "rate_exceeded", message } });
  }
  reserved(free);
  return new Promise((done) => {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    const finish = (result: ReadBody) => {
      clearTimeout(timer);
      done(result);
    };
    const broken = (message: string) => finish({ body: EMPTY, rejection: { code: "request_rejected", message } });
    const timer = setTimeout(() => broken(`The body did not arrive within ${timeoutMs / 1000} s.`), timeoutMs);
    request.on("data", (chunk: Uint8Array) => {
      bytes += chunk.length;
      if (bytes > bytesMax) finish(tooLarge(bytes));
      else chunks.push(chunk);
    });
    request.on("end", () => {
      // Headers that nobody has judged (RFC 9112 §7.1.2); only a body in chunks can have them.
      if (announced === undefined && request.rawTrailers.length > 0) broken("The body has trailers; leave them out.");
      else finish({ body: chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks), rejection: undefined });
    });
    request.on("error", () => broken("The body broke off."));
    request.on("aborted", () => broken("The body broke off."));
  });
}

async function send(
  response: ServerResponse,
  method: string,
  outgoing: Outgoing,
  close: boolean,
  stallMs: number,
): Promise<void> {
  try {
    await write(response, method, outgoing, close, stallMs);
  } finally {
    outgoing.done?.();
  }
}

async function write(
  response: ServerResponse,
  method: string,
  { status, headers, body, closes }: Outgoing,
  close: boolean,
  stallMs: number,
): Promise<void> {
  const flat: string[] = [];
  for (const [name, value] of headers) flat.push(name, value);
  if (close || closes) flat.push("connection", "close");
  if (body instanceof ReadableStream) {
    response.writeHead(status, flat);
    await pipe(body, response, stallMs);
    return;
  }
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  if (method !== "HEAD" && status !== 204 && status !== 304) flat.push("content-length", String(bytes.length));
  response.writeHead(status, flat);
  if (method === "HEAD") response.end();
  else if (bytes.length <= PIECE_BYTES) response.end(bytes);
  else await sendPieces(bytes, response, stallMs);
}

/** What a socket's buffer takes at once; longer bodies wait for their client piece by piece. */
const PIECE_BYTES = 65_536;

async function sendPieces(body: Uint8Array, response: ServerResponse, stallMs: number): Promise<void> {
  for (let start = 0; start < body.length; start += PIECE_BYTES) {
    const wanted = await writePiece(response, body.subarray(start, start + PIECE_BYTES), stallMs);
    if (!wanted) return;
  }
  response.end();
}

async function pipe(body: ReadableStream<Uint8Array>, response: ServerResponse, stallMs: number): Promise<void> {
  const reader = body.getReader();
  // A client that hangs up frees the vendor's connection; the hold was settled when the head of the answer had come.
  response.once("close", () => void reader.cancel().catch(() => {}));
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!(await writePiece(response, value, stallMs))) return;
  }
  response.end();
}

/** False where the client has gone, or has taken nothing for so long that it is cut off: it would keep both its connection and the vendor's. */
function writePiece(response: ServerResponse, piece: Uint8Array, stallMs: number): boolean | Promise<boolean> {
  if (response.destroyed) return false;
  if (response.write(piece)) return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => response.destroy(), stallMs);
    const finish = (wanted: boolean) => {
      clearTimeout(timer);
      response.off("drain", drained).off("close", closed);
      resolve(wanted);
    };
    const drained = () => finish(true);
    const closed = () => finish(false);
    response.once("drain", drained).once("close", closed);
  });
}
