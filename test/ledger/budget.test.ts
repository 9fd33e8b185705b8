import { describe, expect, test } from "bun:test";
import { keyBudgets, keyCounters } from "../../src/ledger/budget.ts";
import type { CompiledPolicy } from "../../src/policy/policy.ts";
import { usd } from "./entries.ts";

const NO_CAPS: CompiledPolicy = {
  vendor: "stripe",
  allowed: [],
  denied: [],
  capWindow: "utc_day",
  idempotency: "replay",
  dedupWindowMs: undefined,
  dailyCapMicros: undefined,
  totalCapMicros: undefined,
  dailyCap: undefined,
  totalCap: undefined,
  kindCaps: [],
  maxPerCallMicros: undefined,
  unknownCostMicros: undefined,
  dailySendCap: undefined,
  maxWriteOperations: undefined,
  requestsPerMinute: undefined,
  requestsPerHour: undefined,
  currencies: new Set(["usd"]),
  parameters: [],
  customers: undefined,
  merchants: new Set(),
  toPrefixes: undefined,
  fromNumbers: undefined,
  fromDomains: undefined,
  toDomains: undefined,
};

const NO_RATES = new Map<string, bigint>();
/** $1.10 and a thousandth of a cent: nothing in euros is a whole number of cents. */
const RATES = new Map([["eur", 1_100_010n]]);
const EUROS = (units: bigint) => ({ amountMicros: units * 1_000_000n, currency: "eur" });

describe("a key's budgets", () => {
  test("are none where its policy has no cap", () => {
    expect(keyBudgets("vk_1", NO_CAPS, NO_RATES)).toEqual([]);
  });

  test("are one for each cap, in the order in which they answer, a cap of nothing included", () => {
    const policy: CompiledPolicy = {
      ...NO_CAPS,
      dailyCapMicros: 0n,
      totalCapMicros: 7n,
      dailySendCap: 3n,
      maxPerCallMicros: 1n,
      dailyCap: EUROS(2n),
      totalCap: EUROS(9n),
      kindCaps: [
        { kind: "charge", dailyMicros: 5n, totalMicros: undefined },
        { kind: "payout", dailyMicros: 0n, totalMicros: 8n },
      ],
    };
    const shown = keyBudgets("vk_1", policy, RATES).map(({ id, name, unit, cap, window, kind }) => [
      id.replace("key:vk_1:", ""),
      name,
      unit,
      cap,
      window,
      kind,
    ]);
    expect(shown).toEqual([
      ["daily_usd_cap", "daily_usd_cap", "usd", 0n, "utc_day", undefined],
      ["daily_usd_cap", "daily_cap", "usd", 2_200_020n, "utc_day", undefined],
      ["total_usd_cap", "total_usd_cap", "usd", 7n, "lifetime", undefined],
      ["total_usd_cap", "total_cap", "usd", 9_900_090n, "lifetime", undefined],
      ["daily_send_cap", "daily_send_cap", "sends", 3n, "utc_day", undefined],
      ["caps.charge.daily_usd", "caps.charge.daily_usd", "usd", 5n, "utc_day", "charge"],
      ["caps.payout.daily_usd", "caps.payout.daily_usd", "usd", 0n, "utc_day", "payout"],
      ["caps.payout.total_usd", "caps.payout.total_usd", "usd", 8n, "lifetime", "payout"],
    ]);
  });

  test("go by the window that the policy has, writes by the key's life and requests by any minute and hour", () => {
    const policy: CompiledPolicy = {
      ...NO_CAPS,
      capWindow: "rolling_24h",
      dailyCapMicros: 5n,
      dailyCap: EUROS(2n),
      totalCapMicros: 9n,
      dailySendCap: 3n,
      kindCaps: [{ kind: "refund", dailyMicros: 1n, totalMicros: 2n }],
      maxWriteOperations: 4n,
      requestsPerMinute: 6n,
      requestsPerHour: 7n,
    };
    const shown = keyBudgets("vk_1", policy, RATES).map(({ id, name, unit, window }) => [id, name, unit, window]);
    expect(shown).toEqual([
      ["key:vk_1:requests_per_minute@rolling_minute", "requests_per_minute", "requests", "rolling_minute"],
      ["key:vk_1:requests_per_hour@rolling_hour", "requests_per_hour", "requests", "rolling_hour"],
      ["key:vk_1:daily_usd_cap@rolling_24h", "daily_usd_cap", "usd", "rolling_24h"],
      ["key:vk_1:daily_usd_cap@rolling_24h", "daily_cap", "usd", "rolling_24h"],
      ["key:vk_1:total_usd_cap", "total_usd_cap", "usd", "lifetime"],
      ["key:vk_1:daily_send_cap@rolling_24h", "daily_send_cap", "sends", "rolling_24h"],
      ["key:vk_1:max_write_operations", "max_write_operations", "writes", "lifetime"],
      ["key:vk_1:caps.refund.daily_usd@rolling_24h", "caps.refund.daily_usd", "usd", "rolling_24h"],
      ["key:vk_1:caps.refund.total_usd", "caps.refund.total_usd", "usd", "lifetime"],
    ]);
  });

  test("never share a counter with another key's", () => {
    const kindCaps = [{ kind: "refund", dailyMicros: 1n, totalMicros: 1n }] as const;
    const ids = ["vk_1", "vk_11", "vk_1:daily_usd_cap"].flatMap((id) =>
      keyBudgets(id, { ...NO_CAPS, dailyCapMicros: 1n, totalCapMicros: 1n, kindCaps }, NO_RATES).map(
        (budget) => budget.id,
      ),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("what a key's calls are charged to", () => {
  test("counts all dollars and sends without a cap, too, and a kind of money only where it has one", () => {
    const kindCaps = [{ kind: "refund", dailyMicros: 1n, totalMicros: undefined }] as const;
    const names = (policy: CompiledPolicy) => keyCounters("vk_1", policy, NO_RATES).map(({ name }) => name);
    expect(names(NO_CAPS)).toEqual(["daily_usd_cap", "total_usd_cap", "daily_send_cap"]);
    expect(names({ ...NO_CAPS, kindCaps })).toEqual([...names(NO_CAPS), "caps.refund.daily_usd"]);
  });

  test.each([
    ["the dollars where they are fewer", usd(5), 5n, ["daily_usd_cap", usd(5)]],
    ["the euros where they are fewer", usd(6), 5n, ["daily_cap", 5_500_050n]],
    ["the euros alone", undefined, 5n, ["daily_cap", 5_500_050n]],
    ["the dollars alone", usd(5), undefined, ["daily_usd_cap", usd(5)]],
  ] as const)("holds caps in two currencies with one counter: %s", (_title, dollars, euros, expected) => {
    const dailyCap = euros === undefined ? undefined : EUROS(euros);
    const counters = keyCounters("vk_1", { ...NO_CAPS, dailyCapMicros: dollars, dailyCap }, RATES);
    const daily = counters.filter(({ id }) => id === "key:vk_1:daily_usd_cap");
    expect(daily.map(({ name, cap }) => [name, cap])).toEqual([[...expected]]);
    expect(counters).toHaveLength(3);
  });

  test("lets nothing through by a cap whose currency has no rate, and says which", () => {
    const policy = { ...NO_CAPS, dailyCapMicros: usd(5), dailyCap: EUROS(5n) };
    expect(keyCounters("vk_1", policy, NO_RATES)[0]).toMatchObject({ name: "daily_cap", cap: 0n, lacksRateOf: "eur" });
  });
});
