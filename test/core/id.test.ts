import { describe, expect, test } from "bun:test";
import { timeOrderedId } from "../../src/core/id.ts";

/** Later than any time that another test has made an id at: the module's clock never goes back. */
const LATER = Date.UTC(2090, 0, 1);

function ascending(ids: readonly string[]): boolean {
  return ids.every((id, index) => index === 0 || ids[index - 1]! < id);
}

describe("a time-ordered id", () => {
  test("is a prefix and 22 characters that nobody mistakes for one another", () => {
    expect(timeOrderedId("call", LATER)).toMatch(/^call_[0-9a-hjkmnp-tv-z]{22}$/);
  });

  test("sorts after every earlier one, over 100,000 in one millisecond", () => {
    expect(ascending(Array.from({ length: 100_000 }, () => timeOrderedId("call", LATER + 1)))).toBe(true);
  });

  test("sorts after every earlier one when the clock jumps, stands still and steps back", () => {
    const steps = [0, 5, 5, 5, 4, 1, -3_600_000, 6, 7, 6, 0, 1_000, 999, 86_400_000, 12];
    expect(ascending(steps.flatMap((step) => [step, step].map((ms) => timeOrderedId("call", LATER + 10 + ms))))).toBe(
      true,
    );
  });

  test("sorts after every earlier one when the clock is an hour back for more ids than a millisecond can count", () => {
    const ahead = LATER + 2 * 86_400_000;
    let last = timeOrderedId("call", ahead);
    let ordered = true;
    for (let i = 0; i < 32 ** 4 + 10; i++) {
      const next = timeOrderedId("call", ahead - 3_600_000);
      ordered &&= last < next;
      last = next;
    }
    expect(ordered).toBe(true);
    expect(timeOrderedId("call", ahead + 5) > last).toBe(true);
  });

  test("begins with its time, so that ids of several processes sort by it", () => {
    const first = timeOrderedId("vk", LATER + 10 * 86_400_000);
    const second = timeOrderedId("vk", LATER + 10 * 86_400_000 + 1);
    expect(first.slice(0, 13) < second.slice(0, 13)).toBe(true);
  });

  test("never repeats", () => {
    const ids = Array.from({ length: 20_000 }, () => timeOrderedId("call", LATER).slice(-8));
    expect(new Set(ids).size).toBe(ids.length);
  });
});
