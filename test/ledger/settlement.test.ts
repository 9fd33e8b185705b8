import { describe, expect, test } from "bun:test";
import { MICROS_MAX } from "../../src/core/money.ts";
import type { Charge } from "../../src/ledger/entry.ts";
import { counterChanges, finalCost } from "../../src/ledger/settlement.ts";

const CHARGES: readonly Charge[] = [
  { budgetId: "daily", windowStart: 5, unit: "usd", amount: 30n },
  { budgetId: "sends", windowStart: 5, unit: "sends", amount: 2n },
];

describe("a resolution's cost", () => {
  const COSTS = [
    ["settled", 7n, 7n],
    ["settled", 0n, 0n],
    ["settled", -7n, 7n],
    ["settled", MICROS_MAX, MICROS_MAX],
    ["settled", MICROS_MAX + 1n, MICROS_MAX],
    ["settled", -(2n ** 80n), MICROS_MAX],
    ["released", 7n, 0n],
    ["unresolved", 7n, 0n],
  ] as const;
  for (const [to, read, kept] of COSTS) {
    test(`${read} of a call that is ${to} is kept as ${kept}`, () => {
      expect(finalCost(to, { costMicros: read })).toBe(kept);
    });
  }
});

describe("the counters of a hold of 30 with 2 sends", () => {
  const CHANGES = [
    ["unresolved", 0n, {}],
    ["released", 0n, { daily: -30n, sends: -2n }],
    ["settled", 30n, {}],
    ["settled", 12n, { daily: -18n }],
    ["settled", 0n, { daily: -30n }],
    ["settled", 45n, { daily: 15n }],
  ] as const;
  for (const [to, cost, deltas] of CHANGES) {
    test(`change by ${Object.values(deltas).join(" and ") || "nothing"} when it is ${to} at ${cost}`, () => {
      const changes = counterChanges(CHARGES, to, cost);
      expect(Object.fromEntries(changes.map(({ budgetId, delta }) => [budgetId, delta]))).toEqual(deltas);
      for (const { windowStart } of changes) expect(windowStart).toBe(5);
    });
  }
});
