import { expect, test } from "bun:test";
import { Histogram } from "../../src/telemetry/histogram.ts";

test("a value stands in the first bucket whose bound it does not pass, also on the bound itself", () => {
  const histogram = new Histogram([1, 2, 5]);
  for (const value of [0, 1, 1.5, 2, 2.000_001, 5, 6, 1e9]) histogram.observe(value);
  expect([...histogram.counts]).toEqual([2, 2, 2, 2]);
  expect(histogram.sum).toBeCloseTo(1e9 + 17.500_001, 3);
});
