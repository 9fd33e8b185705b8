import { cpus } from "node:os";
import { join } from "node:path";
import type { Section, SectionOptions, SectionResult } from "./section.ts";

export const HISTORY_RUNS: Section = {
  name: "histories",
  title: "random histories of a real store, after every step compared with a naive model",
  unit: "histories",
  counts: { full: 100_000, usual: 3_000, quick: 200 },
  run: runHistories,
};

const ROOT = join(import.meta.dir, "../..");
const MODEL_TEST = "test/model/ledger-model.test.ts";
/** In one process; each has a seed of its own, so that a failing one is repeated in half a minute. */
const CHUNK = 500;
const PATIENCE_MS = 3_600_000;
const TOLD_CHARACTERS = 2_000;

/** As many processes as there are cores, each with the next seed. */
async function runHistories({ count, seed, onProgress }: SectionOptions): Promise<SectionResult> {
  const violations: string[] = [];
  let begun = 0;
  let done = 0;
  const lane = async () => {
    while (begun * CHUNK < count && violations.length === 0) {
      const chunk = begun++;
      const histories = Math.min(CHUNK, count - chunk * CHUNK);
      const failure = await runChunk(histories, seed + chunk);
      if (failure) {
        violations.push(`seed ${seed + chunk}, ${histories} histories: ${failure}`);
      } else {
        done += histories;
        onProgress(done);
      }
    }
  };
  await Promise.all(cpus().map(lane));
  return { done, violations, figures: { seeds: `${seed} to ${seed + begun - 1}, ${CHUNK} histories each` } };
}

/** What the test said where it has failed. */
async function runChunk(histories: number, seed: number): Promise<string | undefined> {
  const run = Bun.spawn(["bun", "test", MODEL_TEST, "--timeout", String(PATIENCE_MS)], {
    cwd: ROOT,
    env: { ...process.env, KEYBRAKE_MODEL_RUNS: String(histories), KEYBRAKE_MODEL_SEED: String(seed) },
    stdout: "ignore",
    stderr: "pipe",
  });
  const [said, code] = await Promise.all([new Response(run.stderr).text(), run.exited]);
  return code === 0 ? undefined : said.slice(-TOLD_CHARACTERS);
}
