import { expect, test } from "bun:test";
import { dailyCap, holdOf, NOON, resolutionOf, totalCap, usd } from "../../ledger/entries.ts";
import { issue, vendorRecord } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

export function batchConformance(open: OpenStore): void {
  test(
    "decides the calls of a batch in their order, each one seeing those before it",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const holds = [60, 50, 40, 1].map((dollars) => holdOf(id, dollars));
      const results = await store.apply(holds, NOON);
      expect(results.map((result) => "admitted" in result && result.admitted)).toEqual([true, false, true, false]);
      const { rows } = await store.queryAudit({ keyId: id }, { limit: 10 });
      expect(rows.map((row) => row.id)).toEqual(holds.map((hold) => hold.facts.id));
      expect(rows.map((row) => row.state)).toEqual(["held", "refused", "held", "refused"]);
    }),
  );

  test(
    "frees within a batch what a resolution before a hold gives back, and nothing for a hold before it",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const first = holdOf(id, 100);
      await store.apply([first], NOON);
      const release = resolutionOf(first.facts.id, "released");
      const results = await store.apply([holdOf(id, 40), release, holdOf(id, 40)], NOON);
      expect(results).toMatchObject([{ admitted: false }, { resolved: true }, { admitted: true }]);
    }),
  );

  test(
    "holds and settles many keys in one batch, each on its own budget",
    within(open, async ({ store }) => {
      const ids = [(await issue(store)).id, (await issue(store)).id];
      const holds = ids.flatMap((id) => [holdOf(id, 60), holdOf(id, 60)]);
      const results = await store.apply(holds, NOON);
      expect(results).toMatchObject([{ admitted: true }, { admitted: false }, { admitted: true }, { admitted: false }]);
    }),
  );

  test(
    "charges all of a call's budgets or none",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const budgets = [dailyCap(id, 100), totalCap(id, 50)];
      await store.apply([holdOf(id, 40, { budgets })], NOON);
      const [refused] = await store.apply([holdOf(id, 20, { budgets })], NOON);
      expect(refused).toMatchObject({ code: "cap_exceeded", rule: "total_usd_cap", budget: { used: usd(40) } });
      const { counters } = await store.keySpend(id);
      expect(counters.map(({ used }) => used)).toEqual([usd(40), usd(40)]);
    }),
  );

  test(
    "lets a call that holds nothing pass a full budget",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const [full, read] = await store.apply([holdOf(id, 100), holdOf(id, 0)], NOON);
      expect([full, read]).toMatchObject([{ admitted: true }, { admitted: true }]);
    }),
  );

  test(
    "answers stale and writes nothing where the key or the vendor has changed since the call was judged",
    within(open, async ({ store }) => {
      const { id, policy } = await issue(store);
      await store.updateKey(id, { policy, expiresAt: NOON + 9_000, fromVersion: 1 });
      await store.putVendor(vendorRecord({ version: 1 }));
      const outdated = [
        holdOf(id, 1, { keyVersion: 1, vendorVersion: 1 }),
        holdOf(id, 1, { keyVersion: 3, vendorVersion: 1 }),
        holdOf(id, 1, { keyVersion: 2, vendorVersion: 0 }),
        holdOf(id, 1, { keyVersion: 2, vendorVersion: 2 }),
        holdOf(id, 1, { keyVersion: 1, vendorVersion: 1, refusal: { code: "endpoint_denied", rule: "x" } }),
      ];
      for (const result of await store.apply(outdated, NOON))
        expect(result).toEqual({ admitted: false, code: "stale" });
      expect((await store.auditTotals({})).calls).toBe(0);
      const current = holdOf(id, 1, { keyVersion: 2, vendorVersion: 1 });
      expect(await store.apply([current], NOON)).toMatchObject([{ admitted: true }]);
    }),
  );

  test(
    "refuses an unknown key and still writes the row",
    within(open, async ({ store }) => {
      const [decision] = await store.apply([holdOf("vk_none", 1)], NOON);
      expect(decision).toMatchObject({ admitted: false, code: "key_unknown" });
      expect(await store.auditTotals({ keyId: "vk_none" })).toMatchObject({ calls: 1, refused: 1 });
    }),
  );

  test(
    "takes back the whole batch where one entry of it cannot be written, and works on",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const earlier = holdOf(id, 10);
      await store.apply([earlier], NOON);
      const twice = holdOf(id, 5);
      const batch = [holdOf(id, 5), resolutionOf(earlier.facts.id, "released"), twice, { ...twice }];
      await expect(store.apply(batch, NOON)).rejects.toMatchObject({ code: "unavailable" });
      expect(await store.auditTotals({})).toMatchObject({ calls: 1, heldMicros: usd(10) });
      expect(await store.checkCounters()).toEqual([]);
      expect(await store.apply([twice, resolutionOf(earlier.facts.id, "released")], NOON)).toMatchObject([
        { admitted: true },
        { resolved: true },
      ]);
      expect((await store.keySpend(id)).counters.map(({ used }) => used)).toEqual([usd(5)]);
    }),
  );

  test(
    "has nothing to say to an empty batch",
    within(open, async ({ store }) => {
      expect(await store.apply([], NOON)).toEqual([]);
    }),
  );
}
