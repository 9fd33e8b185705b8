import { join } from "node:path";
import { CHARGE_PATH, KeybrakeInstallation } from "../installation.ts";
import { charge } from "../load.ts";
import type { OpenLoopPlan, OpenLoopResult } from "../open-loop.ts";
import { startNginx, startUpstream } from "../peers.ts";
import { runProcess } from "../processes.ts";
import { atMost, type Context, type Findings, measured, median, type Section } from "../section.ts";

const REQUESTS_PER_SECOND = 1_000;
const CONNECTIONS = 32;

/** What Keybrake adds at p99 where a request is due every millisecond. */
export const STEADY_RATE: Section = { name: "steady-rate", title: "Latency at a steady 1,000 requests/s", run };

async function run({ directory, say, sizes }: Context): Promise<Findings> {
  const upstream = await startUpstream();
  const nginx = await startNginx(directory, upstream.port);
  const installation = await KeybrakeInstallation.open(directory, upstream.port);
  const request = charge(await installation.issueKey("bench/steady"));
  await installation.serve();
  const keybrake = { name: "keybrake, everything on", port: installation.port, url: installation.chargeUrl, request };
  const all = [upstream, ...(nginx ? [nginx] : []), keybrake].map((peer) => ({
    ...peer,
    results: [] as OpenLoopResult[],
  }));
  for (let round = 1; round <= sizes.rounds; round++) {
    for (const { name, port, request, results } of all) {
      say(`round ${round} of ${sizes.rounds}: ${name}`);
      const path = port === installation.port ? CHARGE_PATH : "/v1/payment_intents";
      // The first round begins with a JIT compiler's warm-up; later ones with that of the generator itself.
      const warmUpSeconds = round === 1 ? sizes.warmUpSeconds : Math.min(2, sizes.warmUpSeconds);
      const paced = { requestsPerSecond: REQUESTS_PER_SECOND, connections: CONNECTIONS };
      results.push(await openLoop({ port, path, request, ...paced, warmUpSeconds, seconds: 2 * sizes.seconds }));
    }
  }
  const of = (results: readonly OpenLoopResult[], field: Exclude<keyof OpenLoopResult, "failures">) =>
    median(results.map((r) => r[field]));
  const added = of(all.at(-1)!.results, "p99Ms") - of(all[0]!.results, "p99Ms");
  return {
    rows: [measured("added p99 at a steady 1,000 requests/s", added, "ms", atMost(2))],
    tables: [
      {
        name: "steady_rate",
        columns: ["", "p50 ms", "p99 ms", "max ms", "generator late, p99 ms", "failed"],
        rows: all.map(({ name, results }) => [
          name,
          of(results, "p50Ms"),
          of(results, "p99Ms"),
          of(results, "maxMs"),
          of(results, "lateP99Ms"),
          results.reduce((sum, { failed }) => sum + failed, 0),
        ]),
      },
    ],
  };
}

/** In a process of its own: the garbage of this one would be measured, too. */
async function openLoop(plan: OpenLoopPlan): Promise<OpenLoopResult> {
  const script = join(import.meta.dir, "../open-loop.ts");
  const result = JSON.parse(await runProcess([process.execPath, script], { stdin: JSON.stringify(plan) }));
  if (result.failed > 0) {
    throw new Error(`requests to port ${plan.port} failed at a steady rate: ${result.failures.slice(0, 5).join(", ")}`);
  }
  return result as OpenLoopResult;
}
