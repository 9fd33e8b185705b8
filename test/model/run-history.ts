import { checkBooks } from "./books.ts";
import { LedgerWorld } from "./ledger-world.ts";
import type { Setting } from "./model-store.ts";
import type { Mutate } from "./mutations/mutation.ts";
import type { Step } from "./steps.ts";

/** Runs a history on a database of its own, and has everything checked after each step. */
export async function runHistory(
  steps: readonly Step[],
  mutate: Mutate = (store) => store,
  setting?: Setting,
): Promise<void> {
  const world = await LedgerWorld.open(mutate, setting);
  try {
    for (const step of steps) {
      await world.run(step);
      if (step.do !== "clock") await checkBooks(world);
    }
  } finally {
    await world.close();
  }
}
