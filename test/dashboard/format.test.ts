import { describe, expect, test } from "bun:test";
import { absolute, ago, counted, dollars, span } from "../../src/dashboard/format.ts";
import { spendColumns } from "../../src/dashboard/spend.ts";

const NOW = Date.UTC(2026, 0, 1, 12);
const MINUTE = 60_000;

describe("what people read", () => {
  test.each([
    ["0.00", "$0.00"],
    ["1234567.5", "$1,234,567.5"],
    ["-3.50", "-$3.50"],
    ["0.000790", "$0.000790"],
    ["9007199254740993.01", "$9,007,199,254,740,993.01"],
    ["no amount", "no amount"],
  ])("of %s dollars is %s", (text, shown) => {
    expect(dollars(text)).toBe(shown);
  });

  test.each([
    [0, "0 s"],
    [59_999, "59 s"],
    [119 * MINUTE, "1 h 59 min"],
    [120 * MINUTE, "2 h"],
    [50 * 24 * 60 * MINUTE, "50 d"],
  ])("of a span of %p ms is %s", (durationMs, shown) => {
    expect(span(durationMs)).toBe(shown);
  });

  test.each([
    [-1000, "just now"],
    [4999, "just now"],
    [90 * MINUTE, "1 h ago"],
  ])("of a moment %p ms back is %s", (passedMs, shown) => {
    expect(ago(NOW - passedMs, NOW)).toBe(shown);
  });

  test("has the exact time in UTC, and counts one thing as one", () => {
    expect(absolute("2026-01-31T02:03:04.005Z")).toBe("2026-01-31 02:03:04 UTC");
    expect([counted(1, "call"), counted(1200, "call")]).toEqual(["1 call", "1,200 calls"]);
  });
});

test("the chart has every hour once, also those without a call, and the dearest vendor first", () => {
  const row = (hour: string, vendor: string, total_usd: string) => ({ hour, vendor, total_usd, calls: 2 });
  const rows = [
    row("2026-01-01T10:00:00.000Z", "twilio", "0.50"),
    row("2026-01-01T10:00:00.000Z", "stripe", "20.00"),
    row("2026-01-01T12:00:00.000Z", "twilio", "1.25"),
  ];
  expect(spendColumns(rows, 3, NOW + 5 * MINUTE)).toEqual({
    hours: [10, 11, 12].map((hour) => Date.UTC(2026, 0, 1, hour) / 1000),
    vendors: [
      { vendor: "stripe", total: 20, calls: 2, perHour: [20, 0, 0] },
      { vendor: "twilio", total: 1.75, calls: 4, perHour: [0.5, 0, 1.25] },
    ],
  });
});
