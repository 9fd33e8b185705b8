import { connect, createServer, type Server, type Socket } from "node:net";

/** Stands between a client and a server on loopback, and breaks what goes through it. */
export interface TcpProxy {
  readonly port: number;
  /** What becomes of the next bytes; `pass` until told otherwise. */
  mode: ProxyMode;
  /** Ends every connection at once. */
  cut(): void;
  /** Lets nothing through any more on the connections of now, which stay open; new ones are not concerned. */
  deafen(): void;
  stop(): Promise<void>;
}

export type ProxyMode =
  | "pass"
  /** Nothing goes through any more, in either direction; connections stay open. */
  | "stall"
  /** Connections are refused, and those that are open end. */
  | "refuse"
  /** The connection ends in the place of the client's bytes that this says yes to; the server never gets them. */
  | { readonly cutRequest: (bytes: Buffer) => boolean }
  /** The connection ends in the place of the server's bytes that this says yes to; the client never gets them. */
  | { readonly cutAnswer: (bytes: Buffer) => boolean };

export async function startTcpProxy(targetPort: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  const deaf = new WeakSet<Socket>();
  const server: Server = createServer((client) => {
    if (proxy.mode === "refuse") {
      client.destroy();
      return;
    }
    const upstream = connect(targetPort, "127.0.0.1");
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", end);
      socket.on("close", () => {
        sockets.delete(socket);
        end();
      });
    }
    client.on("data", (bytes: Buffer) => pass(bytes, upstream, "cutRequest", end));
    upstream.on("data", (bytes: Buffer) => pass(bytes, client, "cutAnswer", end));
  });
  const pass = (bytes: Buffer, to: Socket, direction: "cutRequest" | "cutAnswer", end: () => void) => {
    const { mode } = proxy;
    if (mode === "stall" || deaf.has(to)) return;
    if (mode === "refuse" || (typeof mode === "object" && direction in mode && cuts(mode, bytes))) end();
    else to.write(bytes);
  };
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const proxy: TcpProxy = {
    port: (server.address() as { port: number }).port,
    mode: "pass",
    cut: () => {
      for (const socket of sockets) socket.destroy();
    },
    deafen: () => {
      for (const socket of sockets) deaf.add(socket);
    },
    stop: async () => {
      proxy.cut();
      await new Promise<void>((closed) => server.close(() => closed()));
    },
  };
  return proxy;
}

function cuts(mode: Exclude<ProxyMode, string>, bytes: Buffer): boolean {
  return "cutRequest" in mode ? mode.cutRequest(bytes) : mode.cutAnswer(bytes);
}
