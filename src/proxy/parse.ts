import { METHODS, type Method } from "../core/call.ts";
import type { EpochMs } from "../core/window.ts";
import { parseHeaders } from "./parse/headers.ts";
import type { Rejection } from "./parse/rejection.ts";
import { parseTarget, type VendorTarget } from "./parse/target.ts";

/** A call as it came off the wire. */
export interface IncomingCall {
  readonly id: string;
  readonly receivedAt: EpochMs;
  /** `Clock.elapsed()` when its head had been read. */
  readonly startedMs: number;
  readonly method: string;
  readonly target: string;
  /** Names and values in turn, as sent. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** The address at the other end of the connection; asked for only where it matters. */
  readonly peer: () => string | undefined;
  /** Why the body was not read to its end. */
  readonly bodyRejection: Rejection | undefined;
}

/** What could be read of a call. With a `rejection` the rest is there only to tell whose call it was. */
export interface ParsedRequest {
  readonly incoming: IncomingCall;
  readonly method: Method;
  readonly target: VendorTarget | undefined;
  readonly headers: ReadonlyMap<string, string>;
  /** Whether the body came without a length. */
  readonly chunked: boolean;
  readonly rejection: Rejection | undefined;
}

const NO_HEADERS: ReadonlyMap<string, string> = new Map();
const METHOD_SET: ReadonlySet<string> = new Set(METHODS);

/** Reads head and framing strictly; the body is read by `identify`, which knows what the vendor makes of it. */
export function parse(incoming: IncomingCall, vendorNames: ReadonlySet<string>): ParsedRequest {
  const headers = parseHeaders(incoming.rawHeaders);
  const target = parseTarget(incoming.target, vendorNames);
  const rejection =
    methodRejection(incoming.method) ??
    (headers.ok ? undefined : headers.rejection) ??
    (target.ok ? undefined : target.rejection) ??
    incoming.bodyRejection;
  return {
    incoming,
    method: incoming.method as Method,
    target: target.ok ? target.value : undefined,
    headers: headers.ok ? headers.value.headers : NO_HEADERS,
    chunked: headers.ok && headers.value.chunked,
    rejection,
  };
}

function methodRejection(method: string): Rejection | undefined {
  if (METHOD_SET.has(method)) return undefined;
  return { code: "request_rejected", message: `This method is not forwarded; the methods are ${METHODS.join(", ")}.` };
}
