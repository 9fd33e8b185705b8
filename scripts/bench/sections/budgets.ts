import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { KeybrakeInstallation } from "../installation.ts";
import { charge, type LoadResult, load } from "../load.ts";
import { startUpstream } from "../peers.ts";
import { atMost, type Context, type Findings, measured, median, type Section } from "../section.ts";

/** No budgets above keys, and many of which one counts the calls: a call must not cost more because of the others. */
export const BUDGETS: Section = { name: "budgets", title: "Budgets above keys", run };

const COUNTS = [0, 10, 10_000] as const;

interface Installed {
  readonly count: number;
  readonly installation: KeybrakeInstallation;
  readonly request: ReturnType<typeof charge>;
  readonly results: LoadResult[];
}

async function run({ directory, say, sizes }: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const all: Installed[] = [];
  for (const count of COUNTS) {
    const root = join(directory, String(count));
    mkdirSync(root);
    const installation = await KeybrakeInstallation.open(root, upstream.port);
    await Bun.write(join(installation.dataDir, "policies", "budgets.yaml"), budgetsFile(count));
    const request = charge(await installation.issueKey("tenant:hot:bench"));
    await installation.serve();
    all.push({ count, installation, request, results: [] });
  }
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const { count, installation, request, results } of all) {
      say(`round ${round} of ${sizes.rounds}: ${title(count)}`);
      const options = { url: installation.chargeUrl, connections: 32, request };
      if (round === 1) await load(directory, { ...options, seconds: sizes.warmUpSeconds });
      results.push(await load(directory, { ...options, seconds: sizes.seconds }));
    }
  }
  const figures = all.map(({ count, results }) => ({
    name: title(count),
    rate: median(results.map(({ requestsPerSecond }) => requestsPerSecond)),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
  }));
  const [none, few, many] = [figures[0]!, figures[1]!, figures[2]!];
  const slower = (rate: number, than: number) => (1 - rate / than) * 100;
  return {
    rows: [
      measured("10 budgets above keys, slower than none", slower(few.rate, none.rate), "%"),
      measured("10,000 budgets above keys, slower than 10", slower(many.rate, few.rate), "%", atMost(5)),
    ],
    tables: [
      {
        name: "budgets",
        columns: ["", "requests/s", "p99 ms"],
        rows: figures.map(({ name, rate, p99Ms }) => [name, Math.round(rate), p99Ms]),
      },
    ],
  };
}

function title(count: number): string {
  return count === 0 ? "no budgets" : `${count.toLocaleString("en-US")} budgets, one of which counts the call`;
}

/** One budget over every call, and the rest over tenants that do not call. */
function budgetsFile(count: number): string {
  const idle = Array.from(
    { length: Math.max(count - 1, 0) },
    (_, index) => `  - { name: t-${index}, match: { label_prefix: "tenant:${index}:" }, daily_usd_cap: 500 }\n`,
  );
  return count === 0 ? "budgets: []\n" : `budgets:\n  - { name: all, daily_usd_cap: 900000000 }\n${idle.join("")}`;
}
