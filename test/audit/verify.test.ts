import { expect, test } from "bun:test";
import { tamperRuns } from "./tamper-runs.ts";

const RUNS = 500;
const SEED = 20260115;

test(`finds each of ${RUNS} random tamperings and names the first bad row (seed ${SEED})`, async () => {
  const { found, missed, kinds } = await tamperRuns({ runs: RUNS, seed: SEED });
  expect(missed).toEqual([]);
  expect(found).toBe(RUNS);
  expect(Object.keys(kinds).sort()).toEqual([
    "delete",
    "flip",
    "head",
    "insert",
    "segment",
    "swap",
    "truncate",
    "update",
  ]);
});
