import { describe, expect, test } from "bun:test";
import { MATCHED_VALUE_CHARACTERS_MAX, patternProblem } from "../../src/policy/pattern-cost.ts";

describe("patternProblem", () => {
  test.each([
    "ord_[0-9]+",
    "(ord|inv)_[0-9]+",
    "(_[0-9]+)?",
    ".*",
    "a.*b.*",
    "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "[a-z]{1,64}@[a-z]{1,64}\\.[a-z]{2,4}",
    "\\p{L}{1,20}",
    "[\\]a-z]+",
    "\\u{41}\\.",
    "(?:ab)+",
    "a+?",
  ])("takes %p", (pattern) => expect(patternProblem(pattern)).toBeUndefined());

  test.each([
    ["(a+)+", "too long"],
    ["(a|a)*", "too long"],
    ["(a*)*", "too long"],
    ["(a|ab|b){1,50}", "too long"],
    ["a*a*a*", "too long"],
    [`${"a?".repeat(30)}`, "too long"],
    [`${"(a|a)".repeat(25)}`, "too long"],
    ["([a-z]+[0-9]+){2}", "too long"],
    ["(a)\\1", "backreference"],
    ["(?=a)b", "look-around"],
    ["(?<!a)b", "look-around"],
    ["(?<n>a)\\k<n>", "look-around"],
    ["a{600}", "repeats more than"],
    ["a)|(b", "not a regular expression"],
    ["a".repeat(201), "201 characters"],
    ["", "empty"],
    ["[", "not a regular expression"],
  ])("refuses %p", (pattern, why) => expect(patternProblem(pattern)).toContain(why));

  test("bounds the work: the dearest patterns it takes come to an end on hostile values", () => {
    const value = `${"a".repeat(MATCHED_VALUE_CHARACTERS_MAX - 1)}!`;
    for (const pattern of ["a*a*b", "(?:a|aa)a*a*b", "(?:a{1,9}){1,4}b", "[a-z]+[a-z]+[0-9]"]) {
      const problem = patternProblem(pattern);
      // Whatever is taken is run: one that backtracks without bound would never return.
      if (problem === undefined) expect(new RegExp(`^(?:${pattern})$`, "u").test(value)).toBe(false);
      else expect(problem).toContain("too long");
    }
    expect(patternProblem("a*a*b")).toBeUndefined();
  });
});
