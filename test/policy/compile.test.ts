import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { stringify } from "yaml";
import { readYaml } from "../../src/core/yaml-data.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { policyArbitrary } from "./generated-policy.ts";

describe("compilePolicy", () => {
  test("reads amounts as micro-dollars and what is left out as its default", () => {
    expect(compilePolicy({ vendor: "stripe", daily_usd_cap: "29.99" })).toMatchObject({
      vendor: "stripe",
      allowed: [],
      denied: [],
      capWindow: "utc_day",
      idempotency: "replay",
      dedupWindowMs: undefined,
      dailyCapMicros: 29_990_000n,
      totalCapMicros: undefined,
      dailySendCap: undefined,
      currencies: new Set(["usd"]),
      customers: undefined,
      merchants: new Set(),
    });
  });

  test.each([
    [{}, "replay", undefined],
    [{ idempotency: "replay", dedup_window: "90s" }, "replay", 90_000],
    [{ idempotency: "forward", dedup_window: "2h" }, "forward", 7_200_000],
  ] as const)("says what becomes of repeats: %j", (fields, idempotency, dedupWindowMs) => {
    expect(compilePolicy({ vendor: "stripe", ...fields })).toMatchObject({ idempotency, dedupWindowMs });
  });

  test("reads caps by kind and in other currencies, whatever their rate", () => {
    const caps = { payout: { daily_usd: "0.00" }, charge: { total_usd: "9.50" } };
    const daily_cap = { amount: "500.00", currency: "eur" };
    expect(compilePolicy({ vendor: "stripe", caps, daily_cap })).toMatchObject({
      dailyCapMicros: undefined,
      dailyCap: { amountMicros: 500_000_000n, currency: "eur" },
      totalCap: undefined,
      kindCaps: [
        { kind: "charge", dailyMicros: undefined, totalMicros: 9_500_000n },
        { kind: "payout", dailyMicros: 0n, totalMicros: undefined },
      ],
    });
  });

  test("keeps every rule of a parameter", () => {
    const rule = {
      in: ["a"],
      not_in: ["b"],
      min: "1",
      max: "2",
      matches: "a+",
      prefix_in: ["a"],
      required: true,
      forbidden: true,
    };
    expect(compilePolicy({ vendor: "stripe", parameters: { "metadata[x]": rule } }).parameters).toEqual([
      {
        name: "metadata[x]",
        required: true,
        forbidden: true,
        in: new Set(["a"]),
        notIn: new Set(["b"]),
        min: 1n,
        max: 2n,
        matches: /^(?:a+)$/u,
        prefixIn: ["a"],
      },
    ]);
  });

  test("gives the same for a policy that was printed as JSON or YAML and read again", () => {
    fc.assert(
      fc.property(policyArbitrary, (policy) => {
        for (const again of [JSON.parse(JSON.stringify(policy)), readYaml(stringify(policy)).data]) {
          const read = validatePolicy(again);
          expect(read).toEqual({ ok: true, policy });
          if (read.ok) expect(compilePolicy(read.policy)).toEqual(compilePolicy(policy));
        }
      }),
      { numRuns: 200 },
    );
  });
});
