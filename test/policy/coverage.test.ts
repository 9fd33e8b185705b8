import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { METHODS } from "../../src/core/call.ts";
import { matchesRoute, parseRoute } from "../../src/core/route.ts";
import { covers, overlaps } from "../../src/policy/coverage.ts";

const segment = fc.constantFrom("a", "ab", "aab", "*", "a*", "*b", "a*b", "aa*");
const route = fc
  .tuple(fc.constantFrom("GET", "HEAD", "POST", "*"), fc.array(segment, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([method, segments, open]) => parseRoute(`${method} /${[...segments, ...(open ? ["**"] : [])].join("/")}`));
const path = fc
  .array(fc.constantFrom("a", "b", "ab", "aab", "aaab", "c"), { minLength: 1, maxLength: 5 })
  .map((parts) => `/${parts.join("/")}`);

describe("covers", () => {
  test("whatever an inner endpoint matches, the outer one matches", () => {
    fc.assert(
      fc.property(route, route, fc.constantFrom(...METHODS), path, (outer, inner, method, asked) => {
        fc.pre(covers(outer, inner) && matchesRoute(inner, method, asked));
        expect(matchesRoute(outer, method, asked)).toBe(true);
      }),
      { numRuns: 300, maxSkipsPerRun: 5000 },
    );
  });

  test.each([
    ["GET /v1/customers/*", "GET /v1/customers/cus_1", true],
    ["GET /v1/customers/*", "HEAD /v1/customers/*", true],
    ["GET /v1/**", "GET /v1/a/**", true],
    ["* /**", "* /**", true],
    ["* /**", "POST /v1/a", true],
    ["GET /a/*.json", "GET /a/x*.json", true],
    ["GET /v1/**", "GET /v1", false],
    ["GET /v1/*", "GET /v1/**", false],
    ["GET /v1/*", "GET /v1/a/b", false],
    ["GET /v1/a", "* /v1/a", false],
    ["POST /v1/a", "GET /v1/a", false],
    ["GET /a/*.json", "GET /a/*", false],
    ["GET /a/*.json", "GET /a/.json", false],
  ])("%p over %p: %p", (outer, inner, expected) => expect(covers(parseRoute(outer), parseRoute(inner))).toBe(expected));
});

describe("overlaps", () => {
  test("is true where some call is matched by both", () => {
    fc.assert(
      fc.property(route, route, fc.constantFrom(...METHODS), path, (a, b, method, asked) => {
        fc.pre(matchesRoute(a, method, asked) && matchesRoute(b, method, asked));
        expect(overlaps(a, b)).toBe(true);
      }),
      { numRuns: 300, maxSkipsPerRun: 5000 },
    );
  });

  test.each([
    ["GET /v1/a", "GET /v1/b", false],
    ["GET /v1/**", "POST /v1/a", false],
    ["GET /a*", "GET /b*", false],
    ["GET /v1/*", "* /**", true],
  ])("%p and %p: %p", (a, b, expected) => expect(overlaps(parseRoute(a), parseRoute(b))).toBe(expected));
});
