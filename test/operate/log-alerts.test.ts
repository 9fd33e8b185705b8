import { expect, test } from "bun:test";
import { jsonLog } from "../../src/log.ts";
import { logAlerts } from "../../src/operate/log-alerts.ts";

test("writes a call that has become unresolved as one line, with what an operator needs to look it up", () => {
  const lines: string[] = [];
  logAlerts(
    jsonLog(
      () => 0,
      (line) => lines.push(line),
    ),
  ).raise({
    type: "call.unresolved",
    at: 0,
    callId: "call_1",
    vaultKeyId: "vk_1",
    runLabel: "ray-billing/01",
    vendor: "stripe",
    method: "POST",
    endpoint: "/v1/payment_intents/*/confirm",
    exposureMicros: 29_990_000n,
    why: "timeout",
  });
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0]!)).toEqual({
    time: "1970-01-01T00:00:00.000Z",
    level: "info",
    event: "call_unresolved",
    call: "call_1",
    key: "vk_1",
    run: "ray-billing/01",
    vendor: "stripe",
    endpoint: "POST /v1/payment_intents/*/confirm",
    exposure_usd: "29.99",
    why: "timeout",
  });
});
