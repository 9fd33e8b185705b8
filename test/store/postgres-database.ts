import { openPostgresStore } from "../../src/store/postgres/store.ts";
import type { Store } from "../../src/store/store.ts";
import { type PostgresServer, startPostgres } from "../harness/postgres.ts";
import { NOON } from "../ledger/entries.ts";
import type { StoreUnderTest } from "./store-under-test.ts";

/** A server and a migrated database on it, of which each test gets a copy. */
export interface OpenedPostgres {
  readonly server: PostgresServer;
  readonly migrated: string;
  /** Made while the test before still runs: a database takes longer to make than most tests take. */
  next: Promise<string> | undefined;
}

/** For tests in which nothing depends on what a crash of the server leaves. */
export async function openPostgresServer(): Promise<OpenedPostgres> {
  const server = await startPostgres(["fsync=off", "full_page_writes=off"]);
  const migrated = await server.database();
  await (await openPostgresHandle(migrated)).close();
  return { server, migrated, next: undefined };
}

/** A handle whose time is that of its callers. A busy machine may keep its answers for longer than a server's would. */
export async function openPostgresHandle(url: string): Promise<Store> {
  const clock = { now: () => NOON, elapsed: () => 0 };
  return (await openPostgresStore(url, { clock, time: "caller", mayForget: true, timeoutMs: 20_000 })).store;
}

/** An empty store on a database of its own. */
export async function openPostgresDatabase(opened: OpenedPostgres): Promise<StoreUnderTest> {
  const { server, migrated } = opened;
  const url = await (opened.next ?? server.database(migrated));
  opened.next = server.database(migrated);
  // The last one is for nobody: the server is stopped instead.
  opened.next.catch(() => {});
  const handles: Store[] = [await openPostgresHandle(url)];
  return {
    store: handles[0]!,
    reopen: async () => {
      const handle = await openPostgresHandle(url);
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
