import type { IncomingCall } from "./parse.ts";
import type { Outgoing } from "./refusal.ts";

/**
 * A request of the control plane as Elysia takes it. Its Host header is passed on for the guard to judge; the URL's is not:
 * a target like `//name/x` is a path, and no other host.
 */
export function toRequest(call: IncomingCall): Request {
  const headers = new Headers();
  for (let index = 0; index < call.rawHeaders.length; index += 2) {
    headers.append(call.rawHeaders[index]!, call.rawHeaders[index + 1]!);
  }
  const url = new URL(`http://keybrake.internal${call.target.startsWith("/") ? call.target : "/"}`);
  const init: RequestInit = { method: call.method, headers };
  if (call.method !== "GET" && call.method !== "HEAD" && call.body.length > 0) init.body = Buffer.from(call.body);
  return new Request(url.href, init);
}

const STREAMED = /^(?:text\/event-stream|application\/x-ndjson|text\/csv)/;

/** Elysia's answer for the socket; what is made while it is sent stays a stream. */
export async function fromResponse(response: Response): Promise<Outgoing> {
  const { status, body } = response;
  const headers = [...response.headers];
  if (body && STREAMED.test(response.headers.get("content-type") ?? "")) {
    // It ends when its client or the server does; a connection that goes on afterwards serves nobody.
    return { status, headers, body, closes: true };
  }
  return { status, headers, body: new Uint8Array(await response.arrayBuffer()) };
}
