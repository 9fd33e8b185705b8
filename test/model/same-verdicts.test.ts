import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { OpenStore } from "../store/store-under-test.ts";
import { openTemporaryStore } from "../store/temporary-database.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { MUTATIONS } from "./mutations.ts";
import { type Batching, batchingArbitrary, compareStores } from "./same-verdicts.ts";
import { historyArbitrary, type Step } from "./steps.ts";

const runs = modelRuns<[readonly Step[], Batching]>(40, 0.5);

describe("the same history has the same answers and leaves the same books", () => {
  test(
    "sqlite, in whatever batches and by however many handles it is asked",
    async () => {
      await fc.assert(
        fc.asyncProperty(historyArbitrary, batchingArbitrary, (steps, batching) =>
          compareStores(openTemporaryStore, steps, batching),
        ),
        runs,
      );
    },
    timeoutMs(runs),
  );

  test("and a store that decides a batch in another order than it came is found out", async () => {
    const { mutate } = MUTATIONS.find(({ bug }) => bug.startsWith("decides the calls of a batch in another order"))!;
    const reversed: OpenStore = async () => {
      const subject = await openTemporaryStore();
      return { ...subject, store: mutate(subject.store), reopen: async () => mutate(await subject.reopen()) };
    };
    const { failed } = await fc.check(
      fc.asyncProperty(historyArbitrary, batchingArbitrary, (steps, batching) =>
        compareStores(reversed, steps, batching),
      ),
      { seed: 20_260_115, numRuns: 100, endOnFailure: true },
    );
    expect(failed).toBe(true);
  });
});
