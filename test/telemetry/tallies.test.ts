import { describe, expect, test } from "bun:test";
import { VERDICTS, type Verdict } from "../../src/core/verdict.ts";
import { NO_VENDOR, Tallies } from "../../src/telemetry/tallies.ts";

test("every verdict is counted under its own name, and so is a repeat", () => {
  const tallies = new Tallies(["stripe"]);
  const outcomes = [...(Object.keys(VERDICTS) as Verdict[]), "replayed"] as const;
  for (const [index, outcome] of outcomes.entries()) {
    for (let times = 0; times <= index; times++) tallies.of("stripe").call(outcome);
  }
  expect(Object.fromEntries(tallies.of("stripe").calls)).toEqual(
    Object.fromEntries(outcomes.map((outcome, index) => [outcome, index + 1])),
  );
});

test("`allowed` is there from the beginning, and nothing else is before it happens", () => {
  expect(new Tallies(["stripe"]).of("stripe").calls).toEqual([["allowed", 0]]);
});

test("names that are no vendor of this server share one tally, however many there are", () => {
  const tallies = new Tallies(["stripe", "twilio"]);
  for (let index = 0; index < 5_000; index++) tallies.of(`vendor-${index}"\n{}`).call("allowed");
  tallies.of(undefined).call("key_missing");
  expect(tallies.vendors.map(([name]) => name)).toEqual(["stripe", "twilio", NO_VENDOR]);
  expect(Object.fromEntries(tallies.of(undefined).calls)).toEqual({ allowed: 5_000, key_missing: 1 });
});

describe("money", () => {
  test("is added exactly, beyond what a float can hold", () => {
    const tally = new Tallies(["stripe"]).of("stripe");
    tally.settled(9_007_199_254_740_993n);
    tally.settled(1n);
    expect(tally.settledMicros).toBe(9_007_199_254_740_994n);
  });

  test("that a later price adds or takes off goes up in one of two counters, and down in none", () => {
    const tally = new Tallies(["twilio"]).of("twilio");
    for (const difference of [-2_000n, 500n, 0n, -1n]) tally.reconciled(difference);
    expect([tally.addedLaterMicros, tally.takenOffLaterMicros]).toEqual([500n, 2_001n]);
  });
});
