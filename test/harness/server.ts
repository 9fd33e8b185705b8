import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Config, type ConfigFlags, readConfig } from "../../src/config.ts";
import { type Clock, systemClock } from "../../src/core/clock.ts";
import { jsonLog } from "../../src/log.ts";
import { type RunningServer, startServer } from "../../src/server.ts";

export interface TestServer extends RunningServer {
  readonly port: number;
  readonly adminPort: number;
  readonly adminToken: string;
  /** Every line that was logged, as it was written. */
  readonly logged: readonly string[];
}

export interface TestServerOptions {
  readonly flags?: ConfigFlags;
  readonly config?: Partial<Config>;
  readonly clock?: Clock;
  /** A data directory of the test's own, which it removes itself. */
  readonly data?: string;
  readonly onListening?: () => void;
}

/** The whole server, as `keybrake serve` composes it, in this process: on free ports and a fresh data directory. */
export async function startTestServer({
  flags,
  config: own,
  clock = systemClock,
  data: given,
  onListening = () => {},
}: TestServerOptions = {}): Promise<TestServer> {
  const root = mkdtempSync(join(tmpdir(), "keybrake-server-"));
  const data = given ?? join(root, "data");
  const logged: string[] = [];
  const config = {
    ...readConfig({ data, listen: "127.0.0.1:0", policies: join(data, "policies"), ...flags }, {}),
    ...own,
  };
  const log = jsonLog(clock.now, (line) => logged.push(line));
  const server = await startServer({ config, clock, log, environment: {}, onListening });
  return {
    ...server,
    port: Number(new URL(server.url).port),
    adminPort: Number(new URL(server.adminUrl).port),
    adminToken: server.firstAdminToken!,
    logged,
    stop: async () => {
      await server.stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
