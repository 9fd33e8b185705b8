/**
 * Sends requests at a steady rate, whether or not the ones before them are answered, and measures each from the moment
 * at which it was due. A server that stalls is charged with every request that had to wait for it; a generator that
 * waits with it would leave those out (coordinated omission).
 * `bun scripts/bench/open-loop.ts` reads its plan as JSON from stdin and prints the result as JSON.
 */
import { Connection, postText } from "./connection.ts";
import type { LoadRequest } from "./load.ts";
import type { Schedule } from "./open-loop-clock.ts";
import { percentile, round } from "./section.ts";

export interface OpenLoopPlan {
  readonly port: number;
  readonly path: string;
  readonly request: LoadRequest;
  readonly requestsPerSecond: number;
  readonly connections: number;
  readonly warmUpSeconds: number;
  readonly seconds: number;
}

export interface OpenLoopResult {
  readonly requests: number;
  readonly failed: number;
  /** How many failed how, and when after the first request: `503 at 12.3 s`, `broken at 12.3 s`, a line for each moment. */
  readonly failures: readonly string[];
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  /** How late the generator itself was at p99: it is part of every figure above. */
  readonly lateP99Ms: number;
}

if (import.meta.main) console.log(JSON.stringify(await run(JSON.parse(await Bun.stdin.text()) as OpenLoopPlan)));

async function run(plan: OpenLoopPlan): Promise<OpenLoopResult> {
  const { port, path, request, requestsPerSecond, connections, warmUpSeconds, seconds } = plan;
  const text = postText(path, request.headers, request.body);
  const idle = await Promise.all(Array.from({ length: connections }, () => Connection.open(port)));
  const all = [...idle];
  const count = Math.round((warmUpSeconds + seconds) * requestsPerSecond);
  const countedFrom = Math.round(warmUpSeconds * requestsPerSecond);
  const latenciesMs: number[] = [];
  const latesMs: number[] = [];
  const waiting: { turn: number; dueMs: number }[] = [];
  const beganMs = nowMs();
  let turn = 0;
  let answered = 0;
  const failures = new Map<string, number>();
  const finished = Promise.withResolvers<void>();
  const send = (connection: Connection, due: { turn: number; dueMs: number }) =>
    connection.send(text, (status) => {
      if (due.turn >= countedFrom) latenciesMs.push(nowMs() - due.dueMs);
      if (status !== 200) tally(failures, `${status ?? "broken"} at ${((nowMs() - beganMs) / 1000).toFixed(1)} s`);
      answered += 1;
      const next = waiting.shift();
      if (next) send(connection, next);
      else idle.push(connection);
      if (answered === count) finished.resolve();
    });
  const clock = new Worker(new URL("./open-loop-clock.ts", import.meta.url).href);
  clock.onmessage = ({ data: dueMs }: MessageEvent<number>) => {
    const due = { turn: turn++, dueMs };
    if (due.turn >= countedFrom) latesMs.push(nowMs() - dueMs);
    // In turn: one that has not sent a request for ten seconds is closed by servers that mind slow clients.
    const connection = idle.shift();
    if (connection) send(connection, due);
    else waiting.push(due);
  };
  const schedule: Schedule = { startMs: nowMs() + 100, intervalMs: 1000 / requestsPerSecond, count };
  clock.postMessage(schedule);
  await finished.promise;
  clock.terminate();
  for (const connection of all) connection.close();
  return {
    requests: latenciesMs.length,
    failed: [...failures.values()].reduce((sum, each) => sum + each, 0),
    failures: [...failures].map(([what, times]) => `${times} × ${what}`),
    p50Ms: round(percentile(latenciesMs, 50)),
    p99Ms: round(percentile(latenciesMs, 99)),
    maxMs: round(percentile(latenciesMs, 100)),
    lateP99Ms: round(percentile(latesMs, 99)),
  };
}

function tally(counts: Map<string, number>, what: string): void {
  counts.set(what, (counts.get(what) ?? 0) + 1);
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
