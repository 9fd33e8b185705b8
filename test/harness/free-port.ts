import { createServer } from "node:net";

/** Below the ports that systems hand out for outgoing connections (Linux: from 32768, macOS: from 49152). */
const PORTS = { first: 12_000, count: 20_000 } as const;
const TRIES_MAX = 100;

/**
 * A port of this machine that nobody listened on a moment ago, and that no outgoing connection is given in between. Taken
 * at random, so that two runs at once hardly ever take the same one.
 */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = PORTS.first + Math.floor(Math.random() * PORTS.count);
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port was found from ${PORTS.first} on`);
}

function isFree(port: number): Promise<boolean> {
  const server = createServer();
  return new Promise((done) => {
    server.once("error", () => done(false));
    server.listen(port, "127.0.0.1", () => server.close(() => done(true)));
  });
}
