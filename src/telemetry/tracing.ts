import type { Tracer } from "@opentelemetry/api";
import { resourceFromAttributes } from "@opentelemetry/resources";
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from "@opentelemetry/sdk-trace";
import type { TraceTarget } from "../core/trace-target.ts";
import { VERSION } from "../core/version.ts";
import type { Log } from "../log.ts";
import type { CallReport } from "./call-report.ts";
import { OtlpExporter } from "./otlp-exporter.ts";
import { makeSpans, spanCount } from "./spans.ts";

/** Spans that may wait for the collector; what comes beyond is dropped and counted. */
const WAITING_MAX = 2_048;
const BATCH_MAX = 512;
const SEND_EVERY_MS = 2_000;
/** Calls whose spans are made before other events have their turn. */
const CALLS_PER_TURN = 16;
/** What a stopping server waits for the last batch. */
const STOP_MS_MAX = 2_000;

export interface TracingOptions {
  readonly target: TraceTarget;
  readonly log: Log;
  /** Tells this server from others. */
  readonly server: string;
  /** How long spans wait for others to go with; 2 seconds where it is not given. */
  readonly sendEveryMs?: number;
}

/**
 * Traces of calls, one span each with its parts as children. A call only leaves its report; spans are made between other
 * events, and sent in batches. A collector that is away, slow or hangs costs spans and nothing else.
 */
export class Tracing {
  readonly #options: TracingOptions;
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #exporter: OtlpExporter;
  #reports: CallReport[] = [];
  #isDue = false;
  /** Spans that were made or will be, and that the collector has not got. */
  #waiting = 0;
  #exported = 0;
  #failed = 0;
  #dropped = 0;

  /** @throws Problem where the configured headers are none. */
  constructor(options: TracingOptions) {
    const { target, server } = options;
    this.#options = options;
    this.#exporter = new OtlpExporter({ target, onEnd: (spans, failure) => this.#ended(spans, failure) });
    const ratio = target.sampleRatio >= 1 ? new AlwaysOnSampler() : new TraceIdRatioBasedSampler(target.sampleRatio);
    this.#provider = new TracerProvider({
      resource: resourceFromAttributes({
        ...target.resource,
        "service.name": target.serviceName,
        "service.version": VERSION,
        "service.instance.id": server,
      }),
      sampler: target.followsParent ? new ParentBasedSampler({ root: ratio }) : ratio,
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: this.#exporter,
          maxQueueSize: WAITING_MAX,
          maxExportBatchSize: BATCH_MAX,
          scheduledDelayMillis: options.sendEveryMs ?? SEND_EVERY_MS,
        }),
      ],
    });
    this.#tracer = this.#provider.getTracer("keybrake", VERSION);
  }

  /** Never throws and never waits. */
  readonly listener = (report: CallReport): void => {
    const spans = spanCount(report);
    if (this.#waiting + spans > WAITING_MAX) {
      this.#dropped += spans;
      return;
    }
    this.#waiting += spans;
    this.#reports.push(report);
    this.#schedule();
  };

  /** What became of spans so far. */
  get counts(): { readonly exported: number; readonly failed: number; readonly dropped: number } {
    return { exported: this.#exported, failed: this.#failed, dropped: this.#dropped };
  }

  /** Sends what is left, for two seconds at most. */
  async stop(): Promise<void> {
    this.#make(this.#reports.length);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, STOP_MS_MAX);
    });
    await Promise.race([this.#flush(), late]);
    clearTimeout(timer);
    await this.#exporter.shutdown();
  }

  async #flush(): Promise<void> {
    await this.#provider.forceFlush({ timeoutMillis: STOP_MS_MAX }).catch(() => {});
    await this.#exporter.forceFlush();
  }

  #schedule(): void {
    if (this.#isDue || this.#reports.length === 0) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#make(CALLS_PER_TURN);
      this.#schedule();
    });
  }

  #make(calls: number): void {
    for (const report of this.#reports.splice(0, calls)) {
      if (!makeSpans(this.#tracer, report, this.#options.target.showsRunLabels)) this.#waiting -= spanCount(report);
    }
  }

  #ended(spans: number, failure: string | undefined): void {
    this.#waiting -= spans;
    if (failure === undefined) {
      this.#exported += spans;
      return;
    }
    this.#failed += spans;
    this.#options.log.error("traces_failed", { cause: failure, spans });
  }
}
