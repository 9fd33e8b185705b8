import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Problem } from "../../src/core/problem.ts";
import { capsOfKey } from "../../src/ledger/budget.ts";
import { compilePolicies } from "../../src/policy/compile.ts";
import { judge } from "../../src/policy/judge.ts";
import { narrowPolicy } from "../../src/policy/narrow.ts";
import type { PolicyDocument } from "../../src/policy/policy.ts";
import { POLICY_FIELDS } from "../../src/policy/schema.ts";
import { validatePolicy } from "../../src/policy/validate.ts";
import { ACCOUNT, fakeVendor, PRICING } from "./fake-vendor.ts";
import { callArbitrary, fieldsArbitrary } from "./generated-policy.ts";

/** Two vendors with the same operations: whatever tells them apart is the policy's doing. */
const VENDORS = [fakeVendor, { ...fakeVendor, name: "other" }];
const NAMES = VENDORS.map(({ name }) => name);

function policy(fields: Record<string, unknown>): PolicyDocument {
  const result = validatePolicy(fields);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join("\n"));
  return result.policy;
}

const BASE = policy({
  vendors: {
    fake: { daily_usd_cap: 50, allowed_endpoints: ["POST /v1/charges"], customers: ["cus_1", "cus_2"] },
    other: { allowed_endpoints: ["* /v1/**"], dedup_window: "20m" },
  },
  daily_usd_cap_total: 60,
  per_vendor_daily_caps: { other: 20 },
  max_write_operations: 9,
  dedup_window: "10m",
  idempotency: "forward",
  expires_in: "2h",
});

describe("takes what narrows", () => {
  test.each([
    ["nothing", {}, BASE],
    [
      "a vendor's lower cap",
      { vendors: { fake: { daily_usd_cap: 5 } } },
      { vendors: { fake: { daily_usd_cap: "5.00" } } },
    ],
    [
      "fewer of a vendor's customers",
      { vendors: { fake: { customers: "cus_1" } } },
      { vendors: { fake: { customers: ["cus_1"] } } },
    ],
    ["a lower total", { daily_usd_cap_total: 59 }, { daily_usd_cap_total: "59.00" }],
    [
      "a cap of a vendor that has none",
      { per_vendor_daily_caps: "fake=9" },
      { per_vendor_daily_caps: { fake: "9.00", other: "20.00" } },
    ],
    ["a further joint cap", { total_usd_cap: 5 }, { total_usd_cap: "5.00" }],
    [
      "an empty list, which stops a vendor",
      { vendors: { other: { allowed_endpoints: [] } } },
      { vendors: { other: { allowed_endpoints: [] } } },
    ],
    ["a shorter life", { expires_in: "1h" }, { expires_in: "1h" }],
    ["the window of all vendors", { cap_window: "rolling_24h" }, { cap_window: "rolling_24h" }],
    [
      "a default that is tighter for every vendor, written into each",
      { dedup_window: "30m" },
      { dedup_window: "10m", vendors: { fake: { dedup_window: "30m" }, other: { dedup_window: "30m" } } },
    ],
    [
      "a default that one vendor overrides",
      { vendors: { fake: { idempotency: "replay" } } },
      { idempotency: "forward", vendors: { fake: { idempotency: "replay" } } },
    ],
  ])("%s", (_title, fields, expected) => {
    expect(narrowPolicy(BASE, fields, VENDORS)).toMatchObject(expected as object);
  });

  test("leaves what the request does not name as the template has it", () => {
    expect(narrowPolicy(BASE, {}, VENDORS)).toEqual(BASE);
    const narrowed = narrowPolicy(BASE, { vendors: { fake: { daily_usd_cap: 5 } } }, VENDORS);
    expect(narrowed.vendors!["other"]).toEqual(BASE.vendors!["other"]!);
  });
});

describe("refuses what widens or stands in the wrong place", () => {
  test.each([
    [
      { vendors: { fake: { daily_usd_cap: 51 } } },
      "vendors.fake.daily_usd_cap: 51.00 is wider than the template's 50.00",
    ],
    [{ vendors: { fake: { customers: ["cus_3"] } } }, "vendors.fake.customers: [cus_3] is wider"],
    [{ vendors: { third: {} } }, "third is none of the template's vendors, which are fake, other"],
    [{ per_vendor_daily_caps: { other: 21 } }, "per_vendor_daily_caps.other: 21.00 is wider than the template's 20.00"],
    [{ per_vendor_daily_caps: { third: 1 } }, "third is none of the template's vendors"],
    [{ daily_usd_cap_total: 61 }, "daily_usd_cap_total: 61.00 is wider than the template's 60.00"],
    [{ max_write_operations: 10 }, "max_write_operations: 10 is wider than the template's 9"],
    [{ dedup_window: "15m" }, "vendors.other.dedup_window: 15m is wider than the template's 20m"],
    [{ vendors: { fake: { dedup_window: "9m" } } }, "vendors.fake.dedup_window: 9m is wider than the template's 10m"],
    [{ on_unknown_cost: "allow" }, "vendors.fake.on_unknown_cost: allow is wider than the template's deny"],
    [
      { vendors: { other: { allowed_endpoints: ["POST /v1/keys"] } } },
      'vendors.other.allowed_endpoints: "POST /v1/keys" is closed',
    ],
    [{ expires_in: "3h" }, "expires_in: 3h is wider than the template's 2h"],
    [{ daily_usd_cap: 5 }, "vendors.fake.daily_usd_cap"],
    [{ vendor: "fake" }, "give one of them"],
  ])("%j", (fields, message) => {
    const narrow = () => narrowPolicy(BASE, fields, VENDORS);
    expect(narrow).toThrow(Problem);
    expect(narrow).toThrow(message as string);
  });

  test.each([
    [{ daily_usd_cap_total: 5 }, "this one is for fake; use daily_usd_cap"],
    [{ per_vendor_daily_caps: { fake: 5 } }, "use daily_usd_cap"],
    [{ vendors: { fake: {} } }, "in place of vendor"],
  ])("%j beside a template for one vendor", (fields, message) => {
    expect(() => narrowPolicy(policy({ vendor: "fake" }), fields, VENDORS)).toThrow(message);
  });
});

const AT_TOP = POLICY_FIELDS.filter(({ place }) => place === "key" || place === "joint" || place === "default");
const TOP_NAMES: ReadonlySet<string> = new Set(AT_TOP.map(({ name }) => name));
const only = (fields: Record<string, unknown>, keep: (name: string) => boolean) =>
  Object.fromEntries(Object.entries(fields).filter(([name]) => keep(name)));

const isOwn = (name: string) => !["expires_in", "cap_window"].includes(name);
const joint = fc.record(
  {
    daily_usd_cap_total: fc.constantFrom(0, 5, "10.50"),
    per_vendor_daily_caps: fc.dictionary(fc.constantFrom(...NAMES), fc.constantFrom(0, 5, 50), {
      minKeys: 1,
      noNullPrototype: true,
    }),
    dedup_window: fc.constantFrom("1m", "10m"),
    idempotency: fc.constantFrom("replay", "forward"),
  },
  { requiredKeys: [] },
);
/** Any fields at the top, and for each of the two vendors or one of them. */
const severalArbitrary: fc.Arbitrary<Record<string, unknown>> = fc
  .tuple(fieldsArbitrary, joint, fc.dictionary(fc.constantFrom(...NAMES), fieldsArbitrary, { noNullPrototype: true }))
  .map(([top, more, parts]) => ({
    ...only(top, (name) => TOP_NAMES.has(name)),
    ...more,
    ...(Object.keys(parts).length === 0
      ? {}
      : { vendors: Object.fromEntries(Object.entries(parts).map(([name, own]) => [name, only(own, isOwn)])) }),
  }));

const baseArbitrary: fc.Arbitrary<PolicyDocument> = severalArbitrary
  .map((fields) => {
    const parts = (fields["vendors"] ?? {}) as Record<string, object>;
    const whole = NAMES.map((name) => [name, { allowed_endpoints: ["* /**"], ...parts[name] }] as const);
    return validatePolicy({ ...fields, vendors: Object.fromEntries(whole) });
  })
  .filter((result) => result.ok)
  .map((result) => (result.ok ? result.policy : (undefined as never)));

const RATES = new Map([
  ["eur", 1_100_000n],
  ["gbp", 1_300_000n],
]);

/** Single fields too, of each vendor: one that is refused must not hide the others. */
function attempts(fields: Record<string, unknown>): Record<string, unknown>[] {
  const { vendors = {}, ...top } = fields as { vendors?: Record<string, Record<string, unknown>> };
  const ofVendors = Object.entries(vendors).flatMap(([vendor, own]) =>
    Object.entries(own).map(([name, value]) => ({ vendors: { [vendor]: { [name]: value } } })),
  );
  return [fields, ...Object.entries(top).map(([name, value]) => ({ [name]: value })), ...ofVendors];
}

test("for any policy and any fields, narrowing never admits at a vendor what the base refused there, and raises no cap", () => {
  let narrowings = 0;
  let admitted = 0;
  const calls = fc.array(callArbitrary, { minLength: 5, maxLength: 10 });
  fc.assert(
    fc.property(baseArbitrary, severalArbitrary, calls, (base, fields, made) => {
      for (const attempt of attempts(fields)) {
        let narrowed: PolicyDocument;
        try {
          narrowed = narrowPolicy(base, attempt, VENDORS);
        } catch (error) {
          expect(error).toBeInstanceOf(Problem);
          continue;
        }
        narrowings += 1;
        const [before, after] = [compilePolicies(base), compilePolicies(narrowed)];
        expect([...after.keys()]).toEqual(NAMES);
        const tighter = capsOfKey("vk_1", after.values(), RATES);
        for (const { name, cap } of capsOfKey("vk_1", before.values(), RATES)) {
          const same = tighter.find((budget) => budget.name === name);
          expect(same ? same.cap <= cap : `${name} is gone`).toBe(true);
        }
        for (const vendor of VENDORS) {
          const [wide, narrow] = [before.get(vendor.name)!, after.get(vendor.name)!];
          expect(narrow.dedupWindowMs ?? 0).toBeGreaterThanOrEqual(wide.dedupWindowMs ?? 0);
          if (wide.idempotency === "replay") expect(narrow.idempotency).toBe("replay");
          if (wide.capWindow === "rolling_24h") expect(narrow.capWindow).toBe("rolling_24h");
          for (const each of made) {
            if (!judge(narrow, vendor, ACCOUNT, each, PRICING).ok) continue;
            admitted += 1;
            expect(judge(wide, vendor, ACCOUNT, each, PRICING).ok).toBe(true);
          }
        }
      }
    }),
    { numRuns: 400 },
  );
  // The property says something only where narrowings succeed and admit calls.
  expect(narrowings).toBeGreaterThan(200);
  expect(admitted).toBeGreaterThan(50);
});
