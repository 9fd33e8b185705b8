import { test } from "bun:test";
import fc from "fast-check";
import { rollingArbitrary, runRolling } from "./rolling-history.ts";
import { openTemporaryStore } from "./temporary-database.ts";

test("rolling windows, rates and writes of any history, over two handles and a clock that jumps, are what a sum over all calls says", async () => {
  await fc.assert(
    fc.asyncProperty(rollingArbitrary, (steps) => runRolling(steps, openTemporaryStore)),
    { numRuns: 40 },
  );
}, 120_000);
