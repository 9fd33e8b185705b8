import { connect, type Socket } from "node:net";

export interface HttpAnswer {
  readonly status: number;
  readonly body: string;
}

interface Waiting {
  readonly done: (answer: HttpAnswer | undefined) => void;
}

/**
 * One keep-alive connection and one call on it at a time. Not `fetch`, which may repeat a request on a connection that
 * broke: here a request is written once or not at all, so that what the vendor saw twice was sent twice by Keybrake.
 */
export class HttpClient {
  readonly #port: number;
  #socket: Socket | undefined;
  #waiting: Waiting | undefined;
  #received = "";

  constructor(port: number) {
    this.#port = port;
  }

  /** The answer, or undefined where the connection was refused or broke before the whole of it had come. */
  send(method: string, target: string, headers: Record<string, string>, body = ""): Promise<HttpAnswer | undefined> {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    const length = Buffer.byteLength(body);
    const head = `${method} ${target} HTTP/1.1\r\nhost: 127.0.0.1:${this.#port}\r\n${lines.join("")}content-length: ${length}\r\n\r\n`;
    return new Promise((done) => {
      this.#waiting = { done };
      this.#received = "";
      this.#open().write(head + body);
    });
  }

  close(): void {
    this.#socket?.destroy();
    this.#finish(undefined);
  }

  #open(): Socket {
    if (this.#socket) return this.#socket;
    const socket = connect({ port: this.#port, host: "127.0.0.1", noDelay: true });
    socket.on("data", (chunk: Buffer) => this.#read(chunk.toString("latin1")));
    socket.on("error", () => {});
    socket.on("close", () => {
      if (this.#socket !== socket) return;
      this.#socket = undefined;
      this.#finish(undefined);
    });
    this.#socket = socket;
    return socket;
  }

  #read(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf("\r\n\r\n");
    if (end === -1) return;
    const head = this.#received.slice(0, end);
    const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? Number.NaN);
    if (!(this.#received.length >= end + 4 + length)) return;
    if (/\r\nconnection: *close/i.test(head)) {
      this.#socket?.end();
      this.#socket = undefined;
    }
    const body = Buffer.from(this.#received.slice(end + 4, end + 4 + length), "latin1").toString("utf8");
    this.#finish({ status: Number(head.slice(9, 12)), body });
  }

  #finish(answer: HttpAnswer | undefined): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.done(answer);
  }
}
