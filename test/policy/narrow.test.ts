import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { parseUsd } from "../../src/core/money.ts";
import { Problem } from "../../src/core/problem.ts";
import { parseDuration } from "../../src/core/window.ts";
import { keyBudgets } from "../../src/ledger/budget.ts";
import { autoRevokeRules } from "../../src/policy/auto-revoke.ts";
import { compilePolicy } from "../../src/policy/compile.ts";
import { judge } from "../../src/policy/judge.ts";
import { narrowPolicy } from "../../src/policy/narrow.ts";
import type { PolicyDocument } from "../../src/policy/policy.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { ACCOUNT, fakeVendor, PRICING } from "./fake-vendor.ts";
import { callArbitrary, fieldsArbitrary, policyArbitrary } from "./generated-policy.ts";

function policy(fields: Record<string, unknown>): PolicyDocument {
  const result = validatePolicy({ vendor: "fake", ...fields });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.policy;
}

const RATES = new Map([
  ["eur", 1_100_000n],
  ["gbp", 1_300_000n],
]);

const BASE = policy({
  daily_usd_cap: 500,
  max_amount_per_call_usd: 120,
  dedup_window: "10m",
  daily_cap: "400eur",
  caps: { refund: { daily_usd: 50 }, payout: { daily_usd: 0 } },
  allowed_endpoints: ["POST /v1/charges", "GET /v1/**", "* /v1/x/**"],
  denied_endpoints: ["GET /v1/files/**"],
  customers: ["cus_1", "cus_2"],
  to_prefixes: ["+1"],
  expires_in: "2h",
  parameters: {
    currency: { in: ["usd", "eur"], not_in: ["chf"] },
    amount: { min: 100 },
    order: { matches: "o[0-9]+" },
  },
});

describe("takes what narrows", () => {
  test.each([
    ["a lower cap", { daily_usd_cap: 200 }, { daily_usd_cap: "200.00" }],
    ["a cap that the template has not", { total_usd_cap: 900 }, { total_usd_cap: "900.00" }],
    [
      "a lower cap in the template's currency",
      { daily_cap: "9eur" },
      { daily_cap: { amount: "9.00", currency: "eur" } },
    ],
    [
      "a cap in another currency beside none",
      { total_cap: "9gbp" },
      { total_cap: { amount: "9.00", currency: "gbp" } },
    ],
    [
      "lower and further caps by kind, beside the template's",
      { caps: { refund: { daily_usd: 20, total_usd: 90 }, charge: { daily_usd: 900 } } },
      {
        caps: {
          refund: { daily_usd: "20.00", total_usd: "90.00" },
          payout: { daily_usd: "0.00" },
          charge: { daily_usd: "900.00" },
        },
      },
    ],
    [
      "an endpoint within a pattern",
      { allowed_endpoints: ["GET /v1/customers/*"] },
      { allowed_endpoints: ["GET /v1/customers/*"] },
    ],
    [
      "further denials, beside the template's",
      { denied_endpoints: "GET /v1/a" },
      { denied_endpoints: ["GET /v1/files/**", "GET /v1/a"] },
    ],
    ["fewer customers", { customers: ["cus_2"] }, { customers: ["cus_2"] }],
    ["a longer prefix", { to_prefixes: ["+1500"] }, { to_prefixes: ["+1500"] }],
    ["the default currency by name", { allowed_currencies: ["usd"] }, { allowed_currencies: ["usd"] }],
    ["a longer dedup_window", { dedup_window: "1h" }, { dedup_window: "1h" }],
    ["the same dedup_window in other words", { dedup_window: 600 }, { dedup_window: "600s" }],
    ["the default of idempotency by name", { idempotency: "replay" }, { idempotency: "replay" }],
    ["a shorter life", { expires_in: 60 }, { expires_in: "60s" }],
    ["another description", { description: "x" }, { description: "x" }],
    ["a rolling window", { cap_window: "rolling_24h" }, { cap_window: "rolling_24h" }],
    ["a rate where there is none", { requests_per_minute: 9 }, { requests_per_minute: 9 }],
    ["a count where there is none", { max_write_operations: 9 }, { max_write_operations: 9 }],
    ["the same vendor", { vendor: "fake", cap_window: "utc_day" }, { vendor: "fake" }],
  ])("%s", (_title, fields, expected) => {
    expect(narrowPolicy(BASE, fields, [fakeVendor])).toMatchObject(expected as object);
  });

  test("parameter rules, all of them together", () => {
    const narrowed = narrowPolicy(
      BASE,
      { parameters: { currency: { in: "usd", not_in: "gbp" }, amount: { max: 900 }, extra: { forbidden: true } } },
      [fakeVendor],
    );
    expect(narrowed["parameters"]).toEqual({
      currency: { in: ["usd"], not_in: ["chf", "gbp"] },
      amount: { min: "100", max: "900" },
      order: { matches: "o[0-9]+" },
      extra: { forbidden: true },
    });
  });
});

describe("refuses what widens, with field, template's value and given value", () => {
  test.each([
    [{ daily_usd_cap: 500.01 }, "daily_usd_cap: 500.01 is wider than the template's 500.00"],
    [{ caps: { refund: { daily_usd: 50.01 } } }, "caps.refund.daily_usd: 50.01 is wider than the template's 50.00"],
    [{ caps: "payout.daily_usd=0.01" }, "caps.payout.daily_usd: 0.01 is wider than the template's 0.00"],
    [{ caps: {} }, "caps must be a map"],
    [{ daily_cap: "401 eur" }, "daily_cap: 401.00 eur is wider than the template's 400.00 eur"],
    [{ daily_cap: "1 gbp" }, "daily_cap: 1.00 gbp is wider than the template's 400.00 eur"],
    [{ allowed_endpoints: ["POST /v1/refunds"] }, "allowed_endpoints: [POST /v1/refunds] is wider than the template's"],
    [{ allowed_endpoints: ["* /v1/charges"] }, "allowed_endpoints: [* /v1/charges] is wider"],
    [{ customers: ["cus_1", "cus_3"] }, "customers: [cus_1, cus_3] is wider than the template's [cus_1, cus_2]"],
    [{ merchants: ["acct_1"] }, "merchants: [acct_1] is wider than the template's []"],
    [{ to_prefixes: ["+44"] }, "to_prefixes: [+44] is wider than the template's [+1]"],
    [{ to_prefixes: ["+"] }, "to_prefixes[0] must be a +"],
    [{ allowed_currencies: ["eur"] }, "allowed_currencies: [eur] is wider than the template's [usd]"],
    [{ expires_in: "3h" }, "expires_in: 3h is wider than the template's 2h"],
    [{ dedup_window: "9m" }, "dedup_window: 9m is wider than the template's 10m"],
    [{ idempotency: "forward" }, "idempotency: forward is wider than the template's replay"],
    [{ vendor: "stripe" }, "vendor: stripe is wider than the template's fake"],
    [
      { parameters: { currency: { in: ["gbp"] } } },
      "parameters.currency.in: [gbp] is wider than the template's [usd, eur]",
    ],
    [{ parameters: { amount: { min: 1 } } }, "parameters.amount.min: 1 is wider than the template's 100"],
    [{ parameters: { order: { matches: ".*" } } }, "parameters.order.matches: .* is wider than the template's o[0-9]+"],
    [{ parameters: { amount: { max: 50 } } }, "min 100 over max 50"],
    [{ customer: ["cus_1"] }, "did you mean customers?"],
    [{ daily_usd_cap: 900, expires_in: "1d" }, "; expires_in: 1d is wider"],
  ])("%j", (fields, message) => {
    const narrow = () => narrowPolicy(BASE, fields, [fakeVendor]);
    expect(narrow).toThrow(Problem);
    expect(narrow).toThrow(message as string);
  });

  test("the opening of a closed operation under a broad pattern", () => {
    const broad = policy({ allowed_endpoints: ["* /**"] });
    expect(() => narrowPolicy(broad, { allowed_endpoints: ["POST /v1/keys"] }, [fakeVendor])).toThrow("is closed");
    const named = policy({ allowed_endpoints: ["* /**", "POST /v1/keys"] });
    expect(narrowPolicy(named, { allowed_endpoints: ["POST /v1/keys"] }, [fakeVendor])["allowed_endpoints"]).toEqual([
      "POST /v1/keys",
    ]);
  });

  test.each([
    [{ cap_window: "rolling_24h" }, { cap_window: "utc_day" }, "cap_window: utc_day is wider than"],
    [
      { max_write_operations: 5 },
      { max_write_operations: 6 },
      "max_write_operations: 6 is wider than the template's 5",
    ],
    [{}, { on_unknown_cost: "allow" }, "on_unknown_cost: allow is wider than the template's deny"],
    [{}, { on_unknown_cost: "reserve_usd=5" }, "on_unknown_cost: reserve_usd=5.00 is wider than the template's deny"],
    [
      { on_unknown_cost: { reserve_usd: 5 } },
      { on_unknown_cost: { reserve_usd: 4.99 } },
      "on_unknown_cost: reserve_usd=4.99 is wider than the template's reserve_usd=5.00",
    ],
    [{ on_unknown_cost: "reserve_usd=5" }, { on_unknown_cost: "allow" }, "on_unknown_cost: allow is wider than"],
    [{ requests_per_minute: 5 }, { requests_per_minute: 6 }, "requests_per_minute: 6 is wider than the template's 5"],
    [{ requests_per_hour: 5 }, { requests_per_hour: 6 }, "requests_per_hour: 6 is wider than the template's 5"],
  ])("%o with %o", (base, fields, message) => {
    expect(() => narrowPolicy(policy(base), fields, [fakeVendor])).toThrow(message);
  });

  test.each([
    ["allow", "allow"],
    ["allow", { reserve_usd: "5.00" }],
    ["allow", "deny"],
    [{ reserve_usd: 5 }, { reserve_usd: "5.00" }],
    [{ reserve_usd: 5 }, { reserve_usd: "50.00" }],
    [{ reserve_usd: 5 }, "deny"],
  ])("takes on_unknown_cost %j to %j, which is as tight or tighter", (base, on_unknown_cost) => {
    const template = policy({ on_unknown_cost: base });
    expect(narrowPolicy(template, { on_unknown_cost }, [fakeVendor])).toMatchObject({ on_unknown_cost });
  });

  test("repeats that are sent on, unless the template sends them on", () => {
    const forwarding = policy({ allowed_endpoints: ["* /**"], idempotency: "forward" });
    for (const idempotency of ["forward", "replay"]) {
      expect(narrowPolicy(forwarding, { idempotency }, [fakeVendor])).toMatchObject({ idempotency });
    }
    expect(narrowPolicy(forwarding, { dedup_window: "1s" }, [fakeVendor])).toMatchObject({ dedup_window: "1s" });
  });

  test("everything, where the template allows nothing", () => {
    expect(() => narrowPolicy(policy({}), { allowed_endpoints: ["GET /v1/a"] }, [fakeVendor])).toThrow("template's []");
  });
});

const COUNTS = ["daily_send_cap", "max_write_operations", "requests_per_minute", "requests_per_hour"];

describe("for any policy and any fields", () => {
  test("narrowing never admits a call that the base refused, and never raises a cap or a life", () => {
    let narrowings = 0;
    let admitted = 0;
    fc.assert(
      fc.property(
        policyArbitrary,
        fieldsArbitrary,
        fc.array(callArbitrary, { minLength: 5, maxLength: 20 }),
        (base, fields, calls) => {
          // One field at a time where all together are refused: a single unlucky one must not hide the others.
          const attempts = [fields, ...Object.entries(fields).map(([name, value]) => ({ [name]: value }))];
          for (const attempt of attempts) {
            let narrowed: PolicyDocument;
            try {
              narrowed = narrowPolicy(base, attempt, [fakeVendor]);
            } catch (error) {
              expect(error).toBeInstanceOf(Problem);
              continue;
            }
            narrowings += 1;
            for (const name of ["daily_usd_cap", "total_usd_cap", "max_amount_per_call_usd"]) {
              if (base[name])
                expect(parseUsd(narrowed[name] as string)).toBeLessThanOrEqual(parseUsd(base[name] as string));
            }
            // For every kind and every currency: what is counted is counted, with caps that are no higher.
            const [wide, narrow] = [base, narrowed].map((document) =>
              keyBudgets("vk_1", compilePolicy(document), RATES),
            );
            for (const { name, cap } of wide!) {
              const same = narrow!.find((budget) => budget.name === name);
              expect(same ? same.cap <= cap : `${name} is gone`).toBe(true);
            }
            if (base["cap_window"] === "rolling_24h") expect(narrowed["cap_window"]).toBe("rolling_24h");
            for (const name of COUNTS) {
              if (base[name] === undefined) continue;
              expect(narrowed[name] as number).toBeLessThanOrEqual(base[name] as number);
            }
            if (base["idempotency"] !== "forward") expect(narrowed["idempotency"] ?? "replay").toBe("replay");
            if (base["dedup_window"]) {
              expect(parseDuration(narrowed["dedup_window"] as string)).toBeGreaterThanOrEqual(
                parseDuration(base["dedup_window"] as string),
              );
            }
            for (const { name, limit, withinMs } of autoRevokeRules(base["auto_revoke"])) {
              // Whatever trips a rule of the base trips one of these: as few, within as long.
              const rules = autoRevokeRules(narrowed["auto_revoke"]).filter((rule) => rule.name === name);
              expect(rules.some((rule) => rule.limit <= limit && rule.withinMs >= withinMs)).toBe(true);
            }
            if (base["expires_in"]) {
              expect(parseDuration(narrowed["expires_in"] as string)).toBeLessThanOrEqual(
                parseDuration(base["expires_in"] as string),
              );
            }
            const [before, after] = [compilePolicy(base), compilePolicy(narrowed)];
            for (const each of calls) {
              if (!judge(after, fakeVendor, ACCOUNT, each, PRICING).ok) continue;
              admitted += 1;
              expect(judge(before, fakeVendor, ACCOUNT, each, PRICING).ok).toBe(true);
            }
          }
        },
      ),
      { numRuns: 1000 },
    );
    // The property says something only where narrowings succeed and admit calls.
    expect(narrowings).toBeGreaterThan(100);
    expect(admitted).toBeGreaterThan(5);
  });
});
