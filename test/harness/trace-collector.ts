/** A span as a collector reads it. */
export interface ReceivedSpan {
  readonly traceId: string;
  readonly spanId: string;
  /** Empty for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  /** 1 internal, 2 server, 3 client. */
  readonly kind: number;
  readonly startNanos: bigint;
  readonly endNanos: bigint;
  readonly attributes: Readonly<Record<string, string | number>>;
  /** 2 is an error. */
  readonly status: number;
  readonly resource: Readonly<Record<string, string | number>>;
}

/** How the collector behaves: a status, or worse. */
export type CollectorMood = number | "hang" | "reset";

export interface TraceCollector {
  readonly url: string;
  readonly spans: ReceivedSpan[];
  /** Every byte that came, with its headers. */
  readonly requests: { readonly headers: Record<string, string>; readonly body: Uint8Array; readonly path: string }[];
  mood: CollectorMood;
  stop(): void;
}

/** A collector over real sockets: it takes OTLP over HTTP, in protobuf and in JSON, and reads it with its own eyes. */
export function startTraceCollector(): TraceCollector {
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const body = await request.bytes();
      const { pathname } = new URL(request.url);
      collector.requests.push({ headers: Object.fromEntries(request.headers), body, path: pathname });
      const { mood } = collector;
      if (mood === "hang") return new Promise<Response>(() => {});
      if (mood === "reset") throw new Error("reset");
      if (mood >= 200 && mood < 300)
        collector.spans.push(...readSpans(body, request.headers.get("content-type") ?? ""));
      return new Response(new Uint8Array(0), { status: mood });
    },
    error: () => new Response(null, { status: 500 }),
  });
  const collector: TraceCollector = {
    url: `http://127.0.0.1:${server.port}`,
    spans: [],
    requests: [],
    mood: 200,
    stop: () => void server.stop(true),
  };
  return collector;
}

function readSpans(body: Uint8Array, contentType: string): ReceivedSpan[] {
  return contentType === "application/json" ? fromJson(body) : fromProtobuf(body);
}

interface JsonValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
}
interface JsonAttribute {
  readonly key: string;
  readonly value: JsonValue;
}
interface JsonSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly JsonAttribute[];
  readonly status: { readonly code: number };
}
interface JsonTraces {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly JsonAttribute[] };
    readonly scopeSpans: readonly { readonly spans: readonly JsonSpan[] }[];
  }[];
}

function fromJson(body: Uint8Array): ReceivedSpan[] {
  const { resourceSpans } = JSON.parse(Buffer.from(body).toString("utf8")) as JsonTraces;
  const attributes = (all: readonly JsonAttribute[]) =>
    Object.fromEntries(
      all.map(({ key, value: { stringValue, intValue, doubleValue } }) => [
        key,
        stringValue ?? (intValue === undefined ? doubleValue! : Number(intValue)),
      ]),
    );
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans
      .flatMap(({ spans }) => spans)
      .map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId ?? "",
        name: span.name,
        kind: span.kind,
        startNanos: BigInt(span.startTimeUnixNano),
        endNanos: BigInt(span.endTimeUnixNano),
        attributes: attributes(span.attributes),
        status: span.status.code,
        resource: attributes(resource.attributes),
      })),
  );
}

/** A field of a protobuf message: a number, or bytes (texts and messages within). */
type Field = readonly [number: number, value: bigint | Uint8Array];

/** The fields of a message in their order (protobuf.dev/programming-guides/encoding). */
function fieldsOf(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const byte = bytes[at++]!;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  while (at < bytes.length) {
    const tag = varint();
    const number = Number(tag >> 3n);
    const wire = Number(tag & 7n);
    if (wire === 0) fields.push([number, varint()]);
    else if (wire === 1) {
      fields.push([number, view.getBigUint64(at, true)]);
      at += 8;
    } else if (wire === 2) {
      const length = Number(varint());
      fields.push([number, bytes.subarray(at, at + length)]);
      at += length;
    } else if (wire === 5) {
      fields.push([number, BigInt(view.getUint32(at, true))]);
      at += 4;
    } else throw new Error(`${wire} is no wire type that OTLP uses`);
  }
  return fields;
}

const messages = (fields: readonly Field[], wanted: number) =>
  fields.filter(([number]) => number === wanted).map(([, value]) => fieldsOf(value as Uint8Array));
const first = (fields: readonly Field[], wanted: number) => fields.find(([number]) => number === wanted)?.[1];
const hex = (value: bigint | Uint8Array | undefined) =>
  Buffer.from((value as Uint8Array | undefined) ?? []).toString("hex");
const text = (value: bigint | Uint8Array | undefined) =>
  Buffer.from((value as Uint8Array | undefined) ?? []).toString("utf8");

/** Numbers of fields: github.com/open-telemetry/opentelemetry-proto, trace/v1 and common/v1. */
function fromProtobuf(body: Uint8Array): ReceivedSpan[] {
  return messages(fieldsOf(body), 1).flatMap((resourceSpans) => {
    const resource = Object.assign({}, ...messages(resourceSpans, 1).map(protobufAttributes(1)));
    return messages(resourceSpans, 2)
      .flatMap((scopeSpans) => messages(scopeSpans, 2))
      .map((span) => ({
        traceId: hex(first(span, 1)),
        spanId: hex(first(span, 2)),
        parentSpanId: hex(first(span, 4)),
        name: text(first(span, 5)),
        kind: Number(first(span, 6) ?? 0n),
        startNanos: first(span, 7) as bigint,
        endNanos: first(span, 8) as bigint,
        attributes: protobufAttributes(9)(span),
        status: Number(first(messages(span, 15)[0] ?? [], 3) ?? 0n),
        resource,
      }));
  });
}

function protobufAttributes(wanted: number) {
  return (fields: readonly Field[]): Record<string, string | number> =>
    Object.fromEntries(
      messages(fields, wanted).map((pair) => {
        const [[kind, value]] = messages(pair, 2)[0]! as [Field];
        return [text(first(pair, 1)), kind === 1 ? text(value) : Number(value)];
      }),
    );
}
