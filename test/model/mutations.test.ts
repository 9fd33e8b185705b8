import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { InvariantBroken } from "./invariant.ts";
import { timeoutMs } from "./model-runs.ts";
import type { Mutation } from "./mutations/mutation.ts";
import { MUTATIONS } from "./mutations.ts";
import { runHistory } from "./run-history.ts";
import { historyArbitrary } from "./steps.ts";

/** The same histories each time: a bug that they find is found on every machine. */
const HISTORIES = { seed: 20_260_115, numRuns: 200, endOnFailure: true } as const;

/** Whether some history shows that the bug breaks the invariant; one in which another is broken first says nothing. */
async function isCaught({ mutate, breaks }: Mutation): Promise<boolean> {
  const { failed } = await fc.check(
    fc.asyncProperty(historyArbitrary, async (steps) => {
      try {
        await runHistory(steps, mutate);
        return true;
      } catch (error) {
        if (!(error instanceof InvariantBroken)) throw error;
        return error.invariant !== breaks;
      }
    }),
    HISTORIES,
  );
  return failed;
}

describe(`the model finds, within ${HISTORIES.numRuns} histories, a ledger that`, () => {
  for (const mutation of MUTATIONS) {
    test(
      `${mutation.bug}, which breaks invariant ${mutation.breaks}`,
      async () => expect(await isCaught(mutation)).toBe(true),
      timeoutMs(HISTORIES),
    );
  }
});

test("every invariant that the ledger's own histories can break has a planted bug", () => {
  const broken = new Set(MUTATIONS.map(({ breaks }) => breaks));
  expect([...broken].sort()).toEqual([1, 2, 3, 4, 5, 6, 8]);
});
