import { join } from "node:path";
import { runProcess } from "./processes.ts";

export interface LoadResult {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly requests: number;
  /** Answers of 400 and above, and requests without one. */
  readonly failed: number;
}

/** What is sent again and again. */
export interface LoadRequest {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

const FORM =
  "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa&customer=cus_9bench&metadata[order_id]=ord_1";

/** A Stripe PaymentIntent of $20 with `token` as its API key: the benchmark's one body. */
export function charge(token: string): LoadRequest {
  return {
    body: FORM,
    headers: { "Content-Type": "application/x-www-form-urlencoded", Authorization: `Bearer ${token}` },
  };
}

export interface LoadOptions {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  readonly request: LoadRequest;
  /** A token a line: each request bears the next one, round and round. */
  readonly tokensFile?: string;
  /** Lua that makes the body of each request, where they must differ; `turn` counts them. */
  readonly luaBody?: string;
}

/** A few requests may fail where a machine is busy; more make the figure another one. */
const FAILED_SHARE_MAX = 0.001;

/**
 * wrk with one thread, keep-alive on. Each connection sends its next request when it has its answer.
 * @throws Error where more than one in a thousand fails.
 */
export async function load(directory: string, options: LoadOptions): Promise<LoadResult> {
  if (!Bun.which("wrk")) throw new Error("wrk is not installed: scripts/bench/install-peers");
  const script = join(directory, `load-${crypto.randomUUID()}.lua`);
  await Bun.write(script, luaOf(options));
  const { connections, seconds, url } = options;
  const output = await runProcess(["wrk", "-t1", `-c${connections}`, `-d${seconds}s`, "-s", script, url]);
  const match = /RESULT (\S+) (\S+) (\S+) (\d+) (\d+)/.exec(output);
  if (!match) throw new Error(`wrk said: ${output}`);
  const [requestsPerSecond, p50Ms, p99Ms, requests, failed] = match.slice(1).map(Number);
  if (failed! > requests! * FAILED_SHARE_MAX || requests === 0) {
    throw new Error(`${failed} of ${requests} requests to ${url} failed`);
  }
  return {
    requestsPerSecond: requestsPerSecond!,
    p50Ms: p50Ms!,
    p99Ms: p99Ms!,
    requests: requests!,
    failed: failed!,
  };
}

function luaOf({ request, tokensFile, luaBody }: LoadOptions): string {
  const headers = Object.entries(request.headers).map(([name, value]) => `wrk.headers["${name}"] = "${value}"`);
  return `wrk.method = "POST"
wrk.body = ${JSON.stringify(request.body)}
${headers.join("\n")}
${tokensFile === undefined ? "" : TURNS.replace("TOKENS_FILE", () => tokensFile)}
${luaBody === undefined ? "" : BODIES.replace("BODY", () => luaBody)}
function done(summary, latency, requests)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  io.write(string.format("RESULT %f %f %f %d %d\\n", summary.requests / (summary.duration / 1e6),
    latency:percentile(50) / 1e3, latency:percentile(99) / 1e3, summary.requests, failed))
end
`;
}

/** Every request is written before the load begins, so that one token costs wrk the same as ten thousand. */
const TURNS = `local requests = {}
local turn = 0
function init(args)
  for token in io.lines("TOKENS_FILE") do
    wrk.headers["Authorization"] = "Bearer " .. token
    requests[#requests + 1] = wrk.format()
  end
end
function request()
  turn = turn % #requests + 1
  return requests[turn]
end`;

const BODIES = `local turn = 0
function request()
  turn = turn + 1
  return wrk.format(nil, nil, nil, BODY)
end`;
