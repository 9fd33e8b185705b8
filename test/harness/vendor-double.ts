import type { AddressInfo } from "node:net";
import { createServer, type Server, type Socket } from "node:net";

/** One request exactly as it arrived at the vendor. */
export interface RecordedRequest {
  readonly raw: Buffer;
  readonly method: string;
  readonly target: string;
  /** Lower-case names; a repeat would be joined by ", ". */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export type DoubleAnswer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body: string | Buffer }
  /** Closes with a reset once the request has been read. */
  | "reset"
  /** Never answers. */
  | "hang"
  /** Announces a megabyte, sends this much of it, and stalls. */
  | { readonly stalled: string }
  /** Announces more bytes than it sends, then closes. */
  | { readonly truncated: string };

export interface VendorDouble {
  readonly origin: string;
  readonly requests: RecordedRequest[];
  /** What to answer; may be replaced at any time. */
  answer: (request: RecordedRequest, index: number) => DoubleAnswer | Promise<DoubleAnswer>;
  stop(): Promise<void>;
}

/** A vendor that is a real server on loopback and writes down every byte that it is sent. */
export async function startVendorDouble(answer: VendorDouble["answer"]): Promise<VendorDouble> {
  const sockets = new Set<Socket>();
  const requests: RecordedRequest[] = [];
  const double: VendorDouble = { origin: "", requests, answer, stop };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    let pending: Buffer = Buffer.alloc(0);
    let queue = Promise.resolve();
    socket.on("data", (chunk: Buffer) => {
      pending = Buffer.concat([pending, chunk]);
      for (;;) {
        const request = readRequest(pending);
        if (!request) return;
        pending = pending.subarray(request.raw.length);
        requests.push(request);
        const index = requests.length - 1;
        queue = queue.then(async () => write(socket, request, await double.answer(request, index)));
      }
    });
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  async function stop(): Promise<void> {
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((done) => server.close(() => done()));
  }
  return Object.assign(double, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
}

function readRequest(bytes: Buffer): RecordedRequest | undefined {
  const end = bytes.indexOf("\r\n\r\n");
  if (end === -1) return undefined;
  const [first, ...lines] = bytes.subarray(0, end).toString("latin1").split("\r\n");
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).trim();
    headers[name] = headers[name] === undefined ? value : `${headers[name]}, ${value}`;
  }
  const length = Number(headers["content-length"] ?? 0);
  if (bytes.length < end + 4 + length) return undefined;
  const raw = bytes.subarray(0, end + 4 + length);
  const [method, target] = first!.split(" ");
  return {
    raw: Buffer.from(raw),
    method: method!,
    target: target!,
    headers,
    body: raw.subarray(end + 4).toString("utf8"),
  };
}

function write(socket: Socket, request: RecordedRequest, answer: DoubleAnswer): void {
  if (answer === "hang") return;
  if (answer === "reset") {
    socket.resetAndDestroy();
    return;
  }
  if ("stalled" in answer) {
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 1000000\r\n\r\n${answer.stalled}`,
    );
    return;
  }
  if ("truncated" in answer) {
    socket.end(
      `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100000\r\n\r\n${answer.truncated}`,
    );
    return;
  }
  const body: Buffer = typeof answer.body === "string" ? Buffer.from(answer.body) : answer.body;
  const headers = { "content-type": "application/json", "content-length": String(body.length), ...answer.headers };
  const head = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${answer.status} X\r\n${head.join("")}\r\n`);
  if (request.method !== "HEAD") socket.write(body);
}
