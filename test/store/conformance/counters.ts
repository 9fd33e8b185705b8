import { expect, test } from "bun:test";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, sendCap, totalCap, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

export function counterConformance(open: OpenStore): void {
  test(
    "makes the holds of owners without a living lease unresolved, and no other row",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 1000)];
      const by = (owner: string) => holdOf(id, 10, { owner, budgets });
      const [dead, alive, never, settled] = [by("dead"), by("alive"), by("never"), by("dead")];
      const refused = holdOf(id, 5000, { owner: "dead", budgets });
      await store.apply([dead, alive, never, settled, refused, resolutionOf(settled.facts.id, "settled", 3)], NOON);
      await store.renewLease({ owner: "dead", until: NOON + 10 });
      await store.renewLease({ owner: "alive", until: NOON + 10 });
      await store.renewLease({ owner: "alive", until: NOON + 900 });
      expect(await store.sweepAbandonedHolds(NOON + 10)).toBe(2);
      expect(await store.sweepAbandonedHolds(NOON + 10)).toBe(0);
      const { rows } = await store.queryAudit({}, { limit: 10 });
      expect(rows.map(({ state }) => state)).toEqual(["unresolved", "held", "unresolved", "settled", "refused"]);
      expect(rows[0]).toMatchObject({ flag: "owner_gone", finishedAt: NOON + 10, costMicros: null });
      expect((await store.keySpend(id)).counters[0]!.used).toBe(usd(33));
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "lets an owner that was only slow settle a hold that was swept",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const hold = holdOf(id, 10);
      await store.apply([hold], NOON);
      await store.sweepAbandonedHolds(NOON);
      const late = resolutionOf(hold.facts.id, "settled", 4);
      expect(await store.apply([late], NOON + 1)).toEqual([{ resolved: true, costMicros: usd(4) }]);
      expect((await store.keySpend(id)).counters[0]!.used).toBe(usd(4));
    }),
  );

  test(
    "proves a write without giving anybody a lease",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      await store.apply([holdOf(id, 10, { owner: "probe" })], NOON);
      await store.probeWrite(NOON);
      await store.probeWrite(NOON + 1);
      expect(await store.sweepAbandonedHolds(NOON + 1)).toBe(1);
    }),
  );

  test(
    "recomputes every counter from the rows, in every state, unit and window",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 900), totalCap(id, 900), sendCap(id, 90)];
      for (const day of [0, 1]) {
        const holds = Array.from({ length: 5 }, (_, index) => holdOf(id, 10 + index, { budgets, sends: index }));
        const [settled, released, unresolved, overrun] = holds.map((hold) => hold.facts.id);
        const ends = [
          resolutionOf(settled!, "settled", 3),
          resolutionOf(released!, "released"),
          resolutionOf(unresolved!, "unresolved"),
          resolutionOf(overrun!, "settled", 70),
        ];
        await store.apply([...holds, ...ends, holdOf(id, 5000, { budgets })], NOON + day * DAY_MS);
      }
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "finds a counter that is wrong, one that is missing and one that no row explains",
    within(open, async ({ store, tamper }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 100), totalCap(id, 100), sendCap(id, 9)];
      await store.apply([holdOf(id, 10, { budgets, sends: 2 })], NOON);
      const start = Date.UTC(2026, 0, 15);
      await tamper(`UPDATE counters SET used = used + 1 WHERE budget_id = 'key:${id}:daily_usd_cap'`);
      await tamper(`DELETE FROM counters WHERE budget_id = 'key:${id}:daily_send_cap'`);
      await tamper("INSERT INTO counters (budget_id, window_start, used) VALUES ('key:ghost:daily_usd_cap', 0, 7)");
      const found = await store.checkCounters();
      expect([...found].sort((a, b) => (a.budgetId < b.budgetId ? -1 : 1))).toEqual(
        [
          { budgetId: `key:${id}:daily_send_cap`, windowStart: start, counter: 0n, rows: 2n },
          { budgetId: `key:${id}:daily_usd_cap`, windowStart: start, counter: usd(10) + 1n, rows: usd(10) },
          { budgetId: "key:ghost:daily_usd_cap", windowStart: 0, counter: 7n, rows: 0n },
        ].sort((a, b) => (a.budgetId < b.budgetId ? -1 : 1)),
      );
    }),
  );

  test(
    "describes itself in words and numbers that fit JSON",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      await store.apply([holdOf(id, 1)], NOON);
      const figures = await store.describe();
      expect(figures).toMatchObject({ keys: 1, calls: 1, unknown_key_calls: 0 });
      expect(() => JSON.stringify(figures)).not.toThrow();
      expect(store.kind).toMatch(/^[a-z]+$/);
    }),
  );
}
