import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { SandboxAnswer, SandboxRequest, SandboxVendor } from "./exchange.ts";

const BODY_BYTES_MAX = 8 * 1024 * 1024;

export interface Listener {
  /** `http://127.0.0.1:PORT`, a free port that the system chose. */
  readonly origin: string;
  /** Requests that have arrived, refused ones too. */
  calls(): number;
  /** Ends open connections, unanswered ones too, and frees the port. */
  stop(): Promise<void>;
}

/**
 * Serves `vendor` over real HTTP on loopback. node:http rather than Bun.serve, because a reset needs the request's own
 * socket and a time-out must not meet an idle timer.
 */
export async function listen(vendor: SandboxVendor, slowMs: number): Promise<Listener> {
  let calls = 0;
  const server = createServer((message, response) => {
    calls += 1;
    void serve(vendor, slowMs, message, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { origin: `http://127.0.0.1:${port}`, calls: () => calls, stop: () => close(server) };
}

function close(server: Server): Promise<void> {
  if (!server.listening) return Promise.resolve();
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/** Never rejects: an unhandled rejection would end the process that also holds the proxy. */
async function serve(vendor: SandboxVendor, slowMs: number, message: IncomingMessage, response: ServerResponse) {
  try {
    const body = await readBody(message);
    deliver(answerTo(vendor, message, body), slowMs, message, response);
  } catch {
    message.socket.destroy(); // the client left in the middle of its request: there is nobody to answer
  }
}

function answerTo(vendor: SandboxVendor, message: IncomingMessage, body: string | undefined): SandboxAnswer {
  if (body === undefined) {
    return {
      ...vendor.fault(413, `The sandbox takes bodies of at most ${BODY_BYTES_MAX} bytes; send a smaller one.`),
      headers: { connection: "close" },
    };
  }
  try {
    return vendor.answer(readRequest(message, body));
  } catch (error) {
    return vendor.fault(500, `The sandbox itself failed: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** The whole body, or undefined where it is too large; the rest of such a body is discarded, not kept. */
async function readBody(message: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of message) {
    bytes += (chunk as Buffer).length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk as Buffer);
    else chunks.length = 0;
  }
  return bytes > BODY_BYTES_MAX ? undefined : Buffer.concat(chunks).toString("utf8");
}

function readRequest(message: IncomingMessage, body: string): SandboxRequest {
  const target = message.url ?? "/";
  const mark = target.indexOf("?");
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(message.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return {
    method: message.method ?? "",
    path: mark < 0 ? target : target.slice(0, mark),
    query: new URLSearchParams(mark < 0 ? "" : target.slice(mark + 1)),
    headers,
    body,
  };
}

function deliver(answer: SandboxAnswer, slowMs: number, message: IncomingMessage, response: ServerResponse): void {
  switch (answer.delivery) {
    case "timeout":
      return; // the socket, the only thing held, goes with the client or with stop()
    case "reset":
      message.socket.destroy();
      return;
    case "slow": {
      const timer = setTimeout(() => write(answer, response), slowMs);
      response.once("close", () => clearTimeout(timer));
      return;
    }
    default:
      write(answer, response);
  }
}

function write(answer: SandboxAnswer, response: ServerResponse): void {
  const mark = { ...answer.headers, "x-keybrake-sandbox": "true" };
  if (answer.json === undefined) {
    response.writeHead(answer.status, mark).end();
    return;
  }
  const body = Buffer.from(JSON.stringify(answer.json));
  const entity = { "content-type": "application/json; charset=utf-8", "content-length": body.length };
  response.writeHead(answer.status, { ...entity, ...mark }).end(body);
}
