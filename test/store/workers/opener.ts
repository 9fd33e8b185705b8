import { writeSync } from "node:fs";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { NOON } from "../../ledger/entries.ts";

/** `opener.ts DATABASE`: opens, and migrates where it must, under the umask of a server; prints `open`. */
process.umask(0o077);
writeSync(1, "ready\n");
for await (const _ of console) break;
const store = openSqliteStore(process.argv[2]!, NOON);
await store.probeWrite(NOON);
writeSync(1, "open\n");
for await (const _ of console) break;
process.exit(0);
