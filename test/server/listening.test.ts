import { expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { startTestServer } from "../harness/server.ts";

test("a server says that calls may come in before the first one can, so that a signal finds it prepared", async () => {
  const port = await freePort();
  const flags = { listen: `127.0.0.1:${port}` };
  const said: boolean[] = [];
  const server = await startTestServer({ flags, onListening: () => said.push(isTaken(port)) });
  try {
    expect(said).toEqual([false]);
    expect(isTaken(port)).toBe(true);
  } finally {
    await server.stop();
  }
});

/** Whether somebody listens there. */
function isTaken(port: number): boolean {
  try {
    Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
    return false;
  } catch {
    return true;
  }
}
