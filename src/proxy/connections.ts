/** As much of a socket as is needed here. */
interface Connection {
  readonly destroyed: boolean;
  destroy(): void;
  once(event: "close", listener: () => void): unknown;
}

/**
 * Bounds the connections of a listener. Every open socket is a file, and a process that runs out of files ends: without a
 * bound, whoever can connect can stop the proxy. When it is full, the connection that has waited longest for its client
 * (for a request, a head or a body) is closed, so that slow or silent clients cannot keep out one that just sends its call.
 */
export class Connections {
  readonly #max: number;
  /** In the order in which they began to wait. */
  readonly #waiting = new Set<Connection>();
  #open = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get open(): number {
    return this.#open;
  }

  opened(socket: Connection): void {
    this.#open += 1;
    this.#waiting.add(socket);
    socket.once("close", () => {
      this.#open -= 1;
      this.#waiting.delete(socket);
    });
    if (this.#open > this.#max) this.#closeLongestWaiting();
  }

  /** A whole request has come: from here on the client waits for the proxy. */
  served(socket: Connection): void {
    this.#waiting.delete(socket);
  }

  /** The answer is out: the next request is the client's to send. */
  answered(socket: Connection): void {
    if (!socket.destroyed) this.#waiting.add(socket);
  }

  /** Where all others are being served, that is the newest one itself. */
  #closeLongestWaiting(): void {
    const [longest] = this.#waiting;
    if (!longest) return;
    this.#waiting.delete(longest);
    longest.destroy();
  }
}
