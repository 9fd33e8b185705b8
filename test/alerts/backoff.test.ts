import { expect, test } from "bun:test";
import { backoffMs, GIVE_UP_AFTER_MS, nextTry } from "../../src/alerts/backoff.ts";

test("waits 5 s, then twice as long each time, and never longer than an hour", () => {
  const seconds = Array.from({ length: 14 }, (_, index) => backoffMs(index + 1) / 1000);
  expect(seconds).toEqual([5, 10, 20, 40, 80, 160, 320, 640, 1280, 2560, 3600, 3600, 3600, 3600]);
  expect(backoffMs(5_000)).toBe(3_600_000);
});

test("gives up after four days", () => {
  expect(nextTry(1, 1_000, 2_000)).toBe(7_000);
  expect(nextTry(90, 1_000, 1_000 + GIVE_UP_AFTER_MS - 1)).toBe(1_000 + GIVE_UP_AFTER_MS - 1 + 3_600_000);
  expect(nextTry(91, 1_000, 1_000 + GIVE_UP_AFTER_MS)).toBeUndefined();
});
