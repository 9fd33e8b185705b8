/**
 * `bun run bench [--quick] [--only NAME,NAME] [--cache DIR] [--rounds N] [--seconds N] [--rows N] …`: every figure of the
 * targets, side by side on one machine with everything on. Prints a table and writes `scripts/bench/results.json`; the
 * README beside this file says what each section does. Ends with 1 where a section failed, and 0 where a target is missed.
 */
import { parseArgs } from "node:util";
import { measureDisk, WORK_DIRECTORY } from "./disk.ts";
import { cleanUp, cleanUpOnSignals, isInterrupted, makeDirectory, settleDisk } from "./processes.ts";
import { RESULTS, reportText, type SectionResult, writeResults } from "./report.ts";
import type { Context, Findings, Section } from "./section.ts";
import { BUDGETS } from "./sections/budgets.ts";
import { KEY_ISSUE } from "./sections/key-issue.ts";
import { LARGE_STORE } from "./sections/large-store.ts";
import { LATENCY } from "./sections/latency.ts";
import { MANY_KEYS } from "./sections/many-keys.ts";
import { MEMORY } from "./sections/memory.ts";
import { REPLICAS } from "./sections/replicas.ts";
import { REVOKES } from "./sections/revokes.ts";
import { STEADY_RATE } from "./sections/steady-rate.ts";
import { THROUGHPUT } from "./sections/throughput.ts";
import { FULL, QUICK, type Sizes } from "./sizes.ts";

const SECTIONS: readonly Section[] = [
  THROUGHPUT,
  LATENCY,
  STEADY_RATE,
  MANY_KEYS,
  REPLICAS,
  BUDGETS,
  KEY_ISSUE,
  REVOKES,
  LARGE_STORE,
  MEMORY,
];

type SingleSize = Exclude<keyof Sizes, "runRows">;

/** Flags that change one size, and its name. */
const SIZE_FLAGS = {
  seconds: "seconds",
  rounds: "rounds",
  "warm-up-seconds": "warmUpSeconds",
  keys: "keys",
  rows: "rows",
  "store-keys": "storeKeys",
  repeats: "repeats",
  revokes: "revokes",
  "command-revokes": "commandRevokes",
  "memory-seconds": "memorySeconds",
} as const satisfies Record<string, SingleSize>;

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    only: { type: "string" },
    cache: { type: "string" },
    results: { type: "string", default: RESULTS },
    ...(Object.fromEntries(Object.keys(SIZE_FLAGS).map((flag) => [flag, { type: "string" }])) as Record<
      keyof typeof SIZE_FLAGS,
      { type: "string" }
    >),
  },
});

cleanUpOnSignals();
try {
  process.exitCode = await main();
} catch (error) {
  console.error(`error: ${(error as Error).message}`);
  process.exitCode = 2;
} finally {
  await cleanUp();
}

async function main(): Promise<number> {
  const wanted = chosen(values.only);
  const sizes = sizesOf();
  const disk = measureDisk();
  console.error(`an fsync takes ${disk.fsync_p50_ms} ms, ${disk.fsync_p99_ms} ms at p99, in ${WORK_DIRECTORY}`);
  const results = new Map<Section, SectionResult>();
  for (const section of wanted) {
    results.set(section, await measure(section, sizes));
    // After each one: hours of figures are not lost to the last section.
    writeResults(results, disk, values.results);
  }
  console.log(reportText([...results.values()]));
  return [...results.values()].some(({ failed }) => failed !== undefined) ? 1 : 0;
}

function chosen(only: string | undefined): readonly Section[] {
  if (only === undefined) return SECTIONS;
  const names = only.split(",");
  const known = SECTIONS.map(({ name }) => name);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new Error(`there is no section ${unknown.join(", ")}; there are ${known.join(", ")}`);
  return SECTIONS.filter(({ name }) => names.includes(name));
}

function sizesOf(): Sizes {
  const changed: Partial<Record<SingleSize, number>> = {};
  for (const [flag, size] of Object.entries(SIZE_FLAGS) as [keyof typeof SIZE_FLAGS, SingleSize][]) {
    const text = values[flag];
    if (text === undefined) continue;
    if (!/^[1-9][0-9]{0,8}$/.test(text))
      throw new Error(`--${flag} is a whole number from 1, not ${JSON.stringify(text)}`);
    changed[size] = Number(text);
  }
  return { ...(values.quick ? QUICK : FULL), ...changed };
}

/** Never throws: what one section cannot say keeps no other from speaking. */
async function measure(section: Section, sizes: Sizes): Promise<SectionResult> {
  const beganMs = performance.now();
  const say = (text: string) => console.error(`[${section.name}] ${text}`);
  say(section.title);
  const directory = makeDirectory(section.name);
  const context: Context = { sizes, directory, cacheDirectory: values.cache, say };
  const run = async (): Promise<Findings> => {
    await settleDisk();
    return section.run(context);
  };
  const found = await run().catch((cause: unknown): Findings => {
    return { rows: [], failures: [cause instanceof Error ? cause.message : String(cause)] };
  });
  // Ctrl-C ends what the section waits for; that is no figure, and the run is about to end.
  if (isInterrupted()) await new Promise<never>(() => {});
  await cleanUp();
  const { rows, tables = [], failures = [] } = found;
  for (const failure of failures) say(`failed: ${failure}`);
  const seconds = Math.round((performance.now() - beganMs) / 100) / 10;
  return {
    title: section.title,
    seconds,
    rows,
    tables,
    sizes,
    ...(failures.length === 0 ? {} : { failed: failures.join("; ") }),
    ...(values.quick ? { quick: true as const } : {}),
  };
}
