import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { addUpBeforeReport, SpendUpkeep } from "../../src/operate/spend-upkeep.ts";
import type { SpendRequest } from "../../src/operate/spend-verbs.ts";
import type { SpendProgress } from "../../src/store/spend.ts";
import { ADMIN, type Installed, install, issuer, problemOf, START_MS } from "./installed.ts";
import { endCall, recordCall } from "./record-call.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let installed: Installed;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

async function keyOf(label: string): Promise<string> {
  const policy = { vendor: "stripe", allowed_endpoints: ["POST /v1/payment_intents"] };
  return (await installed.control.issueKey({ policy, agent_run_label: label, expires_in: "90d" }, ADMIN)).id;
}

function call(keyId: string, costUsd: string) {
  return recordCall(installed, { keyId, exposureUsd: costUsd, end: { to: "settled", costUsd } });
}

const ask = (request: SpendRequest) => installed.control.spend(request, ADMIN);
const at = (ms: number) => {
  installed.clock.nowMs = START_MS + ms;
};

describe("a report", () => {
  test("of an empty store has no rows, no shares and no projection out of nothing", async () => {
    expect(await ask({ project: true, anomalies: true })).toMatchObject({
      by: "run",
      rows: [],
      total: { calls: 0, total_usd: "0.00" },
      groups: 0,
      truncated: false,
      projection: { spent_usd: "0.00", projected_month_usd: "0.00" },
      anomalies: [],
    });
  });

  test("counts a call as what is known of it: in flight, of unknown outcome, resolved later", async () => {
    const keyId = await keyOf("a/1");
    const id = await recordCall(installed, { keyId, exposureUsd: "4" });
    const rows = async () => (await ask({})).rows;
    expect(await rows()).toMatchObject([{ calls: 1, held_usd: "4.00", total_usd: "4.00" }]);
    await endCall(installed, id, "unresolved");
    expect(await rows()).toMatchObject([{ calls: 1, held_usd: "0.00", unresolved_usd: "4.00", total_usd: "4.00" }]);
    await installed.store.addUpSpend(10);
    await endCall(installed, id, "settled", "1.50");
    expect(await rows()).toMatchObject([{ calls: 1, unresolved_usd: "0.00", settled_usd: "1.50", total_usd: "1.50" }]);
    await installed.store.addUpSpend(10);
    expect(await rows()).toMatchObject([{ calls: 1, unresolved_usd: "0.00", settled_usd: "1.50", share: 1 }]);
  });

  test("by a part of the label has null for labels that are shorter, and for calls without one", async () => {
    for (const label of ["tenant:acme:billing:run-1", "ray/01", "plain"]) await call(await keyOf(label), "1");
    const names = async (by: string) => (await ask({ by })).rows.map((row) => row[by]);
    expect(await names("label:2")).toEqual(["01", "acme", null]);
    expect(await names("label:4")).toEqual([null, "run-1"]);
  });

  test("by day and hour goes by time in UTC, and keeps the newest where it is cut", async () => {
    const keyId = await keyOf("a/1");
    for (const hour of [1, 23, 25, 49]) {
      at(hour * HOUR_MS);
      await call(keyId, "1");
    }
    expect((await ask({ by: "day" })).rows.map(({ day, calls }) => [day, calls])).toEqual([
      ["2026-01-01", 2],
      ["2026-01-02", 1],
      ["2026-01-03", 1],
    ]);
    const cut = await ask({ by: "hour", limit: 2 });
    expect(cut.rows.map(({ hour }) => hour)).toEqual(["2026-01-02T01:00:00.000Z", "2026-01-03T01:00:00.000Z"]);
    expect(cut).toMatchObject({ truncated: true, groups: 4, total: { calls: 4 } });
  });

  test("shows an issuer its own keys alone", async () => {
    await call(await keyOf("of-admin"), "5");
    const report = await installed.control.spend({}, issuer());
    expect(report).toMatchObject({ rows: [], total: { calls: 0 } });
  });

  for (const [request, message] of [
    [{ by: "tenant" }, /by cannot be "tenant"; it is one of run, agent/],
    [{ by: "label" }, /label takes the number of a part/],
    [{ limit: 0 }, /limit must be 1 to 10000, not 0/],
    [{ since: START_MS, until: START_MS }, /nothing lies between them/],
  ] as const) {
    test(`refuses ${JSON.stringify(request)}`, async () => {
      const { code, message: said } = await problemOf(() => ask(request));
      expect(code).toBe("invalid");
      expect(said).toMatch(message);
    });
  }
});

describe("a projected month", () => {
  test("is 30 times the mean day of the last seven, for the total and for each row", async () => {
    const [a, b] = [await keyOf("a/1"), await keyOf("b/1")];
    await call(b, "100");
    at(10 * DAY_MS);
    await call(a, "7");
    at(12 * DAY_MS);
    const { rows, projection } = await ask({ since: START_MS, project: true });
    expect(projection).toMatchObject({
      days: 7,
      spent_usd: "7.00",
      daily_mean_usd: "1.00",
      projected_month_usd: "30.00",
    });
    expect(rows).toMatchObject([
      { run: "b/1", total_usd: "100.00", projected_month_usd: "0.00" },
      { run: "a/1", projected_month_usd: "30.00" },
    ]);
  });

  test("rests on the time since the first call where that is younger, and says so", async () => {
    at(10 * DAY_MS);
    await call(await keyOf("a/1"), "6");
    at(12 * DAY_MS);
    expect((await ask({ project: true })).projection).toMatchObject({ days: 2, projected_month_usd: "90.00" });
  });
});

describe("anomalies", () => {
  test("are the hours far above the mean, with the runs that made them; not before a week is known", async () => {
    const [quiet, wild] = [await keyOf("quiet/1"), await keyOf("wild/1")];
    await call(quiet, "1");
    at(DAY_MS);
    await call(wild, "50");
    expect((await ask({ anomalies: true })).anomalies).toEqual([]);
    at(9 * DAY_MS + 60_000);
    await call(wild, "20");
    await call(quiet, "1");
    expect((await ask({ anomalies: true })).anomalies).toMatchObject([
      {
        hour: "2026-01-10T00:00:00.000Z",
        spent_usd: "21.00",
        runs: [
          { run: "wild/1", total_usd: "20.00" },
          { run: "quiet/1", total_usd: "1.00" },
        ],
      },
    ]);
  });
});

describe("adding up", () => {
  /** A store with so many rows that nobody has added up, of which each step takes at most so many. */
  function rowsLeft(left: number) {
    const steps: number[] = [];
    let done = 0;
    const progress = (): SpendProgress => ({ done, left });
    return {
      steps,
      spendProgress: async () => progress(),
      addUpSpend: async (rowsMax: number) => {
        const count = Math.min(left, rowsMax);
        steps.push(count);
        [done, left] = [done + count, left - count];
        return progress();
      },
    };
  }

  test("before a report is left to the report itself where little is missing, and shown where much is", async () => {
    const few = rowsLeft(20_000);
    await addUpBeforeReport(few, installed.clock, {});
    expect(few.steps).toEqual([]);
    const many = rowsLeft(20_001);
    const told: [number, number][] = [];
    await addUpBeforeReport(many, installed.clock, { onProgress: (done, of) => told.push([done, of]) });
    expect(many.steps.reduce((sum, count) => sum + count)).toBe(20_001);
    expect(told.at(0)).toEqual([2_000, 20_001]);
    expect(told.at(-1)).toEqual([20_001, 20_001]);
  });

  test("does not keep a client waiting for longer than it is ready to", async () => {
    const store = rowsLeft(1_000_000);
    const slow = {
      ...store,
      addUpSpend: (rowsMax: number) => {
        installed.clock.nowMs += 3_000;
        return store.addUpSpend(rowsMax);
      },
    };
    // The clock stands still but for the steps, so that no pause is waited for.
    const clock = { elapsed: () => Math.floor(installed.clock.nowMs / 6_000) * 6_000 };
    const { code, message } = await problemOf(() => addUpBeforeReport(slow, clock, { patienceMs: 5_000 }));
    expect([code, message]).toEqual(["unavailable", expect.stringContaining("of 1000000 are")]);
  });

  test("of a server goes on until nothing is left, and a store that fails stops nothing and is logged once", async () => {
    const store = rowsLeft(1_200);
    const upkeep = new SpendUpkeep({ store, clock: installed.clock, log: NO_LOG });
    await Promise.all([upkeep.round(), upkeep.round()]);
    expect(store.steps).toEqual([500, 500, 200]);
    const logged: string[] = [];
    const log = { ...NO_LOG, error: (event: string) => void logged.push(event) };
    const broken = { ...store, addUpSpend: () => Promise.reject(new Error("disk I/O error")) };
    const failing = new SpendUpkeep({ store: broken, clock: installed.clock, log });
    await failing.round();
    await failing.round();
    expect(logged).toEqual(["spend_sums_failed"]);
  });
});

const NO_LOG = { info: () => {}, error: () => {} };
