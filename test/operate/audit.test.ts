import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { AuditFollower } from "../../src/operate/follow-audit.ts";
import { ADMIN, type Installed, install, problemOf } from "./installed.ts";
import { endCall, recordCall } from "./record-call.ts";

let installed: Installed;
let keyId: string;

beforeEach(async () => {
  installed = await install();
  const policy = { vendor: "stripe", daily_usd_cap: 500 };
  keyId = (await installed.control.issueKey({ policy, expires_in: "2h", agent_run_label: "run" }, ADMIN)).id;
});
afterEach(() => installed.close());

async function record(count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let i = 0; i < count; i++) ids.push(await recordCall(installed, { keyId }));
  return ids;
}

describe("pages", () => {
  test("are newest last, and go back and forth by cursors without a gap or a repeat", async () => {
    const ids = await record(5);
    const newest = await installed.control.queryAudit({}, { limit: 2 });
    expect(newest.rows.map(({ id }) => id)).toEqual(ids.slice(3));
    const before = await installed.control.queryAudit({}, { limit: 2, before: newest.older_cursor! });
    expect(before.rows.map(({ id }) => id)).toEqual(ids.slice(1, 3));
    const oldest = await installed.control.queryAudit({}, { limit: 2, before: before.older_cursor! });
    expect(oldest.rows.map(({ id }) => id)).toEqual(ids.slice(0, 1));
    expect(oldest.older_cursor).toBeNull();
    const forth = await installed.control.queryAudit({}, { limit: 10, after: oldest.newer_cursor! });
    expect(forth.rows.map(({ id }) => id)).toEqual(ids.slice(1));
  });

  test("begin with nothing and go on with what comes", async () => {
    const nothing = await installed.control.queryAudit({}, { limit: 10 });
    expect(nothing).toEqual({ rows: [], older_cursor: null, newer_cursor: "0" });
    const [id] = await record(1);
    const come = await installed.control.queryAudit({}, { limit: 10, after: nothing.newer_cursor! });
    expect(come.rows.map((row) => row.id)).toEqual([id!]);
    const none = await installed.control.queryAudit({}, { limit: 10, after: come.newer_cursor! });
    expect(none).toEqual({ rows: [], older_cursor: null, newer_cursor: come.newer_cursor });
  });

  test("refuse a limit or cursor that is none", async () => {
    const wrong = [
      { limit: 0 },
      { limit: 10_001 },
      { limit: 1.5 },
      { limit: 1, before: "-1" },
      { limit: 1, after: "ZZ" },
      { limit: 1, after: "zzzzzzzzzzzz" },
      { limit: 1, before: "1", after: "1" },
    ];
    for (const page of wrong) {
      expect((await problemOf(() => installed.control.queryAudit({}, page))).code).toBe("invalid");
    }
  });
});

test("totals are exact decimal dollars by state", async () => {
  await recordCall(installed, { keyId, exposureUsd: "30", end: { to: "settled", costUsd: "0.0009" } });
  await recordCall(installed, { keyId, exposureUsd: "10", end: { to: "unresolved" } });
  await recordCall(installed, { keyId, exposureUsd: "5" });
  await recordCall(installed, { keyId, exposureUsd: "7", refusal: "endpoint_denied" });
  expect(await installed.control.auditTotals({ run: "run" })).toEqual({
    calls: 4,
    refused: 1,
    settled_usd: "0.0009",
    held_usd: "5.00",
    unresolved_usd: "10.00",
  });
});

describe("following", () => {
  test("gives what comes, once, and not what was there before", async () => {
    await record(2);
    const follower = await AuditFollower.fromNow(installed.store, {});
    expect(await follower.poll()).toEqual([]);
    const id = await recordCall(installed, { keyId, refusal: "endpoint_denied" });
    expect((await follower.poll()).map((row) => row.id)).toEqual([id]);
    expect(await follower.poll()).toEqual([]);
  });

  test("gives a call in flight, and once more when its end is known", async () => {
    const follower = await AuditFollower.fromNow(installed.store, { run: "run" });
    const id = await recordCall(installed, { keyId, exposureUsd: "30" });
    expect(await follower.poll()).toMatchObject([{ id, state: "held", cost_usd: null }]);
    expect(await follower.poll()).toEqual([]);
    await endCall(installed, id, "settled", "29.99");
    expect(await follower.poll()).toMatchObject([{ id, state: "settled", cost_usd: "29.99" }]);
    expect(await follower.poll()).toEqual([]);
  });

  test("gives the end of a call that the filter let in only while it was held", async () => {
    const follower = await AuditFollower.fromNow(installed.store, { state: "held" });
    const id = await recordCall(installed, { keyId, exposureUsd: "30" });
    expect(await follower.poll()).toMatchObject([{ id, state: "held" }]);
    await endCall(installed, id, "settled", "1");
    await record(1);
    const [ended, next] = await follower.poll();
    expect(ended).toMatchObject({ id, state: "settled" });
    expect(next).toMatchObject({ state: "held" });
  });
});
