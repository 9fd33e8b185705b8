import { describe, expect, test } from "bun:test";
import { keyBudgets } from "../../src/ledger/budget.ts";
import type { CompiledPolicy } from "../../src/policy/policy.ts";

const NO_CAPS: CompiledPolicy = {
  vendor: "stripe",
  allowed: [],
  denied: [],
  capWindow: "utc_day",
  idempotency: "replay",
  dedupWindowMs: undefined,
  dailyCapMicros: undefined,
  totalCapMicros: undefined,
  maxPerCallMicros: undefined,
  dailySendCap: undefined,
  currencies: new Set(["usd"]),
  parameters: [],
  customers: undefined,
  merchants: new Set(),
  toPrefixes: undefined,
  fromNumbers: undefined,
  fromDomains: undefined,
  toDomains: undefined,
};

describe("a key's budgets", () => {
  test("are none where its policy has no cap", () => {
    expect(keyBudgets("vk_1", NO_CAPS)).toEqual([]);
  });

  test("are one for each cap, in the order in which they answer, a cap of nothing included", () => {
    const caps = { dailyCapMicros: 0n, totalCapMicros: 7n, dailySendCap: 3n, maxPerCallMicros: 1n };
    const shown = keyBudgets("vk_1", { ...NO_CAPS, ...caps }).map(({ id, unit, cap, window }) => [
      id,
      unit,
      cap,
      window,
    ]);
    expect(shown).toEqual([
      ["key:vk_1:daily_usd_cap", "usd", 0n, "utc_day"],
      ["key:vk_1:total_usd_cap", "usd", 7n, "lifetime"],
      ["key:vk_1:daily_send_cap", "sends", 3n, "utc_day"],
    ]);
  });

  test("never share a counter with another key's", () => {
    const ids = ["vk_1", "vk_11", "vk_1:daily_usd_cap"].flatMap((id) =>
      keyBudgets(id, { ...NO_CAPS, dailyCapMicros: 1n, totalCapMicros: 1n }).map((budget) => budget.id),
    );
    expect(new Set(ids).size).toBe(ids.length);
  });
});
