import { afterEach, beforeEach, expect, test } from "bun:test";
import { callUnresolved, sweptCalls } from "../../src/operate/unresolved-events.ts";
import { ADMIN, type Installed, install } from "./installed.ts";
import { recordCall } from "./record-call.ts";

let installed: Installed;
let keyId: string;

beforeEach(async () => {
  installed = await install();
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"], daily_usd_cap: 100 };
  keyId = (await installed.control.issueKey({ agent_run_label: "run/1", expires_in: "1h", policy }, ADMIN)).id;
});
afterEach(() => installed.close());

test("tells of the calls that this sweep made unresolved, and of no others", async () => {
  const { store, clock } = installed;
  await recordCall(installed, { keyId, exposureUsd: "1", end: { to: "unresolved" } });
  const earlier = await recordCall(installed, { keyId, exposureUsd: "2" });
  expect(await store.sweepAbandonedHolds(clock.nowMs)).toBe(1);
  const firstSweep = clock.nowMs;
  clock.nowMs += 5_000;
  const later = [
    await recordCall(installed, { keyId, exposureUsd: "3" }),
    await recordCall(installed, { keyId, exposureUsd: "4" }),
  ];
  const count = await store.sweepAbandonedHolds(clock.nowMs);
  const events = await sweptCalls(store, clock.nowMs, count);
  expect(events.map(({ callId }) => callId)).toEqual(later.toReversed());
  expect(events[0]).toEqual({
    type: "call.unresolved",
    at: clock.nowMs,
    callId: later[1]!,
    vaultKeyId: keyId,
    runLabel: "run/1",
    vendor: "stripe",
    method: "POST",
    endpoint: "/v1/payment_intents",
    exposureMicros: 4_000_000n,
    why: "owner_gone",
  });
  expect((await sweptCalls(store, firstSweep, 1)).map(({ callId }) => callId)).toEqual([earlier]);
  expect(await sweptCalls(store, clock.nowMs + 1, 0)).toEqual([]);
});

test("says of a call what its row says, and not the request's own run id or path", async () => {
  const id = await recordCall(installed, { keyId, exposureUsd: "3", facts: { agentRunId: "own", path: "/v1/x/pi_1" } });
  const { rows } = await installed.store.queryAudit({}, { limit: 1 });
  const text = Object.values(callUnresolved(rows[0]!, 3_000_000n, null, 7)).join(" ");
  expect(text).toContain(id);
  expect(text).not.toContain("own");
  expect(text).not.toContain("pi_1");
});
