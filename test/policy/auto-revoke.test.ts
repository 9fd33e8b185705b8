import { describe, expect, test } from "bun:test";
import { autoRevokeRules, narrowAutoRevoke } from "../../src/policy/auto-revoke.ts";
import { validateFields } from "../../src/policy/validate.ts";

const hits = (cap_hits: number, within: string) => ({ cap_hits, within });
const errors = (vendor_errors: number, within: string) => ({ vendor_errors, within });
const times = (requests_over_baseline: string) => ({ requests_over_baseline });

describe("is read", () => {
  test.each([
    ["one rule", hits(10, "1h"), [hits(10, "1h")]],
    ["numbers as text, and a duration in seconds", { cap_hits: "10", within: 90 }, [hits(10, "90s")]],
    [
      "a list of all three",
      [hits(1, "1s"), errors(50, "5m"), times("5x")],
      [hits(1, "1s"), errors(50, "5m"), times("5x")],
    ],
    ["two of one name", [hits(3, "1m"), hits(10, "24h")], [hits(3, "1m"), hits(10, "24h")]],
    ["a rule that is there twice as one", [hits(3, "1m"), hits(3, "1m")], [hits(3, "1m")]],
    ["a bare factor", { requests_over_baseline: 5 }, [times("5x")]],
    [
      "text of a flag",
      "cap_hits=10/1h, vendor_errors=50/5m,requests_over_baseline=5x",
      [hits(10, "1h"), errors(50, "5m"), times("5x")],
    ],
  ] as const)("%s", (_what, given, canonical) => {
    const read = validateFields({ auto_revoke: given });
    expect(read).toEqual({ ok: true, fields: { auto_revoke: canonical } } as never);
    expect(validateFields({ auto_revoke: canonical })).toEqual(read);
  });

  test.each([
    ["a word", "often", [], "must be a rule or up to 10"],
    ["nothing", [], [], "must be a rule or up to 10"],
    ["eleven rules", Array.from({ length: 11 }, (_, index) => hits(index + 1, "1h")), [], "up to 10"],
    ["a slip of the hand", { cap_hit: 10, within: "1h" }, [], "did you mean cap_hits?"],
    ["two rules in one map", { cap_hits: 10, vendor_errors: 5, within: "1h" }, [], "one rule"],
    ["no time", { cap_hits: 10 }, [], "needs within"],
    ["no time in a flag", "cap_hits=10", [], "needs within"],
    ["another field", { cap_hits: 10, within: "1h", hard: true }, ["hard"], "has cap_hits and within"],
    [
      "a time beside the baseline",
      { requests_over_baseline: "5x", within: "1h" },
      ["within"],
      "has requests_over_baseline",
    ],
    ["none", hits(0, "1h"), ["cap_hits"], "1 to 10000, not 0"],
    ["too many to keep", hits(10_001, "1h"), ["cap_hits"], "1 to 10000"],
    ["a part", { cap_hits: 1.5, within: "1h" }, ["cap_hits"], "whole number"],
    ["no duration", hits(1, "soon"), ["within"], "duration"],
    ["too short a time", hits(1, "10ms"), ["within"], "1s to 24h"],
    ["too long a time", hits(1, "25h"), ["within"], "1s to 24h"],
    ["once the baseline", times("1x"), ["requests_over_baseline"], "2x to 1000x"],
    ["a part of the baseline", times("1.5x"), ["requests_over_baseline"], "2x to 1000x"],
  ] as const)("and refused: %s", (_what, given, path, message) => {
    const read = validateFields({ auto_revoke: given });
    if (read.ok) throw new Error("it was read");
    expect(read.problems.map((problem) => problem.path)).toEqual([["auto_revoke", ...path]]);
    expect(read.problems[0]!.message).toContain(message);
  });

  test("with the place in the list of what is wrong", () => {
    const read = validateFields({ auto_revoke: [hits(1, "1h"), hits(0, "1h")] });
    expect(read).toMatchObject({ problems: [{ path: ["auto_revoke", 1, "cap_hits"] }] });
  });
});

test("is nothing where there is no such field", () => {
  expect(autoRevokeRules(undefined)).toEqual([]);
});

describe("narrows", () => {
  const narrow = (base: readonly object[], given: readonly object[]) => {
    let wider = false;
    const merged = narrowAutoRevoke(base, given, () => {
      wider = true;
    });
    return wider ? "wider" : merged;
  };
  test.each([
    ["to fewer", [hits(10, "1h")], [hits(5, "1h")], [hits(5, "1h")]],
    ["to a longer time", [hits(10, "1h")], [hits(10, "2h")], [hits(10, "2h")]],
    ["to the same, spelled otherwise", [hits(10, "1h")], [hits(10, "60m")], [hits(10, "60m")]],
    [
      "by another rule, and keeps the template's",
      [hits(10, "1h")],
      [errors(5, "1m")],
      [hits(10, "1h"), errors(5, "1m")],
    ],
    [
      "by fewer in a shorter time, which the template's does not replace",
      [hits(10, "1h")],
      [hits(5, "5m")],
      [hits(10, "1h"), hits(5, "5m")],
    ],
    ["not to more", [hits(10, "1h")], [hits(11, "1h")], "wider"],
    ["not to a shorter time", [hits(10, "1h")], [hits(10, "59m")], "wider"],
    ["to a smaller factor", [times("5x")], [times("3x")], [times("3x")]],
    ["not to a larger factor", [times("5x")], [times("6x")], "wider"],
    ["one of several", [hits(10, "1h"), errors(50, "5m")], [errors(5, "5m")], [hits(10, "1h"), errors(5, "5m")]],
  ] as const)("%s", (_what, base, given, merged) => {
    expect(narrow(base, given)).toEqual(merged as never);
  });
});
