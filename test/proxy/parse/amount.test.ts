import { expect, test } from "bun:test";
import fc from "fast-check";
import { parseMinorAmount } from "../../../src/proxy/parse/amount.ts";

const REFUSED = [
  "",
  "0",
  "00",
  "0100",
  "+5",
  "-5",
  "1e9",
  "1E9",
  "1.5",
  "1.",
  ".5",
  "1,000",
  "1_000",
  " 1",
  "1 ",
  "1\n",
  "\n1",
  "0x10",
  "0b1",
  "９",
  "１２",
  "٣",
  "1n",
  "NaN",
  "Infinity",
  "null",
  "1000000000000",
  "9007199254740993",
];

test.each(REFUSED)("refuses the amount %j", (text) => {
  expect(parseMinorAmount(text)).toBeUndefined();
});

test.each([
  ["1", 1n],
  ["100", 100n],
  ["999999999999", 999_999_999_999n],
] as const)("reads %j exactly", (text, amount) => {
  expect(parseMinorAmount(text)).toBe(amount);
});

test("an amount that is read has exactly one spelling", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0123456789+-.e ９\n"), maxLength: 14 }), (text) => {
      const amount = parseMinorAmount(text);
      if (amount !== undefined) expect(String(amount)).toBe(text);
    }),
    { numRuns: 3000 },
  );
});
