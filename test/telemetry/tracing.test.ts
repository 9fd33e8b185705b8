import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret.ts";
import type { TraceTarget } from "../../src/core/trace-target.ts";
import type { LogFields } from "../../src/log.ts";
import type { CallReport } from "../../src/telemetry/call-report.ts";
import { Tracing } from "../../src/telemetry/tracing.ts";
import { eventually } from "../harness/keybrake.ts";
import { startTraceCollector, type TraceCollector } from "../harness/trace-collector.ts";

const RECEIVED_AT = Date.UTC(2026, 0, 15, 12);
const TRACE_ID = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID = "b7ad6b7169203331";

let collector: TraceCollector;
let tracing: Tracing;
let logged: LogFields[];

beforeEach(() => {
  collector = startTraceCollector();
  logged = [];
});
afterEach(async () => {
  collector.mood = 200;
  await tracing.stop();
  collector.stop();
});

function start(own: Partial<TraceTarget> = {}): Tracing {
  const target: TraceTarget = {
    url: `${collector.url}/v1/traces`,
    format: "protobuf",
    headers: undefined,
    serviceName: "keybrake",
    resource: {},
    sampleRatio: 1,
    followsParent: true,
    showsRunLabels: false,
    ...own,
  };
  const log = { info: () => {}, error: (event: string, fields: LogFields = {}) => logged.push({ event, ...fields }) };
  tracing = new Tracing({ target, log, server: "host:1:abcd", sendEveryMs: 5 });
  return tracing;
}

function report(own: Partial<CallReport> = {}): CallReport {
  return {
    callId: "call_1",
    receivedAt: RECEIVED_AT,
    whole: { fromMs: 1_000, toMs: 1_050 },
    vendor: "stripe",
    keyId: "vk_1",
    runLabel: "tenant:acme:1",
    method: "POST",
    endpoint: "/v1/payment_intents/*/confirm",
    operation: "payment_intents.confirm",
    outcome: "allowed",
    rule: undefined,
    costMicros: 29_990_000n,
    vendorStatus: 200,
    hold: { fromMs: 1_001, toMs: 1_003 },
    forward: { fromMs: 1_004, toMs: 1_049 },
    traceparent: undefined,
    ...own,
  };
}

async function received(count: number) {
  await eventually(() => (collector.spans.length >= count ? true : undefined));
  return collector.spans;
}

const nanos = (ms: number) => BigInt(RECEIVED_AT + ms) * 1_000_000n;

test.each(["protobuf", "json"] as const)(
  "a call is a span with its hold and its way to the vendor in it, in %s",
  async (format) => {
    start({ format, resource: { "deployment.environment": "test" } }).listener(report());
    const spans = await received(3);
    const [call, hold, forward] = ["stripe payment_intents.confirm", "hold", "forward"].map(
      (name) => spans.find((span) => span.name === name)!,
    );
    expect(call).toMatchObject({
      parentSpanId: "",
      kind: 2,
      startNanos: nanos(0),
      endNanos: nanos(50),
      status: 0,
      attributes: {
        "keybrake.call_id": "call_1",
        "keybrake.vendor": "stripe",
        "keybrake.operation": "payment_intents.confirm",
        "keybrake.verdict": "allowed",
        "keybrake.key_id": "vk_1",
        "keybrake.cost_micros": 29_990_000,
        "http.request.method": "POST",
        "http.route": "/v1/payment_intents/*/confirm",
        "http.response.status_code": 200,
      },
      resource: { "service.name": "keybrake", "service.instance.id": "host:1:abcd", "deployment.environment": "test" },
    });
    expect(call!.traceId).toMatch(/^[0-9a-f]{32}$/);
    const inside = { traceId: call!.traceId, parentSpanId: call!.spanId };
    expect(hold).toMatchObject({ ...inside, kind: 1, startNanos: nanos(1), endNanos: nanos(3) });
    expect(forward).toMatchObject({ ...inside, kind: 3, startNanos: nanos(4), endNanos: nanos(49) });
    expect(JSON.stringify(spans.map(({ attributes }) => attributes))).not.toContain("acme");
  },
);

test("the run label is said where the operator has asked for it", async () => {
  start({ showsRunLabels: true }).listener(report({ hold: undefined, forward: undefined }));
  expect((await received(1))[0]!.attributes["keybrake.run_label"]).toBe("tenant:acme:1");
});

describe("an agent's traceparent", () => {
  const bare = { hold: undefined, forward: undefined };

  test("is the parent of its call's span", async () => {
    start().listener(report({ ...bare, traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }));
    expect((await received(1))[0]).toMatchObject({ traceId: TRACE_ID, parentSpanId: PARENT_ID });
  });

  test.each([
    `01-${TRACE_ID}-${PARENT_ID}-01`,
    `00-${"0".repeat(32)}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${"0".repeat(16)}-01`,
    `00-${TRACE_ID.toUpperCase()}-${PARENT_ID}-01`,
    `00-${TRACE_ID}-${PARENT_ID}-01-more`,
    `00-${TRACE_ID}-${PARENT_ID}`,
    "vault_key_put_where_it_does_not_belong",
    "",
  ])("that is none begins a trace of its own: %j", async (traceparent) => {
    start().listener(report({ ...bare, traceparent }));
    const [span] = await received(1);
    expect(span!.parentSpanId).toBe("");
    expect(span!.traceId).not.toBe(TRACE_ID);
  });

  test("decides whether the call is traced, unless the sampler does not follow it", async () => {
    start({ sampleRatio: 0 }).listener(report({ ...bare, traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }));
    tracing.listener(report({ ...bare, callId: "call_2" }));
    tracing.listener(report({ ...bare, callId: "call_3", traceparent: `00-${TRACE_ID}-${PARENT_ID}-00` }));
    await tracing.stop();
    expect(collector.spans.map(({ attributes }) => attributes["keybrake.call_id"])).toEqual(["call_1"]);
    start({ sampleRatio: 0, followsParent: false }).listener(
      report({ ...bare, traceparent: `00-${TRACE_ID}-${PARENT_ID}-01` }),
    );
    await tracing.stop();
    expect(collector.spans).toHaveLength(1);
  });
});

test("of many calls a part is traced, as the ratio says, and the others take no room", async () => {
  start({ sampleRatio: 0.25 });
  for (let call = 0; call < 2_000; call++) tracing.listener(report({ hold: undefined, forward: undefined }));
  await tracing.stop();
  expect(tracing.counts).toMatchObject({ failed: 0, dropped: 0 });
  expect(collector.spans.length).toBeGreaterThan(350);
  expect(collector.spans.length).toBeLessThan(650);
});

test("a failure of the vendor or of the store is an error, a refusal is none", async () => {
  start();
  for (const outcome of ["upstream_timeout", "store_unavailable", "cap_exceeded", "replayed"] as const) {
    tracing.listener(report({ outcome, hold: undefined, forward: undefined }));
  }
  const spans = await received(4);
  expect(spans.map(({ attributes, status }) => [attributes["keybrake.verdict"], status])).toEqual([
    ["upstream_timeout", 2],
    ["store_unavailable", 2],
    ["cap_exceeded", 0],
    ["replayed", 0],
  ]);
});

test("headers that a collector asks for are sent, decoded", async () => {
  start({ headers: new Secret("x-api-key=canary%20secret,x-tenant=7") }).listener(report());
  await received(3);
  expect(collector.requests[0]!.headers).toMatchObject({
    "x-api-key": "canary secret",
    "x-tenant": "7",
    "content-type": "application/x-protobuf",
  });
});

describe("a collector that", () => {
  test("is overloaded gets the same batch again", async () => {
    collector.mood = 503;
    start().listener(report());
    await eventually(() => (collector.requests.length > 0 ? true : undefined));
    collector.mood = 200;
    expect(await received(3)).toHaveLength(3);
    await tracing.stop();
    expect(logged).toEqual([]);
    expect(tracing.counts).toEqual({ exported: 3, failed: 0, dropped: 0 });
  });

  test("refuses is told of in the log, without its own words, and the spans are counted as lost", async () => {
    collector.mood = 400;
    start({ headers: new Secret("x-api-key=canary-secret") }).listener(report());
    await eventually(() => (tracing.counts.failed > 0 ? true : undefined));
    expect(tracing.counts).toEqual({ exported: 0, failed: 3, dropped: 0 });
    expect(logged).toEqual([{ event: "traces_failed", cause: "the collector answered 400", spans: 3 }]);
    expect(collector.requests).toHaveLength(1);
  });

  test("redirects is not followed", async () => {
    collector.mood = 302;
    start().listener(report());
    await eventually(() => (tracing.counts.failed > 0 ? true : undefined));
    expect(collector.requests).toHaveLength(1);
  });

  test("hangs fills a bounded queue: the rest is dropped and counted, and nothing waits", async () => {
    collector.mood = "hang";
    start();
    for (let call = 0; call < 5_000; call++) tracing.listener(report());
    const { dropped } = tracing.counts;
    expect(dropped).toBe(3 * 5_000 - 2_046);
    await tracing.stop();
  });
});
