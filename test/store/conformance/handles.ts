import { expect, test } from "bun:test";
import { dailyCap, holdOf, NOON, usd } from "../../ledger/entries.ts";
import { issue, keyRecord, vendorRecord } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

export function handleConformance(open: OpenStore): void {
  test(
    "admits exactly what a cap has room for, however two handles take turns",
    within(open, async ({ store, reopen }) => {
      const { id } = await issue(store);
      const handles = [store, await reopen()];
      let admitted = 0;
      await Promise.all(
        handles.map(async (handle) => {
          for (let i = 0; i < 25; i++) {
            const [decision] = await handle.apply([holdOf(id, 5)], NOON);
            if (decision && "admitted" in decision && decision.admitted) admitted += 1;
          }
        }),
      );
      expect(admitted).toBe(20);
      expect(await store.auditTotals({})).toMatchObject({ calls: 50, refused: 30, heldMicros: usd(100) });
      expect(await store.checkCounters()).toEqual([]);
    }),
  );

  test(
    "sees in the very next batch what another handle has revoked, braked, changed or set",
    within(open, async ({ store, reopen }) => {
      const other = await reopen();
      const budgets = (id: string) => [dailyCap(id, 100)];
      const [a, b, c] = [await issue(store), await issue(store), await issue(store, { vendors: ["twilio"] })];
      const call = async (id: string, vendor = "stripe") =>
        (await other.apply([holdOf(id, 1, { budgets: budgets(id), facts: { vendor } })], NOON))[0];
      for (const { id } of [a, b, c]) expect(await call(id)).toMatchObject({ admitted: true });
      await store.revokeKeys({ ids: [a.id] }, null, NOON);
      expect(await call(a.id)).toMatchObject({ code: "key_revoked" });
      await store.updateKey(b.id, { policy: b.policy, expiresAt: b.expiresAt, fromVersion: 1 });
      expect(await call(b.id)).toEqual({ admitted: false, code: "stale" });
      await store.putVendor(vendorRecord({ name: "twilio" }));
      expect(await call(c.id, "twilio")).toEqual({ admitted: false, code: "stale" });
      await store.engageBrake({ id: "brk_1", vendor: null, labelPrefix: null, reason: null, engagedAt: NOON });
      expect(await call(c.id, "resend")).toMatchObject({ code: "brake_engaged" });
    }),
  );

  test(
    "gives a unique label to one of two handles, and a vendor's next version too",
    within(open, async ({ store, reopen }) => {
      const other = await reopen();
      const keys = [keyRecord({ label: "run-7" }), keyRecord({ label: "run-7" })];
      const inserted = await Promise.all([store.insertKey(keys[0]!, true), other.insertKey(keys[1]!, true)]);
      expect(inserted.filter((result) => result.inserted)).toHaveLength(1);
      const put = await Promise.all([store.putVendor(vendorRecord()), other.putVendor(vendorRecord())]);
      expect(put.filter(Boolean)).toHaveLength(1);
    }),
  );

  test(
    "says that it is unavailable once it is closed",
    within(open, async ({ reopen }) => {
      const closed = await reopen();
      await closed.listKeys({ limit: 1 });
      await closed.close();
      const verbs = [
        () => closed.apply([holdOf("vk_1", 1)], NOON),
        () => closed.listKeys({ limit: 1 }),
        () => closed.probeWrite(NOON),
        () => closed.checkCounters(),
        () => closed.describe(),
        () => closed.insertKey(keyRecord(), true),
      ];
      for (const verb of verbs) await expect(verb()).rejects.toMatchObject({ code: "unavailable" });
    }),
  );
}
