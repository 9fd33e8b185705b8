import { expect, test } from "bun:test";
import { capsOfKey, keyBudgets, keyCounters } from "../../src/ledger/budget.ts";
import { compilePolicies } from "../../src/policy/compile.ts";

const RATES = new Map([["eur", 1_000_000n]]);

const POLICIES = compilePolicies({
  vendors: {
    stripe: { daily_usd_cap: "50.00", daily_cap: { amount: "30.00", currency: "eur" }, requests_per_minute: 5 },
    resend: { daily_send_cap: 9 },
  },
  daily_usd_cap_total: "60.00",
  total_usd_cap: "90.00",
  per_vendor_daily_caps: { stripe: "40.00" },
  requests_per_hour: 7,
  max_write_operations: 8,
});

const names = (budgets: readonly { readonly name: string }[]) => budgets.map(({ name }) => name);

test("a call is charged to rates, then its vendor's caps, then those over all vendors", () => {
  expect(names(keyBudgets("vk_1", POLICIES.get("stripe")!, RATES))).toEqual([
    "requests_per_hour",
    "vendors.stripe.requests_per_minute",
    "vendors.stripe.daily_usd_cap",
    "per_vendor_daily_caps.stripe",
    "vendors.stripe.daily_cap",
    "daily_usd_cap_total",
    "total_usd_cap",
    "max_write_operations",
  ]);
});

test("caps on the same counter are one counter, with the lowest of them", () => {
  const counters = keyCounters("vk_1", POLICIES.get("stripe")!, RATES);
  const daily = counters.filter(({ id }) => id === "key:vk_1:vendors.stripe.daily_usd_cap");
  expect(daily).toMatchObject([{ name: "vendors.stripe.daily_cap", cap: 30_000_000n }]);
  expect(new Set(counters.map(({ id }) => id)).size).toBe(counters.length);
});

test("vendors share the counters over all of them, and no others", () => {
  const [stripe, resend] = ["stripe", "resend"].map((name) => keyCounters("vk_1", POLICIES.get(name)!, RATES));
  const ids = new Set(stripe!.map(({ id }) => id));
  expect(names(resend!.filter(({ id }) => ids.has(id)))).toEqual([
    "requests_per_hour",
    "daily_usd_cap_total",
    "total_usd_cap",
    "max_write_operations",
  ]);
});

test("all caps of a key stand vendor by vendor, each once, and what counts all vendors last", () => {
  expect(names(capsOfKey("vk_1", POLICIES.values(), RATES))).toEqual([
    "vendors.stripe.requests_per_minute",
    "vendors.stripe.daily_usd_cap",
    "per_vendor_daily_caps.stripe",
    "vendors.stripe.daily_cap",
    "vendors.resend.daily_send_cap",
    "requests_per_hour",
    "daily_usd_cap_total",
    "total_usd_cap",
    "max_write_operations",
  ]);
});
