/**
 * `bun run assurance [--quick | --full] [--runs N] [--seed S] [--only NAME]`: attacks the built binary's promises, with
 * figures as in docs/assurance.md. Prints a table and writes `scripts/assurance/results.json`; ends with 1 where a
 * promise did not hold.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { version } from "../../package.json";
import { BINARY } from "../../test/harness/keybrake.ts";
import { CAP_RACE, REPLICA_CAP_RACE } from "./cap-race.ts";
import { DISK_RUNS } from "./disk-runs.ts";
import { FAULT_RUNS } from "./fault-runs.ts";
import { FILE_RUNS } from "./file-runs.ts";
import { HISTORY_RUNS } from "./history-runs.ts";
import { KILL_RUNS } from "./kill-runs.ts";
import { PARSER_RUNS } from "./parser-runs.ts";
import { REPLICA_FAULT_RUNS } from "./replica-faults.ts";
import { type Finished, progressLine, tableOf } from "./report.ts";
import { REPLICA_REVOKE_RUNS, REVOKE_RUNS } from "./revoke-runs.ts";
import type { Section } from "./section.ts";

const SECTIONS: readonly Section[] = [
  KILL_RUNS,
  FAULT_RUNS,
  DISK_RUNS,
  FILE_RUNS,
  CAP_RACE,
  REVOKE_RUNS,
  REPLICA_FAULT_RUNS,
  REPLICA_CAP_RACE,
  REPLICA_REVOKE_RUNS,
  PARSER_RUNS,
  HISTORY_RUNS,
];
const RESULTS = join(import.meta.dir, "results.json");
const SEED_MAX = 2 ** 31;

const { values } = parseArgs({
  options: {
    full: { type: "boolean", default: false },
    quick: { type: "boolean", default: false },
    runs: { type: "string" },
    seed: { type: "string" },
    only: { type: "string", multiple: true, default: [] },
  },
});

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 1;
}

async function main(): Promise<number> {
  if (!existsSync(BINARY)) throw new Error(`${BINARY} is not there: bun run build`);
  const wanted = chosen(values.only);
  const seed = wholeNumber("seed", values.seed) ?? Math.floor(Math.random() * SEED_MAX);
  const runs = wholeNumber("runs", values.runs);
  const size = values.full ? "full" : values.quick ? "quick" : "usual";
  const finished: Finished[] = [];
  for (const section of wanted) {
    finished.push(await finish(section, runs ?? section.counts[size], seed));
    // After each: a full run takes hours, and somebody may end it.
    writeResults(finished);
  }
  console.log(tableOf(finished));
  return finished.some(({ result }) => result.violations.length > 0) ? 1 : 0;
}

function chosen(names: readonly string[]): readonly Section[] {
  const known = SECTIONS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`there is no section ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return names.length === 0 ? SECTIONS : SECTIONS.filter(({ name }) => names.includes(name));
}

function wholeNumber(name: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[0-9]{1,9}$/.test(text)) throw new Error(`--${name} is a whole number, not ${JSON.stringify(text)}`);
  return Number(text);
}

async function finish(section: Section, count: number, seed: number): Promise<Finished> {
  const line = progressLine(section, count);
  const beganMs = performance.now();
  const result = await section.run({ count, seed, onProgress: line.show });
  line.end();
  return { section, seed, seconds: Math.round((performance.now() - beganMs) / 100) / 10, result };
}

/** Sections that were not run keep what they had. */
function writeResults(finished: readonly Finished[]): void {
  const before = existsSync(RESULTS) ? (JSON.parse(readFileSync(RESULTS, "utf8")) as { sections?: object }) : {};
  const ran = finished.map(({ section, seed, seconds, result }) => [
    section.name,
    {
      [section.unit.replaceAll(" ", "_")]: result.done,
      violations: result.violations.length,
      seed,
      seconds,
      ...result.figures,
      ...(result.skipped === undefined ? {} : { skipped: result.skipped }),
    },
  ]);
  const machine = { cores: cpus().length, model: cpus()[0]?.model ?? "unknown", platform: process.platform };
  const sections = { ...before.sections, ...Object.fromEntries(ran) };
  writeFileSync(RESULTS, `${JSON.stringify({ keybrake: version, bun: Bun.version, machine, sections }, null, 2)}\n`);
}
