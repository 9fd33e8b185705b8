import { join } from "node:path";
import { KeybrakeInstallation } from "../installation.ts";
import { charge, type LoadResult, load } from "../load.ts";
import { startUpstream } from "../peers.ts";
import { atMost, type Context, type Findings, measured, median, type Section } from "../section.ts";

/** One hot key against many that take turns: a call must not cost more because there are other keys. */
export const MANY_KEYS: Section = { name: "many-keys", title: "One hot key against many", run };

async function run({ directory, say, sizes }: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const installation = await KeybrakeInstallation.open(directory, upstream.port);
  const admin = await installation.adminToken();
  await installation.serve();
  say(`issuing ${sizes.keys.toLocaleString("en-US")} keys`);
  const keys = await installation.issueKeys(admin, sizes.keys);
  const sets = [
    { name: "one key", tokens: keys.slice(0, 1), results: [] as LoadResult[] },
    { name: `${keys.length.toLocaleString("en-US")} keys in turn`, tokens: keys, results: [] as LoadResult[] },
  ];
  for (const [index, { tokens }] of sets.entries()) {
    await Bun.write(join(directory, `tokens-${index}`), tokens.map(({ vault_key }) => `${vault_key}\n`).join(""));
  }
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const [index, { name, results }] of sets.entries()) {
      say(`round ${round} of ${sizes.rounds}: ${name}`);
      const tokensFile = join(directory, `tokens-${index}`);
      const options = { url: installation.chargeUrl, connections: 32, request: charge(""), tokensFile };
      if (round === 1) await load(directory, { ...options, seconds: sizes.warmUpSeconds });
      results.push(await load(directory, { ...options, seconds: sizes.seconds }));
    }
  }
  const figures = sets.map(({ name, results }) => ({
    name,
    rate: median(results.map(({ requestsPerSecond }) => requestsPerSecond)),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
  }));
  const [hot, many] = [figures[0]!, figures[1]!];
  const slower = (1 - many.rate / hot.rate) * 100;
  return {
    rows: [measured(`${many.name}, slower than one hot key`, slower, "%", atMost(15))],
    tables: [
      {
        name: "many_keys",
        columns: ["", "requests/s", "p99 ms"],
        rows: figures.map(({ name, rate, p99Ms }) => [name, Math.round(rate), p99Ms]),
      },
    ],
  };
}
