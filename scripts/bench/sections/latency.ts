import { KeybrakeInstallation } from "../installation.ts";
import { charge, type LoadResult, load } from "../load.ts";
import { startNginx, startUpstream } from "../peers.ts";
import { atMost, type Context, type Findings, measured, median, type Section } from "../section.ts";

/** What Keybrake adds to a call while nothing else is under way. */
export const LATENCY: Section = { name: "latency", title: "Latency at 1 connection", run };

async function run({ directory, say, sizes }: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const nginx = await startNginx(directory, upstream.port);
  const installation = await KeybrakeInstallation.open(directory, upstream.port);
  const request = charge(await installation.issueKey("bench/latency"));
  await installation.serve();
  const keybrake = { name: "keybrake, everything on", url: installation.chargeUrl, request };
  const all = [upstream, ...(nginx ? [nginx] : []), keybrake].map((peer) => ({ ...peer, results: [] as LoadResult[] }));
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const { name, url, request, results } of all) {
      say(`round ${round} of ${sizes.rounds}: ${name}`);
      if (round === 1) {
        // With many connections: one alone takes minutes to warm a JIT compiler up.
        await load(directory, { url, connections: 32, seconds: sizes.warmUpSeconds, request });
      }
      results.push(await load(directory, { url, connections: 1, seconds: sizes.seconds, request }));
    }
  }
  const figures = all.map(({ name, results }) => ({
    name,
    p50Ms: median(results.map(({ p50Ms }) => p50Ms)),
    p99Ms: median(results.map(({ p99Ms }) => p99Ms)),
  }));
  const [bare, last] = [figures[0]!, figures.at(-1)!];
  return {
    rows: [
      measured("added p50 at 1 connection", last.p50Ms - bare.p50Ms, "ms", atMost(0.45)),
      measured("added p99 at 1 connection", last.p99Ms - bare.p99Ms, "ms", atMost(2)),
    ],
    tables: [
      {
        name: "latency",
        columns: ["", "p50 ms", "p99 ms"],
        rows: figures.map(({ name, p50Ms, p99Ms }) => [name, p50Ms, p99Ms]),
      },
    ],
  };
}
