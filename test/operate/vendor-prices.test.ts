import { describe, expect, test } from "bun:test";
import { vendorPrices } from "../../src/operate/vendor-prices.ts";
import type { PriceName } from "../../src/vendors/price-name.ts";
import { resend } from "../../src/vendors/resend.ts";

const OLD = { asOf: "2026-03", source: "a list" };
const NEW = { asOf: "2026-10-08", source: "a page" };
const TABLE: PriceName = {
  name: "resend.fax.",
  unit: "a page of a fax",
  byPrefix: [
    { prefix: "+44", micros: 50_000n, ...NEW },
    { prefix: "+1", micros: 9_900n, ...OLD },
    { prefix: "+1876", micros: undefined, ...OLD },
    { prefix: "+33", micros: 80_000n, ...NEW },
  ],
};
const BUILT_IN: PriceName = { name: "resend.email", unit: "an email", builtIn: { micros: 900n, ...NEW } };

function shown(price: PriceName, own: Readonly<Record<string, bigint>> = {}, isFull = false) {
  const operator = new Map([["resend", new Map(Object.entries(own))]]);
  return vendorPrices([{ ...resend, prices: [price] }], operator, "resend", isFull);
}

const NONE = { usd: null, usd_max: null, prefixes: null, from: null, as_of: null, source: null, otherwise: null };

describe("a price is shown", () => {
  test("as built in, with its day and source", () => {
    expect(shown(BUILT_IN)).toEqual([
      {
        ...NONE,
        name: "resend.email",
        unit: "an email",
        usd: "0.0009",
        from: "built-in",
        as_of: "2026-10-08",
        source: "a page",
      },
    ]);
    const undated: PriceName = { ...BUILT_IN, builtIn: { micros: 0n, source: "a page" } };
    expect(shown(undated)).toMatchObject([{ usd: "0.00", from: "built-in", as_of: null }]);
  });

  test("as the operator's wherever one is set, 0 among them", () => {
    const own = { ...NONE, name: "resend.email", unit: "an email", from: "keybrake.yaml" as const };
    expect(shown(BUILT_IN, { "resend.email": 700n })).toEqual([{ ...own, usd: "0.0007" }]);
    expect(shown(BUILT_IN, { "resend.email": 0n })).toEqual([{ ...own, usd: "0.00" }]);
  });

  test("as none, or as what holds otherwise, where there is no figure", () => {
    const bare: PriceName = { name: "resend.letter", unit: "a letter" };
    expect(shown(bare)).toEqual([{ ...NONE, ...bare }]);
    expect(shown({ ...bare, otherwise: "two emails" })).toMatchObject([{ usd: null, otherwise: "two emails" }]);
  });
});

describe("a table by number is shown", () => {
  test("as one line, of the oldest day, and each of the operator's beside it", () => {
    const [table, ...own] = shown(TABLE, { "resend.fax.+44": 60_000n, "resend.fax.+49": 1n });
    expect(table).toEqual({
      ...NONE,
      name: "resend.fax.+…",
      unit: "a page of a fax",
      usd: "0.0099",
      usd_max: "0.08",
      prefixes: 2,
      from: "built-in",
      as_of: "2026-03",
      source: "a list; a page",
    });
    expect(own).toMatchObject([
      { name: "resend.fax.+44", usd: "0.06", from: "keybrake.yaml" },
      { name: "resend.fax.+49", usd: "0.000001", from: "keybrake.yaml" },
    ]);
  });

  test("in full line by line, with the prefixes that have none", () => {
    const all = shown(TABLE, { "resend.fax.+44": 60_000n }, true);
    expect(all.map(({ name, usd, from, as_of }) => [name, usd, from, as_of])).toEqual([
      ["resend.fax.+1", "0.0099", "built-in", "2026-03"],
      ["resend.fax.+1876", null, null, null],
      ["resend.fax.+33", "0.08", "built-in", "2026-10-08"],
      ["resend.fax.+44", "0.06", "keybrake.yaml", null],
    ]);
  });

  test("without a figure of its own by what holds otherwise, in full too", () => {
    const bare: PriceName = { name: "resend.fax.", unit: "a page of a fax", byPrefix: [], otherwise: "resend.fax" };
    for (const isFull of [false, true]) {
      expect(shown(bare, {}, isFull)).toMatchObject([{ name: "resend.fax.+…", usd: null, otherwise: "resend.fax" }]);
    }
    expect(shown(bare, { "resend.fax.+1": 5n }, true)).toMatchObject([{ name: "resend.fax.+1", usd: "0.000005" }]);
  });
});

test("a vendor that there is not is named with the nearest", () => {
  expect(() => vendorPrices([resend], new Map(), "resnd", false)).toThrow('there is no vendor "resnd"; did you mean');
});
