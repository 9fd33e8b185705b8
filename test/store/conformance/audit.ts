import { expect, test } from "bun:test";
import type { AuditFilter, Store } from "../../../src/store/store.ts";
import { holdOf, NOON, resolutionOf, usd } from "../../ledger/entries.ts";
import { issue, withoutMoney } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

/** Six calls: 0 settled at 4, 1 held, 2 unresolved, 3 refused, 4 released, 5 held; of three keys and two vendors. */
async function makeSixCalls(store: Store): Promise<{ ids: string[]; keys: string[] }> {
  const labels = ["ray-billing/01", null, "run_7%"];
  const keys = await Promise.all(labels.map(async (label) => (await issue(store, { label })).id));
  const holds = [
    holdOf(keys[0]!, 10, { facts: { calledAt: NOON, customerScopeId: "cus_1" } }),
    holdOf(keys[0]!, 11, { facts: { calledAt: NOON + 1, agentRunId: "req-1" } }),
    holdOf(keys[2]!, 12, { facts: { calledAt: NOON + 2, agentRunLabel: "run_7%", agentRunId: "ray-billing/01" } }),
    holdOf(keys[0]!, 500, { facts: { calledAt: NOON + 3, triggeringEventId: "evt_1" } }),
    holdOf(keys[1]!, 14, { facts: { calledAt: NOON + 4, vendor: "twilio", agentRunLabel: null, agentRunId: null } }),
    holdOf(keys[1]!, 15, { facts: { calledAt: NOON + 5, agentRunLabel: null, agentRunId: "req-1" } }),
  ];
  const ids = holds.map((hold) => hold.facts.id);
  await store.apply(holds, NOON);
  await store.apply(
    [resolutionOf(ids[0]!, "settled", 4), resolutionOf(ids[2]!, "unresolved"), resolutionOf(ids[4]!, "released")],
    NOON,
  );
  return { ids, keys };
}

const FILTERS: readonly (readonly [title: string, filter: AuditFilter, found: readonly number[]])[] = [
  ["everything", {}, [0, 1, 2, 3, 4, 5]],
  ["a run by its label or by the request's own id", { run: "ray-billing/01" }, [0, 1, 2, 3]],
  ["a run by an id that only requests have", { run: "req-1" }, [1, 5]],
  ["a run that nobody had", { run: "' OR 1=1 --" }, []],
  ["a part of a label, with % and _ as themselves", { labelContains: "_7%" }, [2]],
  ["no label by a pattern", { labelContains: "r%n" }, []],
  ["a vendor", { vendor: "twilio" }, [4]],
  ["a verdict", { verdict: "cap_exceeded" }, [3]],
  ["the verdict of an unknown outcome", { verdict: "upstream_timeout" }, [2]],
  ["what is held", { state: "held" }, [1, 5]],
  ["what is unresolved", { state: "unresolved" }, [2]],
  ["what is released", { state: "released" }, [4]],
  ["a customer", { customer: "cus_1" }, [0]],
  ["a triggering event", { triggeringEventId: "evt_1" }, [3]],
  ["from a moment on, that moment included", { since: NOON + 4 }, [4, 5]],
  ["up to a moment, that moment excluded", { until: NOON + 1 }, [0]],
  ["all conditions at once", { run: "ray-billing/01", vendor: "stripe", since: NOON + 1, state: "held" }, [1]],
];

export function auditConformance(open: OpenStore): void {
  for (const [title, filter, found] of FILTERS) {
    test(
      `finds ${title}, oldest first`,
      within(open, async ({ store }) => {
        const { ids } = await makeSixCalls(store);
        const { rows, older } = await store.queryAudit(filter, { limit: 50 });
        expect(rows.map(({ id }) => id)).toEqual(found.map((index) => ids[index]!));
        expect(older).toBeUndefined();
        expect((await store.auditTotals(filter)).calls).toBe(found.length);
        expect(() => JSON.stringify(rows.map(withoutMoney))).not.toThrow();
      }),
    );
  }

  test(
    "finds the calls of one key, and sums them",
    within(open, async ({ store }) => {
      const { ids, keys } = await makeSixCalls(store);
      const { rows } = await store.queryAudit({ keyId: keys[1]! }, { limit: 50 });
      expect(rows.map(({ id }) => id)).toEqual([ids[4]!, ids[5]!]);
      expect(await store.auditTotals({ keyId: keys[0]! })).toEqual({
        calls: 3,
        refused: 1,
        settledMicros: usd(4),
        heldMicros: usd(11),
        unresolvedMicros: 0n,
      });
    }),
  );

  test(
    "finds one call by its id, and what refers to it",
    within(open, async ({ store }) => {
      const { ids } = await makeSixCalls(store);
      await store.apply([resolutionOf(ids[2]!, "settled", 3)], NOON);
      const found = async (callId: string) => (await store.queryAudit({ callId }, { limit: 9 })).rows;
      expect((await found(ids[2]!)).map(({ id, refersTo }) => refersTo ?? id)).toEqual([ids[2]!, ids[2]!]);
      expect((await found(ids[1]!)).map(({ state }) => state)).toEqual(["held"]);
      expect(await found("call_none")).toEqual([]);
    }),
  );

  test(
    "sums nothing where there is nothing",
    within(open, async ({ store }) => {
      const nothing = { calls: 0, refused: 0, settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n };
      expect(await store.auditTotals({})).toEqual(nothing);
      expect(await store.queryAudit({}, { limit: 5 })).toEqual({ rows: [], older: undefined });
    }),
  );

  test(
    "pages back from the newest without a gap or a repeat, and says where the end is",
    within(open, async ({ store }) => {
      const { ids } = await makeSixCalls(store);
      const pages: string[][] = [];
      let before: number | undefined;
      do {
        const page = await store.queryAudit({}, { limit: 4, ...(before === undefined ? {} : { before }) });
        pages.push(page.rows.map(({ id }) => id));
        before = page.older;
      } while (before !== undefined);
      expect(pages).toEqual([ids.slice(2), ids.slice(0, 2)]);
      const exact = await store.queryAudit({}, { limit: 6 });
      expect(exact.older).toBeUndefined();
    }),
  );

  test(
    "follows forward from a row, and gets what is written after it",
    within(open, async ({ store }) => {
      const { ids, keys } = await makeSixCalls(store);
      const all = (await store.queryAudit({}, { limit: 50 })).rows;
      const page = await store.queryAudit({}, { limit: 2, after: all[1]!.seq });
      expect(page.rows.map(({ id }) => id)).toEqual([ids[2]!, ids[3]!]);
      const newest = all.at(-1)!.seq;
      expect((await store.queryAudit({}, { limit: 9, after: newest })).rows).toEqual([]);
      const next = holdOf(keys[1]!, 1);
      await store.apply([next], NOON);
      const after = (await store.queryAudit({}, { limit: 9, after: newest })).rows;
      expect(after.map(({ id }) => id)).toEqual([next.facts.id]);
      expect(after[0]!.seq).toBeGreaterThan(newest);
    }),
  );
}
