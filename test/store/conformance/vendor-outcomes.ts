import { expect, test } from "bun:test";
import { holdOf, NOON, resolutionOf } from "../../ledger/entries.ts";
import { issue } from "../records.ts";
import { type OpenStore, within } from "../store-under-test.ts";

export function vendorOutcomeConformance(open: OpenStore): void {
  test(
    "tells each vendor's good and bad calls apart; refused calls and those in flight are neither",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const at = (second: number, vendor: string) =>
        holdOf(id, 1, { facts: { calledAt: NOON + second * 1000, vendor } });
      const holds = [
        ...[at(0, "stripe"), at(1, "stripe"), at(2, "stripe"), at(3, "stripe"), at(4, "twilio"), at(5, "resend")],
        holdOf(id, 5000, { facts: { calledAt: NOON + 6000, vendor: "postmark" } }),
      ];
      await store.apply(holds, NOON);
      const ids = holds.map(({ facts }) => facts.id);
      await store.apply(
        [
          resolutionOf(ids[0]!, "settled", 1),
          resolutionOf(ids[1]!, "released", 0, { httpStatus: 404 }),
          resolutionOf(ids[2]!, "released", 0, { httpStatus: 503 }),
          resolutionOf(ids[3]!, "released", 0, { httpStatus: 401 }),
          resolutionOf(ids[4]!, "unresolved", 0, { httpStatus: null }),
        ],
        NOON,
      );
      const found = await store.vendorOutcomes(100);
      expect([...found.keys()].sort()).toEqual(["stripe", "twilio"]);
      expect(found.get("stripe")).toEqual({
        good: { calls: 2, lastAt: NOON + 1000, lastVerdict: "allowed", lastHttpStatus: 404 },
        bad: { calls: 2, lastAt: NOON + 3000, lastVerdict: "allowed", lastHttpStatus: 401 },
      });
      expect(found.get("twilio")).toEqual({
        good: undefined,
        bad: { calls: 1, lastAt: NOON + 4000, lastVerdict: "upstream_timeout", lastHttpStatus: null },
      });
    }),
  );

  test(
    "looks at the newest rows alone",
    within(open, async ({ store }) => {
      const { id } = await issue(store);
      const holds = ["twilio", "stripe", "stripe"].map((vendor, second) =>
        holdOf(id, 1, { facts: { calledAt: NOON + second * 1000, vendor } }),
      );
      await store.apply(holds, NOON);
      for (const { facts } of holds) await store.apply([resolutionOf(facts.id, "settled", 1)], NOON);
      const found = await store.vendorOutcomes(2);
      expect([...found].map(([vendor, { good }]) => [vendor, good!.calls])).toEqual([["stripe", 2]]);
    }),
  );
}
