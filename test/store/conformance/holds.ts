import { expect, test } from "bun:test";
import { MICROS_MAX } from "../../../src/core/money.ts";
import type { Store } from "../../../src/store/store.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, sendCap, totalCap, usd } from "../../ledger/entries.ts";
import { issue, withoutMoney } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

/** Use of the key's daily cap, as the store counts it. */
async function used(store: Store, keyId: string): Promise<bigint> {
  const { counters } = await store.keySpend(keyId);
  return counters.find(({ name }) => name === "daily_usd_cap")?.used ?? 0n;
}

/** The last word on a call: its own row, or the one that resolved it later. */
async function rowOf(store: Store, callId: string) {
  const { rows } = await store.queryAudit({}, { limit: 500 });
  return rows.find(({ refersTo }) => refersTo === callId) ?? rows.find(({ id }) => id === callId)!;
}

/** From where a call may go where, what it leaves on a cap on which 30 were held, and what the row says. */
const LIVES = [
  { path: ["settled"], cost: [30], used: 30, state: "settled" },
  { path: ["settled"], cost: [12], used: 12, state: "settled" },
  { path: ["settled"], cost: [0], used: 0, state: "settled" },
  { path: ["settled"], cost: [250], used: 250, state: "settled" },
  { path: ["settled"], cost: [-12], used: 12, state: "settled" },
  { path: ["released"], cost: [0], used: 0, state: "released" },
  { path: ["released"], cost: [7], used: 0, state: "released" },
  { path: ["unresolved"], cost: [0], used: 30, state: "unresolved" },
  { path: ["unresolved", "settled"], cost: [0, 29], used: 29, state: "settled" },
  { path: ["unresolved", "released"], cost: [0, 0], used: 0, state: "released" },
] as const;

const SECOND_RESOLUTIONS = [
  ["settled", "settled"],
  ["settled", "released"],
  ["settled", "unresolved"],
  ["released", "settled"],
  ["released", "released"],
  ["released", "unresolved"],
  ["unresolved", "unresolved"],
] as const;

export function holdConformance(open: OpenStore): void {
  for (const { path, cost, used: wanted, state } of LIVES) {
    const [to, dollars] = [path.join(", then "), cost.at(-1)!];
    test(
      `a hold of 30 that is ${to} at ${dollars} counts ${wanted}`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const hold = holdOf(keyId, 30);
        expect(await store.apply([hold], NOON)).toMatchObject([{ admitted: true }]);
        expect(await used(store, keyId)).toBe(usd(30));
        for (const [index, step] of path.entries()) {
          const resolution = resolutionOf(hold.facts.id, step, cost[index]!);
          expect(await store.apply([resolution], NOON + 50)).toMatchObject([{ resolved: true }]);
        }
        expect(await used(store, keyId)).toBe(usd(wanted));
        const settledCost = state === "settled" ? usd(wanted) : state === "released" ? 0n : null;
        expect(await rowOf(store, hold.facts.id)).toMatchObject({ state, costMicros: settledCost });
        expect(await store.checkCounters()).toEqual([]);
      }),
    );
  }

  test(
    "keeps the row of an unresolved call as it was, and resolves it by a row of its own, once",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const hold = holdOf(keyId, 30, { facts: { customerScopeId: "cus_1", metadata: '{"a":"b"}' } });
      await store.apply([hold, resolutionOf(hold.facts.id, "unresolved")], NOON);
      const { rows: before } = await store.queryAudit({}, { limit: 5 });
      expect(await store.queryAudit({ state: "unresolved" }, { limit: 5 })).toMatchObject({ rows: before });
      const settle = resolutionOf(hold.facts.id, "settled", 12, { costSource: "manual" });
      expect(await store.apply([settle, settle], NOON + DAY_MS)).toEqual([
        { resolved: true, costMicros: usd(12) },
        { resolved: false, why: "already_resolved" },
      ]);
      const { rows } = await store.queryAudit({}, { limit: 5 });
      expect(rows).toHaveLength(2);
      expect(rows[0]).toEqual(before[0]!);
      const { id, ...facts } = hold.facts;
      expect(rows[1]).toMatchObject({ ...facts, refersTo: id, state: "settled", costSource: "manual" });
      expect(rows[1]!.id).not.toBe(id);
      expect(await store.queryAudit({ state: "unresolved" }, { limit: 5 })).toMatchObject({ rows: [] });
      const totals = { calls: 1, settledMicros: usd(12), unresolvedMicros: 0n };
      expect(await store.auditTotals({})).toMatchObject(totals);
      expect(await store.keySpend(keyId)).toMatchObject(totals);
      expect(await used(store, keyId)).toBe(usd(12));
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  for (const [first, second] of SECOND_RESOLUTIONS) {
    test(
      `refuses to make a ${first} call ${second}, and changes nothing`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const hold = holdOf(keyId, 30);
        await store.apply([hold, resolutionOf(hold.facts.id, first, 8)], NOON);
        const before = [await used(store, keyId), await rowOf(store, hold.facts.id)];
        const again = await store.apply([resolutionOf(hold.facts.id, second, 1)], NOON);
        expect(again).toEqual([{ resolved: false, why: "already_resolved" }]);
        expect([await used(store, keyId), await rowOf(store, hold.facts.id)]).toEqual(before);
      }),
    );
  }

  test(
    "refuses to resolve a call that was refused, or that nobody made",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const refused = holdOf(keyId, 101);
      const results = await store.apply(
        [refused, resolutionOf(refused.facts.id, "settled", 5), resolutionOf("call_none", "released")],
        NOON,
      );
      expect(results[1]).toEqual({ resolved: false, why: "already_resolved" });
      expect(results[2]).toEqual({ resolved: false, why: "unknown_call" });
      expect(await used(store, keyId)).toBe(0n);
    }),
  );

  test(
    "shows an overrun to every later call",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const hold = holdOf(keyId, 30);
      await store.apply([hold, resolutionOf(hold.facts.id, "settled", 99)], NOON);
      const [refused, admitted] = await store.apply([holdOf(keyId, 2), holdOf(keyId, 1)], NOON);
      expect(refused).toMatchObject({
        admitted: false,
        code: "cap_exceeded",
        budget: { used: usd(99), cap: usd(100) },
      });
      expect(admitted).toMatchObject({ admitted: true });
    }),
  );

  test(
    "writes every fact of a held call, and every fact of its end",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const facts = {
        agentRunId: "req-9",
        customerScopeId: "cus_1",
        triggeringEventId: "evt_1",
        idempotencyKeyHash: "ab".repeat(32),
        metadata: '{"agent_id":"billing_agent"}',
      };
      const hold = holdOf(keyId, 30, { facts });
      await store.apply([hold], NOON);
      const held = await rowOf(store, hold.facts.id);
      expect(held).toMatchObject({ ...hold.facts, finishedAt: null, policyVerdict: "allowed", verdictRule: hold.rule });
      expect(held).toMatchObject({ state: "held", exposureMicros: usd(30), costMicros: null, costSource: "none" });
      expect(held).toMatchObject({ capUsageAfterMicros: usd(30), httpStatus: null, latencyMs: null, flag: null });
      const end = { httpStatus: 504, flag: "timeout", vendorRequestId: null, latencyMs: 3 };
      await store.apply([resolutionOf(hold.facts.id, "unresolved", 0, end)], NOON);
      const ended = await rowOf(store, hold.facts.id);
      expect(ended).toMatchObject({ ...end, policyVerdict: "upstream_timeout", finishedAt: NOON + 40 });
      expect(ended).toMatchObject({ upstreamLatencyMs: 40.25, vendorTxnId: "pi_1", seq: held.seq });
      expect(() => JSON.stringify(withoutMoney(ended))).not.toThrow();
    }),
  );

  test(
    "writes a row for a refused call: why, what it asked for, and the use of the cap",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      await store.apply([holdOf(keyId, 70)], NOON);
      const full = holdOf(keyId, 31);
      const denied = holdOf(keyId, 1, { refusal: { code: "endpoint_denied", rule: "allowed_endpoints" } });
      await store.apply([full, denied], NOON + 5);
      expect(await rowOf(store, full.facts.id)).toMatchObject({
        state: "refused",
        policyVerdict: "cap_exceeded",
        verdictRule: "daily_usd_cap",
        exposureMicros: usd(31),
        costMicros: 0n,
        capUsageAfterMicros: usd(70),
        finishedAt: NOON + 5,
      });
      const policyVerdict = "endpoint_denied";
      expect(await rowOf(store, denied.facts.id)).toMatchObject({ policyVerdict, verdictRule: "allowed_endpoints" });
    }),
  );

  test(
    "records the use of the tightest dollar cap, when a call is held and when it is settled",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const budgets = [dailyCap(keyId, 500), totalCap(keyId, 50), sendCap(keyId, 3)];
      await store.apply([holdOf(keyId, 20, { budgets: [totalCap(keyId, 50)] })], NOON);
      const hold = holdOf(keyId, 10, { budgets, sends: 2 });
      const [decision] = await store.apply([hold], NOON);
      expect(decision).toMatchObject({ admitted: true, tightest: { name: "total_usd_cap", used: usd(30) } });
      expect((await rowOf(store, hold.facts.id)).capUsageAfterMicros).toBe(usd(30));
      await store.apply([resolutionOf(hold.facts.id, "settled", 4)], NOON);
      expect((await rowOf(store, hold.facts.id)).capUsageAfterMicros).toBe(usd(24));
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "holds, settles and sums the largest amount there is",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const budgets = [{ ...dailyCap(keyId, 0), cap: MICROS_MAX }];
      const hold = holdOf(keyId, 0, { exposureMicros: MICROS_MAX, budgets });
      const one = holdOf(keyId, 0, { exposureMicros: 1n, budgets });
      expect(await store.apply([hold, one], NOON)).toMatchObject([{ admitted: true }, { code: "cap_exceeded" }]);
      const absurd = resolutionOf(hold.facts.id, "settled", 0, { costMicros: 2n ** 70n });
      expect(await store.apply([absurd], NOON)).toEqual([{ resolved: true, costMicros: MICROS_MAX }]);
      expect(await used(store, keyId)).toBe(MICROS_MAX);
      for (let i = 0; i < 12; i++) await store.apply([holdOf(keyId, 0, { exposureMicros: MICROS_MAX, budgets })], NOON);
      expect(await store.keySpend(keyId)).toMatchObject({ settledMicros: MICROS_MAX, heldMicros: 0n, calls: 14 });
      expect(await store.auditTotals({})).toMatchObject({ calls: 14, refused: 13, settledMicros: MICROS_MAX });
    }),
  );

  test(
    "sums what a key has spent, holds and does not know, and what each cap has used",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const other = await issue(store, { id: `${keyId}0` });
      const budgets = [dailyCap(keyId, 100), sendCap(keyId, 9)];
      const holds = [10, 20, 30, 5].map((dollars) => holdOf(keyId, dollars, { budgets, sends: 2 }));
      const ends = (["settled", "unresolved", "released"] as const).map((to, index) =>
        resolutionOf(holds[index]!.facts.id, to, 8),
      );
      await store.apply([...holds, ...ends, holdOf(keyId, 90), holdOf(other.id, 7)], NOON);
      const spend = await store.keySpend(keyId);
      expect(spend).toMatchObject({ settledMicros: usd(8), heldMicros: usd(5), unresolvedMicros: usd(20), calls: 5 });
      expect(spend.counters).toEqual([
        { name: "daily_send_cap", windowStart: Date.UTC(2026, 0, 15), used: 6n },
        { name: "daily_usd_cap", windowStart: Date.UTC(2026, 0, 15), used: usd(33) },
      ]);
      const nothing = { counters: [], settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n, calls: 0, refused: 0 };
      expect(await store.keySpend("vk_none")).toEqual(nothing);
    }),
  );
}
