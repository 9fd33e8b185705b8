import { expect, test } from "bun:test";
import type { SpendGroup, SpendQuery } from "../../../src/store/spend.ts";
import type { Store } from "../../../src/store/store.ts";
import { dailyCap, holdOf, NOON, resolutionOf, usd } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

/** Six calls of two keys: settled at 4, in flight, of unknown outcome, settled later at 3, refused, priced later at 1. */
async function makeCalls(store: Store): Promise<void> {
  const [a, b] = await Promise.all([
    issue(store, { label: "tenant:a", issuedBy: "tok_1" }),
    issue(store, { label: null }),
  ]);
  const call = (keyId: string, dollars: number, own: Record<string, unknown> = {}) =>
    holdOf(keyId, dollars, {
      facts: {
        agentRunLabel: keyId === a.id ? "tenant:a" : null,
        agentRunId: keyId === a.id ? "tenant:a" : null,
        ...own,
      },
      budgets: [dailyCap(keyId, 100)],
    });
  const calls = [
    call(a.id, 10),
    call(a.id, 11, { agentRunId: "req-1" }),
    call(a.id, 12),
    call(b.id, 13, { agentName: null }),
    call(a.id, 500),
    call(b.id, 2, { vendor: "twilio", endpoint: "/sms" }),
  ];
  const [first, , third, fourth, , sixth] = calls.map(({ facts }) => facts.id) as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  await store.apply(calls, NOON);
  await store.apply(
    [
      resolutionOf(first, "settled", 4),
      resolutionOf(third, "unresolved"),
      resolutionOf(fourth, "unresolved"),
      {
        ...resolutionOf(sixth, "settled", 2, { costSource: "rate_table" }),
        pricedLater: { path: "/later", askAt: NOON, besidesMicros: 0n },
      },
    ],
    NOON,
  );
  await store.apply([resolutionOf(fourth, "settled", 3)], NOON);
  const price = { callId: sixth, priceMicros: usd(1), finishedAt: NOON, vendorTxnId: null, httpStatus: 200 };
  expect(await store.reconcile(price)).toMatchObject({ reconciled: true });
}

type Shown = readonly [
  value: string | null,
  calls: number,
  refused: number,
  settled: number,
  held: number,
  unresolved: number,
];

function shown({ value, calls, refused, settledMicros, heldMicros, unresolvedMicros }: SpendGroup): Shown {
  const dollars = (micros: bigint) => Number(micros) / 1_000_000;
  return [value, calls, refused, dollars(settledMicros), dollars(heldMicros), dollars(unresolvedMicros)];
}

const DAY = String(NOON - 43_200_000);
const QUESTIONS: readonly (readonly [SpendQuery["by"], SpendQuery["filter"], readonly Shown[]])[] = [
  [
    "run",
    {},
    [
      ["req-1", 1, 0, 0, 11, 0],
      ["tenant:a", 3, 1, 4, 0, 12],
      [null, 2, 0, 4, 0, 0],
    ],
  ],
  [
    "label",
    {},
    [
      ["tenant:a", 4, 1, 4, 11, 12],
      [null, 2, 0, 4, 0, 0],
    ],
  ],
  [
    "agent",
    { vendor: "stripe" },
    [
      ["billing", 4, 1, 4, 11, 12],
      [null, 1, 0, 3, 0, 0],
    ],
  ],
  [
    "vendor",
    {},
    [
      ["stripe", 5, 1, 7, 11, 12],
      ["twilio", 1, 0, 1, 0, 0],
    ],
  ],
  [
    "endpoint",
    {},
    [
      ["POST /sms", 1, 0, 1, 0, 0],
      ["POST /v1/payment_intents", 5, 1, 7, 11, 12],
    ],
  ],
  ["day", {}, [[DAY, 6, 1, 8, 11, 12]]],
  ["hour", { issuedBy: "tok_1" }, [[String(NOON), 4, 1, 4, 11, 12]]],
  ["run", { run: "req-1" }, [["req-1", 1, 0, 0, 11, 0]]],
  ["vendor", { labelContains: "tenant:" }, [["stripe", 4, 1, 4, 11, 12]]],
  ["vendor", { since: NOON + 1 }, []],
  ["vendor", { until: NOON }, []],
];

export function spendConformance(open: OpenStore): void {
  for (const [by, filter, groups] of QUESTIONS) {
    test(
      `tells what was spent by ${by} with ${JSON.stringify(filter)}, before and after rows are added up`,
      within(open, async ({ store, reopen }) => {
        await makeCalls(store);
        const look = async (from: Store) => {
          const report = await from.sumSpend({ by, splitByVendor: false, filter });
          return report.groups.map(shown).toSorted(([a], [b]) => (a === null ? 1 : b === null ? -1 : a < b ? -1 : 1));
        };
        expect(await look(store)).toEqual([...groups]);
        await store.addUpSpend(2);
        expect(await look(store)).toEqual([...groups]);
        const other = await reopen();
        while ((await other.addUpSpend(3)).left > 0 && (await store.addUpSpend(3)).left > 0);
        expect(await look(store)).toEqual([...groups]);
        expect(await look(other)).toEqual([...groups]);
        expect(await store.checkSpend()).toEqual([]);
        if (filter.issuedBy !== undefined) return;
        const [total] = (await store.sumSpend({ by: "day", splitByVendor: false, filter })).groups;
        const { value: _value, vendor: _vendor, ...sums } = total ?? { value: null, vendor: null, ...NOTHING };
        expect(sums).toEqual(await store.auditTotals(filter));
      }),
    );
  }

  test(
    "keeps the vendors of a group apart where that is asked for",
    within(open, async ({ store }) => {
      await makeCalls(store);
      const { groups } = await store.sumSpend({ by: "label", splitByVendor: true, filter: {} });
      const names = groups.map(({ value, vendor, calls }) => `${value} ${vendor} ${calls}`);
      expect(names.sort()).toEqual(["null stripe 1", "null twilio 1", "tenant:a stripe 4"]);
    }),
  );
}

const NOTHING = { calls: 0, refused: 0, settledMicros: 0n, heldMicros: 0n, unresolvedMicros: 0n };
