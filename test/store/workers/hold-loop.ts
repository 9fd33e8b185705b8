import { writeSync } from "node:fs";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { holdOf, NOON } from "../../ledger/entries.ts";

/**
 * `hold-loop.ts DATABASE KEY_ID DOLLARS`: waits for a line, then holds until it is refused or killed. Prints the id of
 * every call whose hold has been committed, then `full`.
 */
const [path, keyId, dollars] = process.argv.slice(2);
const store = openSqliteStore(path!, NOON);
writeSync(1, "ready\n");
for await (const _ of console) break;
for (;;) {
  const hold = holdOf(keyId!, Number(dollars), { owner: `loop:${process.pid}` });
  const [decision] = await store.apply([hold], NOON);
  if (!decision || !("admitted" in decision) || !decision.admitted) break;
  writeSync(1, `${hold.facts.id}\n`);
}
writeSync(1, "full\n");
process.exit(0);
