import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { Secret } from "../../src/core/secret.ts";
import { createControlPlane } from "../../src/operate/create-control-plane.ts";
import type { PriceName } from "../../src/vendors/price-name.ts";
import { resend } from "../../src/vendors/resend.ts";
import { type Installed, install } from "./installed.ts";

let installed: Installed;
beforeEach(async () => {
  installed = await install();
});
afterEach(() => installed.close());

const OK = ["ok: no built-in price of a vendor with a secret is older than 180 days"];
const HINT = "`keybrake vendor prices resend` shows them; set your account's under prices.resend in keybrake.yaml";

const source = "a list";
const price = (name: string, asOf?: string): PriceName => ({
  name: `resend.${name}`,
  unit: "one",
  builtIn: { micros: 1n, source, ...(asOf === undefined ? {} : { asOf }) },
});
const fax = (...days: readonly string[]): PriceName => ({
  name: "resend.fax.",
  unit: "a page",
  byPrefix: days.map((asOf, index) => ({ prefix: `+${index + 1}`, micros: 1n, asOf, source })),
});

async function found(
  prices: readonly PriceName[],
  at: string,
  own: readonly string[] = [],
): Promise<readonly string[]> {
  installed.clock.nowMs = Date.parse(at);
  const control = createControlPlane({
    ...installed.options,
    vendors: [{ ...resend, prices }],
    config: { ...installed.config, prices: new Map([["resend", new Map(own.map((name) => [name, 1n]))]]) },
  });
  const findings = (await control.doctor()).filter(({ check }) => check === "prices");
  for (const { level, hint } of findings) expect(hint).toBe(level === "ok" ? null : HINT);
  return findings.map(({ level, message }) => `${level}: ${message}`);
}

describe("built-in prices", () => {
  beforeEach(async () => {
    await installed.control.setVendor("resend", { secret: new Secret("re_test_real_secret") });
  });

  test("are warned of once they are more than 180 days old, a month from its first day", async () => {
    const day = [price("email", "2026-02-01")];
    const month = [price("email", "2026-02")];
    for (const prices of [day, month]) {
      expect(await found(prices, "2026-07-31T23:59:59Z")).toEqual(OK);
      expect(await found(prices, "2026-08-01T00:00:00Z")).toEqual([
        `warning: Resend's built-in prices are of ${prices[0]!.builtIn!.asOf}, 181 days ago: resend.email`,
      ]);
    }
  });

  test("are named in one line, by the oldest and the first three, tables as one", async () => {
    const names = ["b", "c", "d"].map((name) => price(name, "2026-03"));
    const all = [fax("2026-11", "2026-02-03", "2026-04"), ...names, price("e", "2026-11"), price("f")];
    expect(await found(all, "2026-11-21")).toEqual([
      "warning: Resend's built-in prices are of 2026-02-03, 291 days ago: resend.fax.+…, resend.b, resend.c and 1 more",
    ]);
  });

  test("are not where the operator has set them, a table's only when all that is old is", async () => {
    const old = [price("b", "2025-01"), fax("2025-02", "2026-11", "2025-03")];
    expect(await found(old, "2026-11-21", ["resend.b", "resend.fax.+1", "resend.fax.+3"])).toEqual(OK);
    expect(await found(old, "2026-11-21", ["resend.b", "resend.fax.+1"])).toEqual([
      "warning: Resend's built-in prices are of 2025-03, 630 days ago: resend.fax.+…",
    ]);
  });

  test("without a day, and prefixes without a price, have no age", async () => {
    const none: PriceName = {
      ...fax(),
      byPrefix: [{ prefix: "+1876", micros: undefined, asOf: "2020-01", source }],
    };
    expect(await found([price("b"), none], "2026-11-21")).toEqual(OK);
  });
});

test("the built-in prices of a vendor without a secret are nobody's concern", async () => {
  expect(await found([price("b", "2020-01")], "2026-11-21")).toEqual(OK);
});
