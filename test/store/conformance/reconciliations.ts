import { expect, test } from "bun:test";
import type { ReconcileRequest } from "../../../src/ledger/entry.ts";
import type { Store } from "../../../src/store/store.ts";
import { dailyCap, holdOf, NOON, resolutionOf, sendCap, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

const PATH = "/2010-04-01/Accounts/AC1/Messages/SM1.json";
const LATER = NOON + 15_000;

/** A message of two dollars at most, counted at `dollars` until its price is told. */
async function sendMessage(store: Store, keyId: string, dollars = 2): Promise<string> {
  const facts = { vendor: "twilio" };
  const call = holdOf(keyId, 2, { facts, sends: 1, budgets: [dailyCap(keyId, 100), sendCap(keyId, 10)] });
  const end = resolutionOf(call.facts.id, "settled", dollars, { costSource: "rate_table", vendorTxnId: "SM1" });
  await store.apply([call, { ...end, pricedLater: { path: PATH, askAt: LATER, besidesMicros: 5n } }], NOON);
  return call.facts.id;
}

function priceOf(callId: string, priceMicros: bigint): ReconcileRequest {
  return { callId, priceMicros, finishedAt: LATER + 60_000, vendorTxnId: "SM1", httpStatus: 200 };
}

async function used(store: Store, keyId: string): Promise<Record<string, bigint>> {
  const { counters } = await store.keySpend(keyId);
  return Object.fromEntries(counters.map((counter) => [counter.name, counter.used]));
}

/** Settled calls whose price the vendor tells later. */
export function reconciliationConformance(open: OpenStore): void {
  for (const [what, price, difference] of [
    ["less", 750_000n, -1_250_000n],
    ["more", 2_500_000n, 500_000n],
    ["nothing", 0n, -2_000_000n],
    ["what was counted", 2_000_000n, 0n],
  ] as const) {
    test(
      `a price of ${what} corrects the counters by a row of its own`,
      within(open, async ({ store }) => {
        const { id: keyId } = await issue(store);
        const callId = await sendMessage(store, keyId);
        expect(await store.reconcile(priceOf(callId, price))).toEqual({ reconciled: true, costMicros: difference });
        expect(await used(store, keyId)).toEqual({ daily_usd_cap: price, daily_send_cap: 1n });
        const { rows } = await store.queryAudit({ callId }, { limit: 5 });
        expect(rows).toMatchObject([
          { id: callId, costMicros: usd(2), costSource: "rate_table", state: "settled" },
          {
            refersTo: callId,
            costMicros: difference,
            exposureMicros: 0n,
            costSource: "reconciled",
            state: "settled",
            vendorTxnId: "SM1",
            capUsageAfterMicros: price,
          },
        ]);
        expect(await store.auditTotals({})).toMatchObject({ calls: 1, settledMicros: price });
        expect(await store.keySpend(keyId)).toMatchObject({ calls: 1, settledMicros: price });
        expect(await store.checkCounters()).toEqual([]);
      }),
    );
  }

  test(
    "a price is asked for from its time on, and told once",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const callId = await sendMessage(store, keyId);
      expect(await store.dueReconciliations(LATER - 1, 10)).toEqual([]);
      const due = { callId, vendor: "twilio", path: PATH, besidesMicros: 5n, attempts: 0, vendorTxnId: "SM1" };
      expect(await store.dueReconciliations(LATER, 10)).toEqual([due]);
      expect(await store.reconcile(priceOf(callId, 1n))).toMatchObject({ reconciled: true });
      expect(await store.reconcile(priceOf(callId, 1n))).toEqual({ reconciled: false });
      expect(await store.dueReconciliations(LATER, 10)).toEqual([]);
      expect(await used(store, keyId)).toMatchObject({ daily_usd_cap: 1n });
    }),
  );

  test(
    "of several processes one takes a question, and it comes again",
    within(open, async (subject) => {
      const { store } = subject;
      const { id: keyId } = await issue(store);
      await sendMessage(store, keyId);
      const [due] = await store.dueReconciliations(LATER, 10);
      const other = await subject.reopen();
      expect(await store.claimReconciliation(due!, LATER + 60_000)).toBe(true);
      expect(await other.claimReconciliation(due!, LATER + 60_000)).toBe(false);
      expect(await other.dueReconciliations(LATER + 59_999, 10)).toEqual([]);
      expect(await other.dueReconciliations(LATER + 60_000, 10)).toEqual([{ ...due!, attempts: 1 }]);
    }),
  );

  test(
    "a question that is dropped leaves what was counted",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const callId = await sendMessage(store, keyId);
      await store.dropReconciliation(callId);
      expect(await store.dueReconciliations(LATER, 10)).toEqual([]);
      expect(await store.reconcile(priceOf(callId, 1n))).toEqual({ reconciled: false });
      expect(await used(store, keyId)).toMatchObject({ daily_usd_cap: usd(2) });
    }),
  );

  test(
    "a call that waits for no price takes none",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const call = holdOf(keyId, 5);
      await store.apply([call, resolutionOf(call.facts.id, "settled", 5)], NOON);
      expect(await store.reconcile(priceOf(call.facts.id, 1n))).toEqual({ reconciled: false });
      expect(await store.reconcile(priceOf("call_none", 1n))).toEqual({ reconciled: false });
    }),
  );

  test(
    "the longest waiting are asked for first, a slice at a time",
    within(open, async ({ store }) => {
      const { id: keyId } = await issue(store);
      const ids = [await sendMessage(store, keyId), await sendMessage(store, keyId), await sendMessage(store, keyId)];
      const [first] = await store.dueReconciliations(LATER, 1);
      expect(ids).toContain(first!.callId);
      await store.claimReconciliation(first!, LATER + 1);
      const due = await store.dueReconciliations(LATER + 1, 10);
      expect(due.at(-1)).toMatchObject({ callId: first!.callId, attempts: 1 });
      expect(due).toHaveLength(3);
    }),
  );
}
