import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { capToMicros, currencyExponent, minorToMicros } from "../../src/core/currency.ts";

/** docs.stripe.com/currencies: every currency whose minor unit is not a hundredth, and the two that only look so. */
const EXPONENTS: readonly (readonly [number, string])[] = [
  [0, "bif clp djf gnf jpy kmf krw mga pyg rwf vnd vuv xaf xof xpf"],
  [3, "bhd jod kwd omr tnd"],
  [2, "usd eur gbp chf isk ugx huf twd inr brl zar"],
];
const NO_RATES = new Map<string, bigint>();

describe("a currency's minor unit", () => {
  for (const [exponent, codes] of EXPONENTS) {
    test(`has ${exponent} decimals: ${codes}`, () => {
      for (const code of codes.split(" ")) expect([code, currencyExponent(code)]).toEqual([code, exponent]);
    });
  }

  test("is not known for a code that Stripe does not have, or not in lower case", () => {
    for (const code of ["", "USD", "xxx", "btc", "usd ", "__proto__", "constructor"]) {
      expect(currencyExponent(code)).toBeUndefined();
      expect(minorToMicros(100n, code, new Map([[code, 1_000_000n]]))).toEqual({ ok: false, why: "unknown_currency" });
    }
  });
});

describe("an amount in a currency", () => {
  const RATES = new Map([
    ["eur", 1_100_000n],
    ["jpy", 6_700n],
    ["kwd", 3_250_001n],
    ["usd", 5n],
  ]);
  const AMOUNTS = [
    ["usd", 2999n, 29_990_000n],
    ["usd", 0n, 0n],
    ["eur", 1n, 11_000n],
    ["eur", 100n, 1_100_000n],
    ["jpy", 1n, 6_700n],
    ["kwd", 1n, 3_251n],
    ["kwd", 1000n, 3_250_001n],
  ] as const;
  for (const [currency, minor, micros] of AMOUNTS) {
    test(`${minor} of ${currency} are ${micros} micro-dollars, rounded up`, () => {
      expect(minorToMicros(minor, currency, RATES)).toEqual({ ok: true, micros });
    });
  }

  test("is refused without a rate, but for dollars, which no rate can change", () => {
    expect(minorToMicros(1n, "eur", NO_RATES)).toEqual({ ok: false, why: "no_rate" });
    expect(minorToMicros(1n, "usd", NO_RATES)).toEqual({ ok: true, micros: 10_000n });
  });

  test("never counts less for more, and never less in parts than as a whole", () => {
    const minor = fc.bigInt({ min: 0n, max: 10n ** 12n });
    const code = fc.constantFrom("eur", "jpy", "kwd", "usd");
    fc.assert(
      fc.property(minor, minor, code, (a, b, currency) => {
        const micros = (amount: bigint) => {
          const converted = minorToMicros(amount, currency, RATES);
          return converted.ok ? converted.micros : -1n;
        };
        return micros(a + b) >= micros(a) && micros(a) + micros(b) >= micros(a + b);
      }),
    );
  });
});

describe("a cap in a currency", () => {
  const RATES = new Map([
    ["eur", 1_100_001n],
    ["jpy", 6_700n],
    ["usd", 5n],
  ]);
  for (const [currency, amountMicros, micros] of [
    ["eur", 500_000_000n, 550_000_500n],
    ["eur", 1n, 1n],
    ["eur", 999_999n, 1_099_999n],
    ["jpy", 1_000_000n, 6_700n],
    ["jpy", 149n, 0n],
    ["usd", 7n, 7n],
    ["eur", 10n ** 18n, 10n ** 18n],
  ] as const) {
    test(`${amountMicros} millionths of ${currency} are ${micros} micro-dollars, rounded down`, () => {
      expect(capToMicros(amountMicros, currency, RATES)).toEqual({ ok: true, micros });
    });
  }

  test("is none without a rate, or in a currency that there is not", () => {
    expect(capToMicros(1n, "gbp", RATES)).toEqual({ ok: false, why: "no_rate" });
    expect(capToMicros(1n, "xxx", new Map([["xxx", 1n]]))).toEqual({ ok: false, why: "unknown_currency" });
  });

  test("never lets through more than the same money costs as a call", () => {
    const cents = fc.bigInt({ min: 0n, max: 10n ** 9n });
    const rate = fc.bigInt({ min: 1n, max: 10n ** 9n });
    fc.assert(
      fc.property(cents, rate, (amount, perUnit) => {
        const rates = new Map([["eur", perUnit]]);
        const [cap, cost] = [capToMicros(amount * 10_000n, "eur", rates), minorToMicros(amount, "eur", rates)];
        return cap.ok && cost.ok && cap.micros <= cost.micros && cost.micros - cap.micros <= 1n;
      }),
    );
  });
});
