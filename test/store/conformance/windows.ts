import { expect, test } from "bun:test";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, sendCap, totalCap, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const MIDNIGHT = Date.UTC(2026, 0, 16);

export function windowConformance(open: OpenStore): void {
  test(
    "starts a UTC day's cap at nothing, at the first millisecond of the day",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      await store.apply([holdOf(id, 100)], NOON);
      const [late] = await store.apply([holdOf(id, 1)], MIDNIGHT - 1);
      expect(late).toMatchObject({ admitted: false, budget: { used: usd(100), resetAt: MIDNIGHT } });
      expect(await store.apply([holdOf(id, 100)], MIDNIGHT)).toMatchObject([{ admitted: true }]);
      expect(await store.apply([holdOf(id, 1)], MIDNIGHT)).toMatchObject([{ admitted: false }]);
    }),
  );

  test(
    "corrects yesterday's counter, not today's, when yesterday's hold is settled late",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const yesterday = holdOf(id, 90);
      await store.apply([yesterday], NOON);
      await store.apply([holdOf(id, 70)], NOON + DAY_MS);
      await store.apply([resolutionOf(yesterday.facts.id, "settled", 20)], NOON + DAY_MS + 1);
      const { counters } = await store.keySpend(id);
      expect(counters.map(({ used }) => used)).toEqual([usd(20), usd(70)]);
      expect(await store.apply([holdOf(id, 31)], NOON + DAY_MS)).toMatchObject([{ admitted: false }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "never resets a lifetime cap",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 100), totalCap(id, 150)];
      for (let day = 0; day < 3; day++) {
        const [decision] = await store.apply([holdOf(id, 60, { budgets })], NOON + day * DAY_MS);
        if (day < 2) expect(decision).toMatchObject({ admitted: true });
        else expect(decision).toMatchObject({ rule: "total_usd_cap", budget: { used: usd(120), resetAt: undefined } });
      }
    }),
  );

  test(
    "caps sends, keeps those that were sent and frees those that were not",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [sendCap(id, 10)];
      const [sent, unsent] = [holdOf(id, 1, { budgets, sends: 6 }), holdOf(id, 1, { budgets, sends: 4 })];
      await store.apply([sent, unsent], NOON);
      const [full] = await store.apply([holdOf(id, 0, { budgets, sends: 1 })], NOON);
      expect(full).toMatchObject({
        code: "cap_exceeded",
        rule: "daily_send_cap",
        budget: { used: 10n, unit: "sends" },
      });
      await store.apply([resolutionOf(sent.facts.id, "settled"), resolutionOf(unsent.facts.id, "released")], NOON);
      const results = await store.apply(
        [holdOf(id, 0, { budgets, sends: 5 }), holdOf(id, 0, { budgets, sends: 4 })],
        NOON,
      );
      expect(results).toMatchObject([{ admitted: false }, { admitted: true }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "does not go back to yesterday's window, nor revive an expired key, when the clock steps back",
    within(open, async ({ store, reopen }) => {
      const { id } = await issue(store);
      const brief = await issue(store, { expiresAt: MIDNIGHT });
      await store.apply([holdOf(id, 100)], MIDNIGHT + 5);
      const other = await reopen();
      for (const handle of [store, other]) {
        const results = await handle.apply([holdOf(id, 1), holdOf(brief.id, 1)], NOON);
        expect(results).toMatchObject([{ code: "cap_exceeded" }, { code: "key_expired" }]);
      }
      const { rows } = await store.queryAudit({ verdict: "key_expired" }, { limit: 1 });
      expect(rows[0]!.finishedAt).toBe(MIDNIGHT + 5);
    }),
  );

  test(
    "lets an expired key through to the last millisecond and not one longer",
    within(open, async ({ store }) => {
      const { id } = await issue(store, { expiresAt: NOON + 10 });
      expect(await store.apply([holdOf(id, 1)], NOON + 9)).toMatchObject([{ admitted: true }]);
      expect(await store.apply([holdOf(id, 1)], NOON + 10)).toMatchObject([{ code: "key_expired" }]);
    }),
  );

  test(
    "judges by the cap that is in force: lowered below what is used, it admits nothing more",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      await store.apply([holdOf(id, 80)], NOON);
      const lowered = holdOf(id, 1, { budgets: [dailyCap(id, 50)] });
      const raised = holdOf(id, 70, { budgets: [dailyCap(id, 150)] });
      expect(await store.apply([lowered, raised], NOON)).toMatchObject([{ admitted: false }, { admitted: true }]);
    }),
  );
}
