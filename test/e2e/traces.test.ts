import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { freePort } from "../harness/free-port.ts";
import { type Bench, eventually, type IssuedKey, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { succeededIntent } from "../harness/stripe-answers.ts";
import { startTraceCollector, type TraceCollector } from "../harness/trace-collector.ts";
import { setVendor } from "../harness/vendor-account.ts";
import { startVendorDouble, type VendorDouble } from "../harness/vendor-double.ts";

let bench: Bench;
let vendor: VendorDouble;
let collector: TraceCollector;
let key: IssuedKey;

beforeAll(async () => {
  vendor = await startVendorDouble(succeededIntent);
});
afterAll(() => vendor.stop());
beforeEach(async () => {
  collector = startTraceCollector();
  bench = await makeBench();
  await setVendor(bench, "stripe", { origin: vendor.origin, secret: "sk_test_real_secret" });
  const rules = ["--allowed-endpoints", "POST /v1/payment_intents", "--expires-in", "1h", "--label", "run/1"];
  key = await bench.json<IssuedKey>(["key", "issue", "--vendor", "stripe", "--daily-usd-cap", "40", ...rules]);
});
afterEach(async () => {
  collector.stop();
  await bench.stop();
});

const PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async function pay(server: RunningKeybrake): Promise<Response> {
  const response = await fetch(`${server.url}/stripe/v1/payment_intents?ignored=query`, {
    method: "POST",
    headers: {
      authorization: `Bearer ${key.vault_key}`,
      "content-type": "application/x-www-form-urlencoded",
      traceparent: PARENT,
      tracestate: "vendor=state",
    },
    body: "amount=2000&currency=usd&confirm=true&payment_method=pm_card_visa",
  });
  await response.arrayBuffer();
  return response;
}

test("calls are traced by the standard variables, under the agent's span, which the vendor hears nothing of", async () => {
  bench.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = `${collector.url}/`;
  bench.environment["OTEL_SERVICE_NAME"] = "keybrake-billing";
  const server = await bench.serve();
  const paid = await pay(server);
  for (let call = 0; call < 2; call++) await pay(server);
  expect(await server.kill("SIGTERM")).toBe(0);
  expect(collector.requests.every(({ path }) => path === "/v1/traces")).toBe(true);
  const calls = collector.spans.filter(({ name }) => name.startsWith("stripe"));
  expect(calls.map(({ attributes }) => attributes["keybrake.verdict"])).toEqual(["allowed", "allowed", "cap_exceeded"]);
  expect(calls[0]).toMatchObject({
    traceId: PARENT.split("-")[1]!,
    parentSpanId: PARENT.split("-")[2]!,
    attributes: { "keybrake.call_id": paid.headers.get("x-keybrake-request-id")!, "keybrake.key_id": key.id },
    resource: { "service.name": "keybrake-billing" },
  });
  expect(collector.spans.filter(({ name }) => name === "hold")).toHaveLength(3);
  expect(collector.spans.filter(({ name }) => name === "forward")).toHaveLength(2);
  const sent = vendor.requests.at(-1)!;
  expect(Object.keys(sent.headers).filter((name) => name.startsWith("trace"))).toEqual([]);
  const said = JSON.stringify(collector.spans, (_, value) => (typeof value === "bigint" ? String(value) : value));
  for (const word of ["run/1", "ignored", "pm_card", key.vault_key]) expect(said).not.toContain(word);
});

describe("a collector", () => {
  test.each(["hang", 500, "gone"] as const)(
    "that is no help (%p) keeps no call and no server from ending",
    async (mood) => {
      if (mood === "gone") collector.stop();
      else collector.mood = mood;
      bench.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url;
      const server = await bench.serve();
      const statuses = [];
      for (let call = 0; call < 3; call++) statuses.push((await pay(server)).status);
      expect(statuses).toEqual([200, 200, 429]);
      if (mood !== "gone") await eventually(() => (collector.requests.length > 0 ? true : undefined));
      expect(await server.kill("SIGTERM")).toBe(0);
      expect(server.output()).toContain('"event":"traces_failed"');
      expect(server.output()).toContain('"event":"stopped"');
    },
  );
});

describe("a setting that is wrong", () => {
  test.each([
    ["OTEL_EXPORTER_OTLP_ENDPOINT", "http://user:hunter2@collector.example"],
    ["OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"],
    ["OTEL_EXPORTER_OTLP_HEADERS", "no pairs hunter2"],
    ["OTEL_TRACES_SAMPLER", "sometimes"],
  ])("%s stops a server with a line that names it, and no other command", async (name, value) => {
    bench.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.url;
    bench.environment[name] = value;
    const port = String(await freePort());
    const served = await bench.cli(["serve", "--listen", `127.0.0.1:${port}`]);
    expect(served.code).not.toBe(0);
    expect(served.stderr).toContain("keybrake: error:");
    expect(served.stderr).toMatch(new RegExp(`${name}|headers of traces`));
    expect(served.stderr).not.toContain("hunter2");
    expect((await bench.cli(["key", "list"])).code).toBe(0);
  });
});
