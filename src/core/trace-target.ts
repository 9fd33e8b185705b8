import type { Secret } from "./secret.ts";

/** How spans are written for their way: both are OTLP over HTTP. */
export type TraceFormat = "protobuf" | "json";

/** Where traces go, and which. */
export interface TraceTarget {
  /** With its path. */
  readonly url: string;
  readonly format: TraceFormat;
  /** `name=value,name=value`, values percent-encoded; undefined for none. A collector's API key is among them. */
  readonly headers: Secret | undefined;
  readonly serviceName: string;
  /** What OTEL_RESOURCE_ATTRIBUTES adds to every span's resource. */
  readonly resource: Readonly<Record<string, string>>;
  /** The part of the calls that are traced, from 0 to 1, where their agent does not say. */
  readonly sampleRatio: number;
  /** Whether an agent's own decision, in its `traceparent`, stands above the ratio. */
  readonly followsParent: boolean;
  /** Whether spans say the run label: it is the operator's free text, and may name a customer. */
  readonly showsRunLabels: boolean;
}
