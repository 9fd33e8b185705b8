import { writeSync } from "node:fs";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { NOON } from "../../ledger/entries.ts";

/** `backup-loop.ts DATABASE FILE`: prints `ready`, and after a line writes FILE over and over until it is killed. */
const [path, file] = process.argv.slice(2);
const store = openSqliteStore(path!, NOON);
writeSync(1, "ready\n");
for await (const _ of console) break;
for (;;) await store.backup(file!, NOON, true);
