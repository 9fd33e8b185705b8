/** An answer's status; undefined where the connection broke instead. */
export type OnAnswer = (status: number | undefined) => void;

const HEAD_END = "\r\n\r\n";

/** One keep-alive connection that sends a request when the one before it is answered. Reads only what load needs. */
export class Connection {
  readonly #port: number;
  #socket: Bun.Socket | undefined;
  #received = "";
  #onAnswer: OnAnswer | undefined;

  private constructor(port: number) {
    this.#port = port;
  }

  static async open(port: number): Promise<Connection> {
    const connection = new Connection(port);
    await connection.#connect();
    return connection;
  }

  get isIdle(): boolean {
    return this.#onAnswer === undefined;
  }

  /** @param request as it goes over the wire. */
  send(request: string, onAnswer: OnAnswer): void {
    if (this.#onAnswer) throw new Error("a connection has one request at a time");
    this.#onAnswer = onAnswer;
    if (!this.#socket) this.#answered(undefined);
    else this.#socket.write(request);
  }

  /** `send`, as a promise. */
  ask(request: string): Promise<number | undefined> {
    return new Promise((done) => this.send(request, done));
  }

  close(): void {
    this.#socket?.end();
    this.#socket = undefined;
  }

  async #connect(): Promise<void> {
    this.#socket = await Bun.connect({
      hostname: "127.0.0.1",
      port: this.#port,
      socket: {
        data: (_, chunk) => this.#receive(chunk.toString("latin1")),
        close: () => this.#broke(),
        error: () => this.#broke(),
      },
    });
  }

  #receive(text: string): void {
    this.#received += text;
    const end = this.#received.indexOf(HEAD_END);
    if (end === -1) return;
    const head = this.#received.slice(0, end);
    const length = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
    const whole = end + HEAD_END.length + Number(length ?? 0);
    const isWhole = length === undefined ? this.#received.endsWith("0\r\n\r\n") : this.#received.length >= whole;
    if (isWhole) this.#answered(Number(head.slice(9, 12)));
  }

  #answered(status: number | undefined): void {
    const onAnswer = this.#onAnswer;
    this.#received = "";
    this.#onAnswer = undefined;
    onAnswer?.(status);
  }

  #broke(): void {
    this.#socket = undefined;
    this.#answered(undefined);
  }
}

/** `POST` as it goes over the wire, keep-alive. */
export function postText(path: string, headers: Readonly<Record<string, string>>, body: string): string {
  return requestText("POST", path, { ...headers, "Content-Length": String(body.length) }) + body;
}

/** A request without a body. */
export function requestText(method: string, path: string, headers: Readonly<Record<string, string>>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n${lines.join("")}\r\n`;
}
