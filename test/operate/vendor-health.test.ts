import { afterEach, beforeEach, expect, test } from "bun:test";
import { healthView } from "../../src/operate/vendor-health.ts";
import { ADMIN, type Installed, install, START_MS } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;

beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

test("a vendor's health is told from its newest calls, and a vendor that nobody calls has none", async () => {
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"] };
  const { id } = await installed.control.issueKey({ policy, expires_in: "2h" }, ADMIN);
  await recordCall(installed, { keyId: id, exposureUsd: "5", end: { to: "settled", costUsd: "5" } });
  const [stripe, twilio] = await installed.control.listVendors();
  expect(stripe!.health).toEqual({
    calls: 1,
    failed: 0,
    last_success_at: new Date(START_MS).toISOString(),
    last_failure_at: null,
    last_failure: null,
  });
  expect(twilio!.health.calls).toBe(0);
});

test.each([
  ["upstream_timeout", null, "upstream_timeout"],
  ["allowed", 503, "http_503"],
  ["allowed", 401, "http_401"],
] as const)("a call with verdict %s and status %p failed as %s", (lastVerdict, lastHttpStatus, told) => {
  const bad = { calls: 2, lastAt: START_MS, lastVerdict, lastHttpStatus };
  expect(healthView({ good: undefined, bad })).toMatchObject({ calls: 2, failed: 2, last_failure: told });
});
