import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { AuditUpkeep } from "../../src/operate/audit-upkeep.ts";
import { recordHistory } from "../audit/chain-history.ts";
import { Random } from "../audit/random.ts";
import { holdOf, resolutionOf } from "../ledger/entries.ts";
import { perMinute, rollingCap } from "../store/conformance/rolling-windows.ts";
import { type Installed, install, problemOf, START_MS } from "./installed.ts";
import { recordCall } from "./record-call.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

let installed: Installed;
/** Calls that stay unresolved. */
let unresolved: readonly string[];

/** Two days of calls, and the clock at the third. */
beforeEach(async () => {
  installed = await install();
  const random = new Random(4);
  unresolved = await recordHistory(installed.store, { calls: 150, random, from: START_MS, stepMs: (2 * DAY_MS) / 150 });
  installed.clock.nowMs = START_MS + 3 * DAY_MS + 3_600_000;
});
afterEach(() => installed.close());

const verify = () => installed.control.verifyAudit();
const prune = (days: number, dryRun = false) => installed.control.pruneAudit({ olderThanMs: days * DAY_MS, dryRun });

describe("retention", () => {
  test("removes what is older, and the chain, its sum and every counter still check out", async () => {
    const before = await verify();
    expect(before).toMatchObject({ ok: true, finding: null, pruned_rows: 0 });
    const pruned = await prune(2);
    expect(pruned.rows).toBeGreaterThan(30);
    const after = await verify();
    expect(after).toMatchObject({ ok: true, finding: null, pruned_rows: pruned.rows });
    expect([after.count, after.sum_usd, after.head]).toEqual([before.count, before.sum_usd, before.head]);
    expect(after.rows).toBe(before.rows - pruned.rows);
    expect(await installed.store.checkCounters()).toEqual([]);
    const page = await installed.control.queryAudit({}, { limit: 1_000 });
    const left = page.rows.filter(({ id }) => !unresolved.includes(id));
    expect(left.every(({ finished_at }) => Date.parse(String(finished_at)) >= Date.parse(pruned.before))).toBe(true);
  });

  test("keeps unresolved calls until they are resolved, and the rows around them go", async () => {
    expect(unresolved.length).toBeGreaterThan(0);
    const { rows, kept_unresolved } = await prune(1);
    expect(kept_unresolved).toBe(unresolved.length);
    const page = await installed.control.queryAudit({}, { limit: 1_000 });
    expect(page.rows.map(({ id }) => id).sort()).toEqual([...unresolved].sort());
    expect(await verify()).toMatchObject({ ok: true, pruned_rows: rows, rows: unresolved.length });
    const { nowMs } = installed.clock;
    for (const id of unresolved) {
      await installed.store.apply([resolutionOf(id, "settled", 3, { finishedAt: nowMs })], nowMs);
    }
    expect(await installed.store.checkCounters()).toEqual([]);
    expect((await prune(1)).rows).toBe(unresolved.length);
    expect(await verify()).toMatchObject({ ok: true, rows: unresolved.length });
    expect(await installed.store.checkCounters()).toEqual([]);
  });

  test("takes nothing from where a batch of calls may still be in flight", async () => {
    const { store, clock } = installed;
    const [key] = await store.listKeys({ limit: 1 });
    clock.nowMs = START_MS + 30 * DAY_MS;
    await recordCall(installed, { keyId: key!.id, exposureUsd: "1" });
    await recordCall(installed, { keyId: key!.id, exposureUsd: "1", end: { to: "settled" } });
    clock.nowMs += 30 * DAY_MS;
    await prune(1);
    const page = await installed.control.queryAudit({}, { limit: 1_000 });
    const kept = page.rows.filter(({ id }) => !unresolved.includes(id));
    expect(kept.map(({ state }) => state)).toEqual(["held", "settled"]);
    expect(await store.checkCounters()).toEqual([]);
  });

  test("leaves rolling budgets as they are, also when what they counted has aged since", async () => {
    const { store, clock } = installed;
    const [key] = await store.listKeys({ limit: 1 });
    const from = clock.nowMs;
    const take = async (at: number, to: "settled" | "released") => {
      const hold = holdOf(key!.id, 10, { budgets: [rollingCap(key!.id, 500), perMinute(key!.id, 100)] });
      await store.apply([hold], at);
      await store.apply([resolutionOf(hold.facts.id, to, 4, { finishedAt: at })], at);
    };
    for (let i = 0; i < 20; i++) await take(from + i * HOUR_MS * 2, i % 4 === 0 ? "released" : "settled");
    for (let i = 0; i < 3; i++) await take(from + 38 * HOUR_MS + i, "released");
    // No call comes for two days: by the ledger's own clock the last 24 hours still count when their rows are removed.
    clock.nowMs = from + 38 * HOUR_MS + 2 * DAY_MS;
    expect((await prune(1)).rows).toBeGreaterThan(20);
    expect(await store.checkCounters()).toEqual([]);
    await take(clock.nowMs, "settled");
    expect(await store.checkCounters()).toEqual([]);
  });

  test("says beforehand what it would remove, and removes nothing then", async () => {
    const said = await prune(2, true);
    expect(await verify()).toMatchObject({ pruned_rows: 0 });
    expect(await prune(2)).toEqual({ ...said, dry_run: false });
    expect(await prune(2)).toMatchObject({ rows: 0 });
  });

  test("removes nothing from where the chain is broken on, and never less than a day old", async () => {
    const [row] = (await installed.store.chainRows(0n, 20)).filter(({ chainSeq }) => chainSeq === 5);
    const changed = { ...row!, hash: new Uint8Array(32) };
    expect(await installed.store.pruneAudit([changed], 10, 0)).toBe(false);
    const original = installed.store.chainRows;
    Object.assign(installed.store, {
      chainRows: async (place: bigint, limit: number) =>
        (await original(place, limit)).map((each) => (each.chainSeq === 5 ? changed : each)),
    });
    expect((await problemOf(() => prune(1))).message).toContain("position 5");
    expect((await problemOf(() => prune(0.5))).code).toBe("invalid");
    expect(await installed.store.auditSegments()).toEqual([]);
  });

  test("of retention_days is applied by the server once a day", async () => {
    const logged: string[] = [];
    const { store, clock, chainKey, config } = installed;
    const upkeep = new AuditUpkeep({
      store,
      clock,
      chainKey,
      config: { ...config, retentionDays: 2 },
      log: { info: (event) => logged.push(event), error: (event) => logged.push(event) },
    });
    await upkeep.prune();
    const { pruned_rows } = await verify();
    expect(pruned_rows).toBeGreaterThan(30);
    clock.nowMs += DAY_MS / 2;
    await upkeep.prune();
    expect((await verify()).pruned_rows).toBe(pruned_rows);
    clock.nowMs += DAY_MS / 2;
    await upkeep.prune();
    expect((await verify()).pruned_rows).toBeGreaterThan(pruned_rows);
    expect(logged).toEqual(["audit_pruned", "audit_pruned"]);
  });
});
