import { expect, test } from "bun:test";
import type { CapWindow } from "../../../src/core/window.ts";
import { type Budget, windowedId } from "../../../src/ledger/budget.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

function limit(keyId: string, name: string, unit: Budget["unit"], cap: bigint, window: CapWindow): Budget {
  return { id: windowedId(`key:${keyId}:${name}`, window), name, unit, cap, window };
}

/** A cap of so many dollars within any 24 hours. */
export function rollingCap(keyId: string, dollars: number): Budget {
  return limit(keyId, "daily_usd_cap", "usd", usd(dollars), "rolling_24h");
}

export function perMinute(keyId: string, requests: number): Budget {
  return limit(keyId, "requests_per_minute", "requests", BigInt(requests), "rolling_minute");
}

export function writesCap(keyId: string, writes: number): Budget {
  return limit(keyId, "max_write_operations", "writes", BigInt(writes), "lifetime");
}

export function rollingWindowConformance(open: OpenStore): void {
  test(
    "counts a hold on a rolling cap for 24 hours to the millisecond, also across midnight, and says when enough is free",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [rollingCap(id, 100)];
      await store.apply([holdOf(id, 30, { budgets })], NOON);
      await store.apply([holdOf(id, 30, { budgets }), holdOf(id, 40, { budgets })], NOON + 7);
      const at = NOON + DAY_MS;
      for (const [dollars, time, resetAt] of [
        [1, at - 1, at],
        [30, at - 1, at],
        [31, at - 1, at + 7],
        [31, at, at + 7],
        [100, at, at + 7],
        [101, at, undefined],
      ] as const) {
        const [refused] = await store.apply([holdOf(id, dollars, { budgets })], time);
        expect(refused).toMatchObject({ code: "cap_exceeded", rule: "daily_usd_cap", budget: { resetAt } });
      }
      expect(await store.apply([holdOf(id, 30, { budgets })], at)).toMatchObject([{ admitted: true }]);
      expect(await store.apply([holdOf(id, 71, { budgets })], at + 7)).toMatchObject([{ admitted: false }]);
      expect(await store.apply([holdOf(id, 70, { budgets })], at + 7)).toMatchObject([{ admitted: true }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "corrects what a hold has taken where it was taken, and nothing once that counts no more",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [rollingCap(id, 100)];
      const [early, late, dear] = [40, 40, 20].map((dollars) => holdOf(id, dollars, { budgets }));
      await store.apply([early!], NOON);
      await store.apply([late!], NOON + 10);
      await store.apply([dear!], NOON + 20);
      await store.apply([resolutionOf(dear!.facts.id, "settled", 25)], NOON + 30);
      const used = async (now: number) => (await store.keySpend(id, now)).counters.map((counter) => counter.used);
      expect(await used(NOON + 30)).toEqual([usd(105)]);
      await store.apply([resolutionOf(late!.facts.id, "released")], NOON + DAY_MS - 1);
      expect(await used(NOON + DAY_MS - 1)).toEqual([usd(65)]);
      await store.apply([resolutionOf(early!.facts.id, "settled", 1)], NOON + DAY_MS);
      expect(await used(NOON + DAY_MS)).toEqual([usd(25)]);
      expect(await store.checkCounters()).toEqual([]);
      expect(await used(NOON + DAY_MS + 20)).toEqual([0n]);
    }),
  );

  test(
    "counts what a call has cost that was to cost nothing, from when it was held",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [rollingCap(id, 100)];
      const free = holdOf(id, 0, { budgets });
      await store.apply([free], NOON);
      await store.apply([resolutionOf(free.facts.id, "settled", 30)], NOON + 50);
      await store.apply([holdOf(id, 70, { budgets })], NOON + 60);
      for (const [time, isAdmitted] of [
        [NOON + DAY_MS - 1, false],
        [NOON + DAY_MS, true],
      ] as const) {
        expect(await store.apply([holdOf(id, 1, { budgets })], time)).toMatchObject([{ admitted: isAdmitted }]);
        expect(await store.checkCounters()).toEqual([]);
      }
    }),
  );

  test(
    "settles a call that was held in the same batch, and one that was unresolved until after its window",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [rollingCap(id, 100)];
      const [quick, lost] = [holdOf(id, 60, { budgets }), holdOf(id, 40, { budgets })];
      await store.apply([quick, lost, resolutionOf(quick.facts.id, "settled", 50)], NOON);
      await store.apply([resolutionOf(lost.facts.id, "unresolved")], NOON);
      expect(await store.apply([holdOf(id, 11, { budgets })], NOON + 1)).toMatchObject([{ admitted: false }]);
      await store.apply([resolutionOf(lost.facts.id, "released")], NOON + 2 * DAY_MS);
      expect(await store.apply([holdOf(id, 100, { budgets })], NOON + 2 * DAY_MS)).toMatchObject([{ admitted: true }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "does not give back a rolling cap when the clock steps back, nor take it twice",
    within(open, async ({ store, reopen }) => {
      const { id } = await issue(store);
      const budgets = [rollingCap(id, 100)];
      await store.apply([holdOf(id, 100, { budgets })], NOON + 5);
      const other = await reopen();
      for (const handle of [store, other]) {
        const [refused] = await handle.apply([holdOf(id, 1, { budgets })], NOON - DAY_MS);
        expect(refused).toMatchObject({ code: "cap_exceeded", budget: { resetAt: NOON + 5 + DAY_MS } });
      }
      expect(await other.apply([holdOf(id, 100, { budgets })], NOON + 5 + DAY_MS)).toMatchObject([{ admitted: true }]);
      // A clock that runs a day ahead and comes back: the ledger's has gone on, and stays there.
      expect(await store.apply([holdOf(id, 1, { budgets })], NOON + 5)).toMatchObject([{ admitted: false }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "admits so many requests in any minute, reads and released ones too, and says after how long the next one may come",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [perMinute(id, 3), dailyCap(id, 100)];
      const read = (facts = {}) => holdOf(id, 0, { budgets, facts: { method: "GET", ...facts } });
      const [first] = [read()];
      await store.apply([first], NOON);
      await store.apply([resolutionOf(first.facts.id, "released")], NOON + 1);
      await store.apply([read(), read()], NOON + 20_000);
      const [refused, dear] = await store.apply([read(), holdOf(id, 101, { budgets })], NOON + 59_000);
      expect(refused).toMatchObject({ code: "rate_exceeded", rule: "requests_per_minute", budget: { used: 3n } });
      expect(refused).toMatchObject({ budget: { retryAfterMs: 1_000, resetAt: NOON + 60_000 } });
      // The rate answers before the cap.
      expect(dear).toMatchObject({ code: "rate_exceeded" });
      // Refused calls are no requests: else an agent that asks on would never get through.
      expect(await store.apply([read(), read()], NOON + 60_000)).toMatchObject([
        { admitted: true },
        { code: "rate_exceeded", budget: { retryAfterMs: 20_000 } },
      ]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "knows of the calls of the same batch: how many there are, what is given back in it, and when there is room",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [perMinute(id, 3), rollingCap(id, 100)];
      const first = holdOf(id, 60, { budgets });
      await store.apply([first], NOON);
      const results = await store.apply(
        [
          resolutionOf(first.facts.id, "settled", 10),
          ...[80, 11, 80, 10, 1].map((dollars) => holdOf(id, dollars, { budgets })),
        ],
        NOON + 9,
      );
      expect(results.slice(1)).toMatchObject([
        { admitted: true },
        { code: "cap_exceeded", budget: { used: usd(90), resetAt: NOON + DAY_MS } },
        { code: "cap_exceeded", budget: { used: usd(90), resetAt: NOON + 9 + DAY_MS } },
        { admitted: true },
        { code: "rate_exceeded", budget: { used: 3n, retryAfterMs: 60_000 - 9 } },
      ]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "lets nothing through a rate of 0, and has no time after which it would",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const [refused] = await store.apply([holdOf(id, 0, { budgets: [perMinute(id, 0)] })], NOON);
      expect(refused).toMatchObject({ code: "rate_exceeded", budget: { resetAt: undefined } });
      expect(refused).not.toHaveProperty("budget.retryAfterMs");
    }),
  );

  test(
    "caps writes over the key's life: reads pass, a released write is given back, a settled one is not",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [writesCap(id, 2)];
      const [kept, unsent] = [holdOf(id, 1, { budgets }), holdOf(id, 1, { budgets })];
      const read = () => holdOf(id, 0, { budgets, facts: { method: "GET" } });
      await store.apply([read(), kept, unsent], NOON);
      const [full, reading] = await store.apply([holdOf(id, 0, { budgets }), read()], NOON + 9 * DAY_MS);
      expect(full).toMatchObject({
        code: "cap_exceeded",
        rule: "max_write_operations",
        budget: { resetAt: undefined },
      });
      expect(reading).toMatchObject({ admitted: true });
      const ends = [resolutionOf(kept.facts.id, "settled", 0), resolutionOf(unsent.facts.id, "released")];
      await store.apply(ends, NOON + 9 * DAY_MS);
      const again = await store.apply([holdOf(id, 0, { budgets }), holdOf(id, 0, { budgets })], NOON + 9 * DAY_MS);
      expect(again).toMatchObject([{ admitted: true }, { admitted: false }]);
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "forgets in slices what has aged, and tells of a total or an entry that is not what its calls say",
    within(open, async ({ store, tamper }) => {
      const { id } = await issue(store);
      const budgets = [perMinute(id, 1_000), rollingCap(id, 1_000)];
      for (let i = 0; i < 300; i++) await store.apply([holdOf(id, 1, { budgets })], NOON + i);
      expect(await store.purgeRecordedCalls(NOON + 50)).toBe(0);
      expect(await store.purgeRecordedCalls(NOON + 61_000)).toBe(250);
      expect(await store.purgeRecordedCalls(NOON + 61_000)).toBe(50);
      expect(await store.purgeRecordedCalls(NOON + 61_000)).toBe(0);
      expect(await store.checkCounters()).toEqual([]);
      expect((await store.keySpend(id)).counters.map(({ name, used }) => [name, used])).toEqual([
        ["daily_usd_cap@rolling_24h", usd(300)],
      ]);
      await tamper(`UPDATE rolling_totals SET used = used - 5`);
      await tamper(`DELETE FROM rolling_entries WHERE taken_at = ${NOON + 3}`);
      const budgetId = `key:${id}:daily_usd_cap@rolling_24h`;
      expect(await store.checkCounters()).toEqual([
        { budgetId, windowStart: NOON + 3, counter: 0n, rows: usd(1) },
        { budgetId, windowStart: 0, counter: usd(300) - 5n, rows: usd(299) },
      ]);
    }),
  );
}
