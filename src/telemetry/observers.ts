import type { Config, Environment } from "../config.ts";
import { traceTarget } from "../config-traces.ts";
import type { Log } from "../log.ts";
import { readSecret } from "../operate/alert-secret.ts";
import { callLog } from "./call-log.ts";
import type { CallListener } from "./call-report.ts";
import type { ProcessReading } from "./snapshot.ts";

/** Who is told of every call. */
export interface Observers {
  readonly listeners: readonly CallListener[];
  /** What became of spans; undefined where no traces are written. */
  readonly spans: () => ProcessReading["spans"];
  /** Sends what is left, for a bounded time. */
  stop(): Promise<void>;
}

export interface ObserverOptions {
  readonly config: Config;
  readonly environment: Environment;
  readonly log: Log;
  /** Tells this server from others. */
  readonly server: string;
}

/** @throws Problem that names the setting of traces that is wrong. */
export async function startObservers({ config, environment, log, server }: ObserverOptions): Promise<Observers> {
  const target = traceTarget(config.traces, environment, (place) => readSecret(place, environment));
  // OpenTelemetry's library is loaded where somebody asked for traces: others start as fast as without it.
  const tracing = target && new (await import("./tracing.ts")).Tracing({ target, log, server });
  const listeners = [callLog(log), tracing?.listener];
  return {
    listeners: listeners.filter((listener) => listener !== undefined),
    spans: () => tracing?.counts,
    stop: async () => tracing?.stop(),
  };
}
