import { Database } from "bun:sqlite";
import { writeSync } from "node:fs";

/** `lock-holder.ts DATABASE`: takes the write lock, prints `locked`, and gives it back when a line comes in. */
const database = new Database(process.argv[2]!);
database.run("BEGIN IMMEDIATE");
writeSync(1, "locked\n");
for await (const _ of console) break;
database.run("COMMIT");
writeSync(1, "released\n");
process.exit(0);
