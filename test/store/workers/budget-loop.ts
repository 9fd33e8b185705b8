import { writeSync } from "node:fs";
import { openSqliteStore } from "../../../src/store/sqlite/store.ts";
import { dailyCap, holdOf, NOON } from "../../ledger/entries.ts";
import { sharedBudgets } from "../conformance/budgets.ts";
import { ask } from "./ask.ts";

/**
 * `budget-loop.ts DATABASE KEY_ID LABEL DOLLARS BUDGETS`: waits for a line, then holds under the budgets above the key until it
 * is refused. Prints the id of every call whose hold has been committed, then the budget that refused.
 */
const [path, keyId, label, dollars, text] = process.argv.slice(2);
const store = openSqliteStore(path!, NOON);
const budgets = [dailyCap(keyId!, 1_000), ...sharedBudgets(text!).of("stripe", label!)];
writeSync(1, "ready\n");
for await (const _ of console) break;
for (;;) {
  const hold = holdOf(keyId!, Number(dollars), { owner: `loop:${process.pid}`, budgets });
  const decision = await ask(store, hold);
  if (decision.admitted) {
    writeSync(1, `${hold.facts.id}\n`);
    continue;
  }
  writeSync(1, `full ${"budget" in decision ? decision.budget?.name : decision.code}\n`);
  break;
}
process.exit(0);
