import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { currencyExponent, minorToMicros } from "../../src/core/currency.ts";

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
