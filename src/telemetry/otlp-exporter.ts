import { JsonTraceSerializer, ProtobufTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { pairs } from "../config-traces.ts";
import type { TraceFormat, TraceTarget } from "../core/trace-target.ts";

/** From the first byte of a batch to the head of its answer, tries included. */
const EXPORT_MS_MAX = 10_000;
const TRY_MS_MAX = 5_000;
const PAUSES_MS = [500, 1_000, 2_000];
/** Of the OTLP specification: what a collector may answer when it will take the same batch a little later. */
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504]);

const WRITERS: Readonly<Record<TraceFormat, readonly [contentType: string, serializer: typeof JsonTraceSerializer]>> = {
  protobuf: ["application/x-protobuf", ProtobufTraceSerializer],
  json: ["application/json", JsonTraceSerializer],
};

export interface OtlpExporterOptions {
  readonly target: TraceTarget;
  /** Told of each batch once: how many spans, and why they did not arrive where they did not. */
  readonly onEnd: (spans: number, failure: string | undefined) => void;
}

type Try = { readonly failure: string; readonly passes: boolean } | undefined;

/**
 * Sends batches of spans to a collector: OTLP over HTTP, in words of OpenTelemetry's own library. The sending is ours, because
 * the library's takes settings and headers from the environment behind the configuration's back, and cannot be told to end.
 */
export class OtlpExporter implements SpanExporter {
  readonly #options: OtlpExporterOptions;
  readonly #headers: Headers;
  readonly #ending = new AbortController();
  readonly #underWay = new Set<Promise<void>>();

  /** @throws Problem where the configured headers are none. */
  constructor(options: OtlpExporterOptions) {
    const { headers, format } = options.target;
    this.#options = options;
    this.#headers = new Headers(headers ? pairs("the headers of traces", headers.reveal()) : {});
    this.#headers.set("content-type", WRITERS[format][0]);
  }

  export(spans: ReadableSpan[], done: (result: { code: 0 | 1; error?: Error }) => void): void {
    const sending = this.#send(spans).then((failure) => {
      this.#underWay.delete(sending);
      this.#options.onEnd(spans.length, failure);
      // A failure is counted and logged here: the library's own way to tell of it would print to the console.
      done({ code: 0 });
    });
    this.#underWay.add(sending);
  }

  /** Waits for what is under way. */
  async forceFlush(): Promise<void> {
    await Promise.all(this.#underWay);
  }

  /** Ends what is under way: its spans are lost. */
  async shutdown(): Promise<void> {
    this.#ending.abort();
  }

  async #send(spans: ReadableSpan[]): Promise<string | undefined> {
    const body = WRITERS[this.#options.target.format][1].serializeRequest(spans);
    if (!body) return "the spans could not be written";
    const signal = AbortSignal.any([this.#ending.signal, AbortSignal.timeout(EXPORT_MS_MAX)]);
    let last: Try;
    for (const pauseMs of [0, ...PAUSES_MS]) {
      if (!(await passed(pauseMs, signal))) break;
      last = await this.#try(body, signal);
      if (!last?.passes) break;
    }
    return last?.failure;
  }

  async #try(body: Uint8Array, signal: AbortSignal): Promise<Try> {
    const init: RequestInit = {
      method: "POST",
      headers: this.#headers,
      body,
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(TRY_MS_MAX)]),
    };
    try {
      const { status, body: answer } = await fetch(this.#options.target.url, init);
      // What a collector says beside its status is its own word, and may be endless.
      void answer?.cancel().catch(() => {});
      if (status >= 200 && status <= 299) return undefined;
      return { failure: `the collector answered ${status}`, passes: PASSING_STATUSES.has(status) };
    } catch (cause) {
      const isLate = cause instanceof Error && cause.name === "TimeoutError";
      const failure = isLate ? "the collector did not answer in time" : "the collector could not be reached";
      return { failure, passes: !isLate && !signal.aborted };
    }
  }
}

/** False where there is an end before. */
function passed(durationMs: number, signal: AbortSignal): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  if (durationMs === 0) return Promise.resolve(true);
  return new Promise((done) => {
    const timer = setTimeout(() => finish(true), durationMs);
    const ended = () => finish(false);
    const finish = (result: boolean) => {
      clearTimeout(timer);
      signal.removeEventListener("abort", ended);
      done(result);
    };
    signal.addEventListener("abort", ended);
  });
}
