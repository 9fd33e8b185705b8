import { connect } from "node:net";
import { connect as connectTls } from "node:tls";

export interface ExchangeOptions {
  readonly closeAfterWrite?: boolean;
  readonly quietMs?: number;
  /** Speaks TLS, and takes what this authority (PEM) has signed. */
  readonly authority?: string | undefined;
}

/** Everything that a server answers to these bytes until it closes, or until a whole answer has come and nothing more does. */
export function exchange(port: number, bytes: string, options: ExchangeOptions = {}): Promise<string> {
  return new Promise((done) => {
    let answer = "";
    let quiet: ReturnType<typeof setTimeout> | undefined;
    const begin = () => {
      socket.write(Buffer.from(bytes, "utf8"));
      if (options.closeAfterWrite) socket.destroy();
    };
    const socket = options.authority
      ? connectTls({ port, host: "127.0.0.1", ca: options.authority }, begin)
      : connect(port, "127.0.0.1", begin);
    const finish = () => {
      clearTimeout(quiet);
      clearTimeout(last);
      socket.destroy();
      done(answer);
    };
    const last = setTimeout(finish, 20_000);
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      clearTimeout(quiet);
      quiet = setTimeout(finish, options.quietMs ?? 60);
    });
    socket.on("close", finish);
    socket.on("error", () => {});
  });
}

/** The status lines in a string of answers. */
export function statuses(answer: string): number[] {
  return [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)]
    .map((match) => Number(match[1]))
    .filter((status) => status >= 200);
}
