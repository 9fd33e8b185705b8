import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { formatDuration, parseDuration, windowReset, windowStart } from "../../src/core/window.ts";

const DAY_MS = 86_400_000;

describe("a window", () => {
  test("of a UTC day begins at midnight, its first millisecond included and the next midnight not", () => {
    const midnight = Date.UTC(2026, 2, 29);
    for (const now of [midnight, midnight + 1, midnight + DAY_MS - 1])
      expect(windowStart("utc_day", now)).toBe(midnight);
    expect(windowStart("utc_day", midnight - 1)).toBe(midnight - DAY_MS);
    expect(windowReset("utc_day", midnight)).toBe(midnight + DAY_MS);
  });

  test("of a UTC day holds every moment of it, and none of another", () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), noInvalidDate: true }), (date) => {
        const start = windowStart("utc_day", date.getTime());
        const day = new Date(start).toISOString();
        return day.endsWith("T00:00:00.000Z") && day.slice(0, 10) === date.toISOString().slice(0, 10);
      }),
    );
  });

  test("of a lifetime never ends", () => {
    expect(windowStart("lifetime", Date.UTC(2030, 0, 1))).toBe(0);
    expect(windowReset("lifetime", 0)).toBeUndefined();
  });
});

describe("a duration", () => {
  const READ: readonly (readonly [string | number, number])[] = [
    ["250ms", 250],
    ["30s", 30_000],
    ["5m", 300_000],
    ["2h", 7_200_000],
    ["7d", 7 * DAY_MS],
    [90, 90_000],
    ["90", 90_000],
    [" 2h ", 7_200_000],
    ["36500d", 36_500 * DAY_MS],
  ];
  for (const [text, durationMs] of READ) {
    test(`is read: ${JSON.stringify(text)}`, () => {
      expect(parseDuration(text)).toBe(durationMs);
    });
  }

  const REFUSED = [
    "",
    "0",
    "0s",
    0,
    "-5m",
    -5,
    "1.5h",
    1.5,
    "2 h",
    "2H",
    "h",
    "1w",
    "1e3",
    1e21,
    "٣s",
    "5m\n6",
    Number.NaN,
  ];
  for (const text of REFUSED) {
    test(`is refused: ${JSON.stringify(text)} ${text}`, () => {
      expect(() => parseDuration(text)).toThrow("is not a duration");
    });
  }

  test("is refused above a hundred years, where no date could be written for its end", () => {
    for (const text of ["36501d", "999999999d", "999999999h"]) expect(() => parseDuration(text)).toThrow("longer than");
  });

  test("is written in the largest unit that says it exactly, and read back the same", () => {
    const WRITTEN = [
      [7_200_000, "2h"],
      [DAY_MS, "1d"],
      [90_000, "90s"],
      [5_400_000, "90m"],
      [1_500, "1500ms"],
    ] as const;
    for (const [durationMs, text] of WRITTEN) expect(formatDuration(durationMs)).toBe(text);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 999_999_999 }), (durationMs) => {
        return parseDuration(formatDuration(durationMs)) === durationMs;
      }),
    );
  });
});
