import { afterAll, beforeAll, expect, test } from "bun:test";
import fc from "fast-check";
import { InvariantBroken } from "./invariant.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { MUTATIONS } from "./mutations.ts";
import { type Waves, wavesArbitrary } from "./pipeline-waves.ts";
import { PipelineWorld } from "./pipeline-world.ts";

const runs = modelRuns<[Waves]>(30, 0.05);
let world: PipelineWorld;

beforeAll(async () => {
  world = await PipelineWorld.open();
});

afterAll(() => world.close());

test(
  "the pipeline forwards nothing without its row, and has one row per call, whatever vendor, client, disk and operator do at once",
  async () => {
    await fc.assert(
      fc.asyncProperty(wavesArbitrary, (waves) => world.run(waves)),
      runs,
    );
  },
  timeoutMs(runs),
);

/** The same waves each time: a bug that they find is found on every machine. */
const WAVES = { seed: 20_260_115, numRuns: 60, endOnFailure: true } as const;

for (const { bug, breaks, mutate } of MUTATIONS.filter(({ inPipeline }) => inPipeline)) {
  test(
    `it is found within ${WAVES.numRuns} runs of the pipeline when its ledger ${bug}, which breaks invariant ${breaks}`,
    async () => {
      const broken = await PipelineWorld.open(mutate);
      const found = async (waves: Waves) => {
        try {
          await broken.run(waves);
          return true;
        } catch (error) {
          if (!(error instanceof InvariantBroken)) throw error;
          return error.invariant !== breaks;
        }
      };
      const { failed } = await fc.check(fc.asyncProperty(wavesArbitrary, found), WAVES);
      await broken.close();
      expect(failed).toBe(true);
    },
    timeoutMs(WAVES),
  );
}
