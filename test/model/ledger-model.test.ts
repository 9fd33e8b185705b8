import { describe, test } from "bun:test";
import fc from "fast-check";
import { KNOWN_HISTORIES } from "./known-histories.ts";
import { modelRuns, timeoutMs } from "./model-runs.ts";
import { runHistory } from "./run-history.ts";
import { historyArbitrary, type Step } from "./steps.ts";

const runs = modelRuns<[readonly Step[]]>(60);

describe("a real store keeps the ledger's invariants after every step", () => {
  for (const [index, steps] of KNOWN_HISTORIES.entries()) {
    test(`of history ${index + 1} of those that found something once`, () => runHistory(steps));
  }

  test(
    "of any history: calls and their ends, revokes, caps, brakes, crashes, clocks, failed commits, full disks, two processes",
    async () => {
      await fc.assert(
        fc.asyncProperty(historyArbitrary, (steps) => runHistory(steps)),
        runs,
      );
    },
    timeoutMs(runs),
  );
});
