import { expect, test } from "bun:test";
import { bar, sparkline } from "../../src/cli/bars.ts";

test("a sparkline gives the largest amount full height, and nothing or less than nothing a dot", () => {
  expect(sparkline([0, 1, 4, 8, -3])).toBe("·▂▅█·");
  expect(sparkline([])).toBe("");
  expect(sparkline([0, 0])).toBe("··");
});

test("a bar fills its cells by eighths, and what is there at all can be seen", () => {
  expect([bar(1, 4), bar(0.5, 4), bar(0.28, 4), bar(0.000_1, 4), bar(0, 4), bar(-1, 4), bar(7, 4)]).toEqual([
    "████",
    "██",
    "█▏",
    "▏",
    "",
    "",
    "████",
  ]);
});
