import { openPostgresStore } from "../../src/store/postgres/store.ts";
import type { Store } from "../../src/store/store.ts";
import { isPgBouncerWanted, type PgBouncer, startPgBouncer } from "../harness/pgbouncer.ts";
import { givenPostgres, type PostgresDatabases, startPostgres } from "../harness/postgres.ts";
import { NOON } from "../ledger/entries.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** A server and a migrated database on it, of which each test gets a copy. */
export interface OpenedPostgres {
  readonly server: PostgresDatabases;
  readonly migrated: string;
  /** Where a handle reaches a database: through a pooler, where one is asked for. */
  readonly reached: (url: string) => string;
  /** Made while the test before still runs: a database takes longer to make than most tests take. */
  next: Promise<string> | undefined;
}

/** For tests in which nothing depends on what a crash of the server leaves. */
export async function openPostgresServer(): Promise<OpenedPostgres> {
  const server = givenPostgres() ?? (await startPostgres(["fsync=off", "full_page_writes=off"]));
  const migrated = await server.database();
  await (await openPostgresHandle(migrated)).close();
  const pooler = isPgBouncerWanted() ? await startPgBouncer(Number(new URL(migrated).port)) : undefined;
  return {
    server: pooler ? behind(server, pooler) : server,
    migrated,
    reached: (url) => pooler?.through(url) ?? url,
    next: undefined,
  };
}

function behind(server: PostgresDatabases, pooler: PgBouncer): PostgresDatabases {
  return {
    ...server,
    stop: async () => {
      await pooler.stop();
      await server.stop();
    },
  };
}

/** A handle whose time is that of its callers. A busy machine may keep its answers for longer than a server's would. */
export async function openPostgresHandle(url: string): Promise<Store> {
  const clock = { now: () => NOON, elapsed: () => 0 };
  return (await openPostgresStore(url, { clock, time: "caller", mayForget: true, timeoutMs: 20_000 })).store;
}

/** An empty store on a database of its own. */
export async function openPostgresDatabase(opened: OpenedPostgres): Promise<StoreUnderTest> {
  const { server, migrated } = opened;
  const made = opened.next ?? server.database(migrated);
  // At once: a test that has run out of time still goes on beside the next one.
  opened.next = made.then(() => server.database(migrated));
  // The last one is for nobody: the server is stopped instead.
  opened.next.catch(() => {});
  const url = await made;
  const handles: Store[] = [await openPostgresHandle(opened.reached(url))];
  return {
    store: handles[0]!,
    reopen: async () => {
      const handle = await openPostgresHandle(opened.reached(url));
      handles.push(handle);
      return handle;
    },
    tamper: async (statement) => void (await server.run(statement, url)),
    close: async () => {
      for (const handle of handles) await handle.close();
      // Nobody waits for it; what is left when the server stops goes with its directory.
      void server.drop(url).catch(() => {});
    },
  };
}
