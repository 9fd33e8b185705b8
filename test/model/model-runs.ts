import type { Parameters } from "fast-check";

/**
 * How many histories a property is tried with, and from which seed.
 * `KEYBRAKE_MODEL_RUNS` is the number for the ledger's own model test; a property with another `share` gets that part of
 * it. `KEYBRAKE_MODEL_SEED` repeats a run: fast-check prints the seed of one that failed.
 */
export function modelRuns<T>(defaultRuns: number, share = 1): Parameters<T> {
  const { KEYBRAKE_MODEL_RUNS: runs, KEYBRAKE_MODEL_SEED: seed } = process.env;
  return {
    numRuns: runs === undefined ? defaultRuns : Math.max(1, Math.ceil(Number(runs) * share)),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
  };
}

/**
 * For `bun test`: a history takes a tenth of a second, on a busy machine many times that, and one that fails is shrunk by
 * running it many times.
 */
export function timeoutMs({ numRuns = 100 }: { readonly numRuns?: number }): number {
  return 60_000 + numRuns * 5_000;
}
