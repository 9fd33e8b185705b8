import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { editDistance, nearestName } from "../../src/core/nearest.ts";
import { POLICY_FIELD_NAMES } from "../../src/policy/schema.ts";

const word = fc.string({ unit: fc.constantFrom("a", "b", "_"), maxLength: 6 });

describe("nearestName", () => {
  test.each([
    ["daily_usd_cpa", "daily_usd_cap"],
    ["daily-cap-usd", "daily_usd_cap"],
    ["Customers", "customers"],
    ["customer", "customers"],
    ["allow_endpoints", "allowed_endpoints"],
    ["daily_usd", "daily_usd_cap"],
    ["colour", undefined],
    ["", undefined],
  ])("takes %p for %p", (name, meant) => expect(nearestName(name, POLICY_FIELD_NAMES)).toBe(meant as string));

  test("finds every field again after one letter went missing", () => {
    for (const name of POLICY_FIELD_NAMES) {
      for (let at = 0; at < name.length; at++) {
        const slip = name.slice(0, at) + name.slice(at + 1);
        // A slip of vendors is as near to vendor, which means the same to whoever reads it.
        const meant = name === "vendors" ? ["vendors", "vendor"] : [name];
        expect(meant).toContain(POLICY_FIELD_NAMES.has(slip) ? slip : nearestName(slip, POLICY_FIELD_NAMES)!);
      }
    }
  });
});

test("editDistance is 0 only for equal texts, symmetric, and at most the longer length", () => {
  fc.assert(
    fc.property(word, word, (a, b) => {
      expect(editDistance(a, b) === 0).toBe(a === b);
      expect(editDistance(a, b)).toBe(editDistance(b, a));
      expect(editDistance(a, b)).toBeLessThanOrEqual(Math.max(a.length, b.length));
    }),
  );
});
