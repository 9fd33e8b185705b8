import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { divideCeil, formatUsd, MICROS_MAX, parseUsd } from "../../src/core/money.ts";

const READ: readonly (readonly [string | number, bigint])[] = [
  ["500", 500_000_000n],
  [500, 500_000_000n],
  [500.0, 500_000_000n],
  ["500.0", 500_000_000n],
  ["$29.99", 29_990_000n],
  [" 29.99 ", 29_990_000n],
  [29.99, 29_990_000n],
  [0.1, 100_000n],
  [0.7, 700_000n],
  ["0.0009", 900n],
  [0.000001, 1n],
  ["0.000001", 1n],
  [0, 0n],
  [-0, 0n],
  ["0", 0n],
  [1_000_000_000_000, MICROS_MAX],
  ["1000000000000.000000", MICROS_MAX],
];

const REFUSED: readonly (string | number)[] = [
  "",
  " ",
  "$",
  "$$5",
  "00",
  "01",
  "-1",
  -1,
  "+1",
  ".5",
  "5.",
  "1e3",
  1e21,
  1e-7,
  1e-10,
  9.999999999e-7,
  0.1 + 0.2,
  "0.0000001",
  0.0000015,
  "1,000",
  "1_000",
  "0x10",
  "１",
  "٣",
  "1\n2",
  "five",
  Number.NaN,
  Number.POSITIVE_INFINITY,
  "1000000000000.000001",
  1_000_000_000_001,
  "99999999999999999999",
];

describe("an amount of dollars", () => {
  for (const [text, micros] of READ) {
    test(`is read exactly: ${JSON.stringify(text)}`, () => {
      expect(parseUsd(text)).toBe(micros);
    });
  }

  for (const text of REFUSED) {
    test(`is refused rather than guessed at or rounded: ${JSON.stringify(text)} ${text}`, () => {
      expect(() => parseUsd(text)).toThrow(RangeError);
    });
  }

  test("is named in the refusal", () => {
    expect(() => parseUsd("12.3456789")).toThrow('"12.3456789" is not a dollar amount');
    expect(() => parseUsd("1000000000001")).toThrow("1000000000001 dollars is more than Keybrake keeps");
  });

  test("is the same after it has been written and read again, from nothing to the largest", () => {
    fc.assert(fc.property(fc.bigInt({ min: 0n, max: MICROS_MAX }), (micros) => parseUsd(formatUsd(micros)) === micros));
  });

  test("is the same as a number of a config file, wherever the number has at most six decimals", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 10 ** 12 }), (micros) => {
        const written = formatUsd(BigInt(micros));
        return parseUsd(Number(written)) === BigInt(micros);
      }),
    );
  });
});

describe("a written amount", () => {
  const WRITTEN: readonly (readonly [bigint, string])[] = [
    [0n, "0.00"],
    [1n, "0.000001"],
    [900n, "0.0009"],
    [10_000n, "0.01"],
    [123_000n, "0.123"],
    [100_000n, "0.10"],
    [29_990_000n, "29.99"],
    [500_000_000n, "500.00"],
    [-3_500_000n, "-3.50"],
    [-1n, "-0.000001"],
    [MICROS_MAX, "1000000000000.00"],
  ];
  for (const [micros, text] of WRITTEN) {
    test(`has two decimals, or as many as it needs: ${text}`, () => {
      expect(formatUsd(micros)).toBe(text);
    });
  }
});

describe("division against the agent", () => {
  test("is the smallest whole number that is not below the quotient", () => {
    const divisor = fc.bigInt({ min: 1n, max: 10n ** 9n });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), divisor, (dividend, by) => {
        const quotient = divideCeil(dividend, by);
        return quotient * by >= dividend && (quotient - 1n) * by < dividend;
      }),
    );
  });
});
