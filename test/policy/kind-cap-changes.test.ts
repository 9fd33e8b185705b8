import { expect, test } from "bun:test";
import { capsCountedFromNow } from "../../src/policy/kind-cap-changes.ts";

const vendor = "stripe";

test.each([
  ["a first cap", {}, { refund: { daily_usd: "5.00" } }, ["caps.refund.daily_usd"]],
  [
    "a further cap of a kind that has one",
    { refund: { daily_usd: "5.00" } },
    { refund: { daily_usd: "5.00", total_usd: "9.00" }, payout: { daily_usd: "0.00" } },
    ["caps.refund.total_usd", "caps.payout.daily_usd"],
  ],
  ["another amount", { refund: { daily_usd: "5.00" } }, { refund: { daily_usd: "6.00" } }, []],
  ["fewer caps", { refund: { daily_usd: "5.00" } }, {}, []],
])("says which caps count from now on: %s", (_title, before, after, names) => {
  const said = capsCountedFromNow({ vendor, caps: before }, { vendor, caps: after });
  expect(said.map((sentence) => sentence.split(" ")[0]!)).toEqual([...names]);
});

test("has nothing to say where a policy has no caps by kind", () => {
  expect(capsCountedFromNow({ vendor }, { vendor, daily_usd_cap: "5.00" })).toEqual([]);
});
