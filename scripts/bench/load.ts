import { join } from "node:path";

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
}

const BODY =
  "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa&customer=cus_9bench&metadata[order_id]=ord_1";

/** wrk with one thread: the same body, keep-alive on. */
export async function load(
  workDir: string,
  url: string,
  options: { readonly connections: number; readonly seconds: number; readonly key: string },
): Promise<LoadResult> {
  const script = join(workDir, "post.lua");
  await Bun.write(
    script,
    `wrk.method = "POST"
wrk.body = "${BODY}"
wrk.headers["Content-Type"] = "application/x-www-form-urlencoded"
wrk.headers["Authorization"] = "Bearer ${options.key}"
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %f %f %f %d\\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, failed))
end
`,
  );
  const wrk = Bun.spawn(["wrk", "-t1", `-c${options.connections}`, `-d${options.seconds}s`, "-s", script, url], {
    stdout: "pipe",
    stderr: "pipe",
  });
  const output = await new Response(wrk.stdout).text();
  const match = /RESULT (\S+) (\S+) (\S+) (\d+)/.exec(output);
  if (!match) throw new Error(`wrk said: ${output}${await new Response(wrk.stderr).text()}`);
  const [requestsPerSecond, p50Ms, p99Ms, failed] = match.slice(1).map(Number);
  return { requestsPerSecond: requestsPerSecond!, p50Ms: p50Ms!, p99Ms: p99Ms!, failed: failed! };
}
