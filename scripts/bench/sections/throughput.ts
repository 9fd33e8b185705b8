import { KeybrakeInstallation } from "../installation.ts";
import { charge, type LoadResult, load } from "../load.ts";
import { type Peer, startPeers, startUpstream } from "../peers.ts";
import { atLeast, type Context, type Findings, leftOut, measured, median, type Row, type Section } from "../section.ts";

const CONNECTIONS = 32;

/** Requests per second at 32 connections, beside bare reverse proxies. */
export const THROUGHPUT: Section = { name: "throughput", title: "Throughput at 32 connections", run };

interface Measured {
  readonly peer: Peer;
  readonly results: LoadResult[];
}

async function run(context: Context): Promise<Findings> {
  const { directory, say, sizes } = context;
  const upstream = await startUpstream();
  const installation = await KeybrakeInstallation.open(directory, upstream.port);
  const request = charge(await installation.issueKey("bench/throughput"));
  await installation.serve();
  const keybrake = { name: "keybrake, everything on", port: installation.port, url: installation.chargeUrl, request };
  const peers = [upstream, ...(await startPeers(directory, upstream.port, say)), keybrake];
  const all: Measured[] = peers.map((peer) => ({ peer, results: [] }));
  const failures: string[] = [];
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const each of [...all]) {
      say(`round ${round} of ${sizes.rounds}: ${each.peer.name}`);
      try {
        if (round === 1) await ask(context, each.peer, sizes.warmUpSeconds);
        each.results.push(await ask(context, each.peer, sizes.seconds));
      } catch (cause) {
        // A peer that does not hold out is left out; without Keybrake or the upstream there is nothing to say.
        if (each.peer === keybrake || each.peer === upstream) throw cause;
        failures.push(`${each.peer.name}: ${(cause as Error).message}`);
        say(failures.at(-1)!);
        all.splice(all.indexOf(each), 1);
      }
    }
  }
  return { rows: rowsOf(all), tables: [tableOf(all)] };
}

function ask({ directory }: Context, { url, request }: Peer, seconds: number): Promise<LoadResult> {
  return load(directory, { url, connections: CONNECTIONS, seconds, request });
}

function rateOf({ results }: Measured): number {
  return median(results.map(({ requestsPerSecond }) => requestsPerSecond));
}

/** Against each peer: its name as it begins, and the ratio that is asked for. */
const RATIOS = [
  ["nginx", "requests/s against bare nginx", 0.4],
  ["Caddy", "requests/s against bare Caddy", 1],
  ["Portkey", "requests/s against the Portkey gateway", 12],
] as const;

function rowsOf(all: readonly Measured[]): Row[] {
  const find = (name: string) => all.find(({ peer }) => peer.name.startsWith(name));
  const keybrake = find("keybrake")!;
  return [
    measured("requests/s at 32 connections", Math.round(rateOf(keybrake)), "requests/s"),
    ...RATIOS.map(([name, measure, ratio]) => {
      const peer = find(name);
      if (!peer) return leftOut(measure, "×", atLeast(ratio), "it is not installed, or did not hold out");
      return measured(measure, rateOf(keybrake) / rateOf(peer), "×", atLeast(ratio), peer.peer.note);
    }),
  ];
}

function tableOf(all: readonly Measured[]) {
  return {
    name: "peers",
    columns: ["", "requests/s", "p50 ms", "p99 ms", "failed"],
    rows: all.map((each) => [
      each.peer.name,
      Math.round(rateOf(each)),
      median(each.results.map(({ p50Ms }) => p50Ms)),
      median(each.results.map(({ p99Ms }) => p99Ms)),
      each.results.reduce((sum, { failed }) => sum + failed, 0),
    ]),
  };
}
