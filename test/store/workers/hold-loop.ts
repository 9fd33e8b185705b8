import { writeSync } from "node:fs";
import type { CapWindow } from "../../../src/core/window.ts";
import { type BudgetUnit, windowedId } from "../../../src/ledger/budget.ts";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { holdOf, NOON, usd } from "../../ledger/entries.ts";
import { ask } from "./ask.ts";

/**
 * `hold-loop.ts DATABASE KEY_ID DOLLARS [BUDGET UNIT WINDOW CAP]`: waits for a line, then holds until it is refused or
 * killed, under a cap of a UTC day or under that budget. Prints the id of every call whose hold has been committed, then
 * `full`.
 */
const [path, keyId, dollars, name, unit, window, cap] = process.argv.slice(2);
const store = openSqliteStore(path!, NOON);
writeSync(1, "ready\n");
for await (const _ of console) break;
const budget = {
  id: windowedId(`key:${keyId}:${name}`, window as CapWindow),
  name: name!,
  unit: unit as BudgetUnit,
  window: window as CapWindow,
  cap: unit === "usd" ? usd(Number(cap)) : BigInt(cap ?? 0),
};
const budgets = name === undefined ? {} : { budgets: [budget] };
for (;;) {
  const hold = holdOf(keyId!, Number(dollars), { owner: `loop:${process.pid}`, ...budgets });
  if (!(await ask(store, hold)).admitted) break;
  writeSync(1, `${hold.facts.id}\n`);
}
writeSync(1, "full\n");
process.exit(0);
