import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OpenStore } from "../store/store-under-test.ts";
import { openTemporaryStore } from "../store/temporary-database.ts";
import { InvariantBroken } from "./invariant.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { MUTATIONS } from "./mutations.ts";
import { answersOf, type Batching, batchingArbitrary, HistoryPlan, ONE_BY_ONE } from "./same-verdicts.ts";
import { historyArbitrary, type Step } from "./steps.ts";

/** Every kind of store there is. Each must answer as the first one does when it is asked for one thing at a time. */
const STORES: readonly { readonly name: string; readonly open: OpenStore }[] = [
  { name: "sqlite", open: openTemporaryStore },
];

const runs = modelRuns<[readonly Step[], Batching]>(40, 0.5);

/** @throws InvariantBroken naming the first answer in which they differ. */
async function compare(open: OpenStore, steps: readonly Step[], batching: Batching): Promise<void> {
  const parts = new HistoryPlan().parts(steps);
  const wanted = await answersOf(STORES[0]!.open, parts, ONE_BY_ONE);
  const got = await answersOf(open, parts, batching);
  const index = wanted.findIndex((answer, at) => answer !== got[at]);
  if (index === -1 && wanted.length === got.length) return;
  throw new InvariantBroken(8, `answer ${index}: one by one ${wanted[index]}, in batches ${got[index]}`);
}

describe("the same history has the same answers and leaves the same books", () => {
  for (const { name, open } of STORES) {
    test(
      `${name}, in whatever batches and by however many handles it is asked`,
      async () => {
        await fc.assert(
          fc.asyncProperty(historyArbitrary, batchingArbitrary, (steps, batching) => compare(open, steps, batching)),
          runs,
        );
      },
      timeoutMs(runs),
    );
  }

  test("and a store that decides a batch in another order than it came is found out", async () => {
    const { mutate } = MUTATIONS.find(({ bug }) => bug.startsWith("decides the calls of a batch in another order"))!;
    const reversed: OpenStore = async () => {
      const subject = await openTemporaryStore();
      return { ...subject, store: mutate(subject.store), reopen: async () => mutate(await subject.reopen()) };
    };
    const { failed } = await fc.check(
      fc.asyncProperty(historyArbitrary, batchingArbitrary, (steps, batching) => compare(reversed, steps, batching)),
      { seed: 20_260_115, numRuns: 100, endOnFailure: true },
    );
    expect(failed).toBe(true);
  });
});
