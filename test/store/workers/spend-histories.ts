import { writeSync } from "node:fs";
import { openPostgresDatabase, openPostgresServer } from "../postgres-database.ts";
import { playSpendHistory } from "../spend-history.ts";
import { openTemporaryStore } from "../temporary-database.ts";

/**
 * `spend-histories.ts STORE HANDLES FIRST LAST`: plays the histories with these seeds on `sqlite` or `postgres`, without
 * retention and with it. In a process of its own, because ids never go back in one: those of other tests would be later
 * than the calls that they name.
 */
const [store, ...numbers] = process.argv.slice(2);
const [replicas, first, last] = numbers.map(Number);
const databases = store === "postgres" ? await openPostgresServer() : undefined;
const open = () => (databases ? openPostgresDatabase(databases) : openTemporaryStore());
for (let seed = first!; seed <= last!; seed++) {
  await playSpendHistory(seed, false, open, replicas);
  await playSpendHistory(seed, true, open, replicas);
  writeSync(1, `${seed}\n`);
}
await databases?.server.stop();
