import { writeSync } from "node:fs";
import { autoRevokeOnce } from "../../../src/alerts/auto-revoke-upkeep.ts";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { NOON } from "../../ledger/entries.ts";

/** `auto-revoke-loop.ts DATABASE`: looks for ever, a few rows at a time; prints the id of each key that it revokes. */
const store = openSqliteStore(process.argv[2]!, NOON);
const log = {
  info: (_event: string, fields?: { readonly key?: unknown }) => void writeSync(1, `${fields?.key}\n`),
  error: () => {},
};
const options = { store, clock: { now: () => NOON }, log, rowsPerSlice: 4, pause: () => Bun.sleep(0) };
writeSync(1, "ready\n");
for await (const _ of console) break;
for (;;) {
  // Another process may have the store for longer than this one waits.
  await autoRevokeOnce(options, new AbortController().signal).catch(() => {});
  await Bun.sleep(1);
}
