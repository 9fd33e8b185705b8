import { writeSync } from "node:fs";
import { playSpendHistory } from "../spend-history.ts";

/**
 * `spend-histories.ts FIRST LAST`: plays the histories with these seeds, without retention and with it. In a process of its
 * own, because ids never go back in one: those of other tests would be later than the calls that they name.
 */
const [first, last] = process.argv.slice(2).map(Number);
for (let seed = first!; seed <= last!; seed++) {
  await playSpendHistory(seed, false);
  await playSpendHistory(seed, true);
  writeSync(1, `${seed}\n`);
}
