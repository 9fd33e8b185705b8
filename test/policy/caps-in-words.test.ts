import { expect, test } from "bun:test";
import { capsInWords } from "../../src/policy/caps-in-words.ts";
import { compilePolicy } from "../../src/policy/compile.ts";

test("says the caps that a call is charged to, and none of another kind", () => {
  const policy = compilePolicy({
    vendor: "stripe",
    daily_usd_cap: "500.00",
    daily_cap: { amount: "400.00", currency: "eur" },
    total_usd_cap: "900.00",
    daily_send_cap: 5,
    caps: { refund: { daily_usd: "50.00", total_usd: "90.00" }, payout: { daily_usd: "0.00" } },
  });
  const ofAll = ["$500.00 a UTC day", "400.00 eur a UTC day", "$900.00 in all", "5 sends a UTC day"];
  expect(capsInWords(policy, "charge")).toEqual(ofAll);
  expect(capsInWords(policy, "refund")).toEqual([...ofAll, "$50.00 of refund a UTC day", "$90.00 of refund in all"]);
  expect(capsInWords(compilePolicy({ vendor: "stripe" }), "refund")).toEqual([]);
});
