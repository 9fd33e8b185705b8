import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvariantBroken } from "./invariant.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { REPEAT_BUGS } from "./mutations/repeats.ts";
import { type ReplayHistory, replayArbitrary } from "./replay-steps.ts";
import { ReplayWorld } from "./replay-world.ts";

const runs = modelRuns<[ReplayHistory]>(60, 0.2);

test(
  "a call that is repeated any number of times, whatever is lost, crashes, restarts, runs out or is resolved by hand, is one operation and one hold",
  async () => {
    await fc.assert(
      fc.asyncProperty(replayArbitrary, (history) => ReplayWorld.run(history)),
      runs,
    );
  },
  timeoutMs(runs),
);

/** The same histories each time: a bug that they find is found on every machine. */
const HISTORIES = { seed: 20_260_115, numRuns: 150, endOnFailure: true } as const;

describe(`it is found within ${HISTORIES.numRuns} histories when the ledger`, () => {
  for (const { bug, breaks, mutate } of REPEAT_BUGS) {
    test(
      bug,
      async () => {
        const isFine = async (history: ReplayHistory) => {
          try {
            await ReplayWorld.run(history, mutate);
            return true;
          } catch (error) {
            if (!(error instanceof InvariantBroken)) throw error;
            return error.invariant !== breaks;
          }
        };
        const { failed } = await fc.check(fc.asyncProperty(replayArbitrary, isFine), HISTORIES);
        expect(failed).toBe(true);
      },
      timeoutMs(HISTORIES),
    );
  }
});
