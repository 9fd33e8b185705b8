import { expect, test } from "bun:test";
import type { AlertNews } from "../../../src/core/alert-event.ts";
import type { Budget } from "../../../src/ledger/budget.ts";
import { DAY_MS, dailyCap, holdOf, NOON, resolutionOf, totalCap, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const MIDNIGHT = NOON - DAY_MS / 2;

function sharedCap(member: string): Budget {
  const id = `budget:per-tenant:${member}:daily_usd_cap`;
  return { id, name: `per-tenant:${member}`, unit: "usd", cap: usd(100), window: "utc_day" };
}

/** What a store tells for metrics. */
export function gaugeConformance(open: OpenStore): void {
  test(
    "counts what is unresolved, but not what somebody has found out meanwhile",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const holds = [holdOf(id, 10), holdOf(id, 20), holdOf(id, 40), holdOf(id, 80)];
      const [first, second, third, fourth] = holds.map(({ facts }) => facts.id) as [string, string, string, string];
      await store.apply(holds, NOON);
      await store.apply(
        [first, second, third].map((call) => resolutionOf(call, "unresolved")),
        NOON,
      );
      await store.apply([resolutionOf(second, "settled", 5), resolutionOf(fourth, "settled", 80)], NOON);
      expect(await store.gauges(NOON)).toEqual({
        unresolvedCalls: 2,
        unresolvedMicros: usd(50),
        alertsWaiting: 0,
        pricesWaiting: 0,
        activeKeys: 1,
      });
    }),
  );

  test(
    "counts the alerts and the prices that wait",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const call = holdOf(id, 2, { facts: { vendor: "twilio" } });
      const later = { path: "/2010-04-01/Accounts/AC1/Messages/SM1.json", askAt: NOON, besidesMicros: 0n };
      await store.apply([call, { ...resolutionOf(call.facts.id, "settled", 2), pricedLater: later }], NOON);
      const news: AlertNews = { id: "alert_1", type: "alert.test", at: NOON, text: "a test", data: {} };
      await store.queueAlert({ news: [news], targets: ["ops", "chat"], at: NOON });
      expect(await store.gauges(NOON)).toMatchObject({ pricesWaiting: 1, alertsWaiting: 2 });
      const delivery = (await store.takeDelivery("ops", NOON, NOON + 1_000))!;
      await store.endDelivery(delivery, { state: "delivered", dueAt: NOON, httpStatus: 200, problem: null });
      expect(await store.gauges(NOON)).toMatchObject({ alertsWaiting: 1 });
    }),
  );

  test(
    "gives the policies of keys in force, the newest first and page by page",
    within(open, async ({ store }) => {
      const keys = await Promise.all(Array.from({ length: 5 }, () => issue(store)));
      await issue(store, { expiresAt: NOON });
      await issue(store, { revokedAt: NOON });
      const newestFirst = keys
        .map(({ id }) => id)
        .sort()
        .reverse();
      const page = await store.activePolicies(undefined, 3, NOON);
      expect(page.map(({ id }) => id)).toEqual(newestFirst.slice(0, 3));
      expect(page[0]!.policy).toEqual(keys[0]!.policy);
      const rest = await store.activePolicies(page[2]!.id, 3, NOON);
      expect(rest.map(({ id }) => id)).toEqual(newestFirst.slice(3));
      expect((await store.gauges(NOON)).activeKeys).toBe(5);
    }),
  );

  test(
    "tells what is used of a counter now: of a day, of a lifetime, of the last 24 hours",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const rolling: Budget = {
        ...dailyCap(id, 900),
        id: `key:${id}:daily_usd_cap@rolling_24h`,
        window: "rolling_24h",
      };
      const budgets = [dailyCap(id, 900), totalCap(id, 900), rolling];
      await store.apply([holdOf(id, 10, { budgets })], NOON);
      await store.apply([holdOf(id, 5, { budgets })], NOON + DAY_MS / 2);
      const places = (dayStart: number) => [
        { budgetId: budgets[0]!.id, windowStart: dayStart },
        { budgetId: budgets[1]!.id, windowStart: 0 },
        { budgetId: rolling.id, windowStart: 0 },
        { budgetId: "key:vk_nobody:daily_usd_cap", windowStart: dayStart },
      ];
      expect(await store.counterUses(places(MIDNIGHT), NOON + DAY_MS / 2)).toEqual([usd(10), usd(15), usd(15), 0n]);
      const tomorrow = MIDNIGHT + DAY_MS;
      expect(await store.counterUses(places(tomorrow), NOON + DAY_MS)).toEqual([usd(5), usd(15), usd(5), 0n]);
    }),
  );

  test(
    "pages through the counters under a prefix, whatever windows they have, and no others",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const members = ["a", "b", "c", "d"];
      await store.apply([holdOf(id, 1, { budgets: members.map(sharedCap) })], NOON - DAY_MS);
      await store.apply([holdOf(id, 2, { budgets: [sharedCap("b"), sharedCap("d"), dailyCap(id, 9)] })], NOON);
      const prefix = "budget:per-tenant:";
      const first = await store.counterPage(prefix, [MIDNIGHT], "", 3);
      expect(first.uses).toEqual([{ budgetId: sharedCap("b").id, windowStart: MIDNIGHT, used: usd(2) }]);
      expect(first.next).toBe(sharedCap("c").id);
      const second = await store.counterPage(prefix, [MIDNIGHT], first.next!, 3);
      expect(second).toEqual({
        uses: [{ budgetId: sharedCap("d").id, windowStart: MIDNIGHT, used: usd(2) }],
        next: undefined,
      });
      expect(await store.counterPage("budget:nobody:", [MIDNIGHT], "", 3)).toEqual({ uses: [], next: undefined });
    }),
  );
}
