import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import * as fc from "fast-check";
import { parseUsd } from "../../src/core/money.ts";
import { type BlowoutRequest, blowout } from "../../src/operate/blowout.ts";
import { VENDORS } from "../../src/vendors/index.ts";

const NO_PRICES = new Map();
const reckon = (request: Partial<BlowoutRequest>) =>
  blowout(VENDORS, NO_PRICES, { vendor: "stripe", callsPerMinute: 150, hours: 24, ...request });

test("150 calls of $15 a minute are 216,000 in a day, $3,240,000 without a cap and $495 with one of $500", () => {
  expect(reckon({})).toMatchObject({
    call_usd: "15.00",
    calls: 216_000,
    hour_usd: "135000.00",
    total_usd: "3240000.00",
    seconds_to_100_usd: 2.4,
    capped: {
      cap_usd: "500.00",
      total_usd: "495.00",
      saved_usd: "3239505.00",
      calls_sent: 33,
      calls_refused: 215_967,
      stopped_after_seconds: 13.2,
    },
  });
});

type Row = [request: Partial<BlowoutRequest>, sent: number | undefined, total: string, stopped: number | null];
test.each<Row>([
  // The call that makes the cap exactly full still goes out.
  [{ amountUsd: "50", capUsd: "250", callsPerMinute: 1 }, 5, "250.00", 300],
  [{ amountUsd: "50", capUsd: "249.99", callsPerMinute: 1 }, 4, "200.00", 240],
  [{ amountUsd: "50", capUsd: "0" }, 0, "0.00", 0],
  [{ amountUsd: "0", capUsd: "0" }, 216_000, "0.00", null],
  [{ amountUsd: "0.01", capUsd: "5000" }, 216_000, "2160.00", null],
  // Each day has its own cap, and what is left of the third is less than it.
  [{ amountUsd: "1", capUsd: "100", callsPerMinute: 1, hours: 49 }, 260, "260.00", 6000],
  [{ amountUsd: "1", capUsd: "100", callsPerMinute: 1, hours: 1 }, 60, "60.00", null],
  [{ vendor: "twilio", price: "twilio.voice.+1", capUsd: "0" }, 0, "0.00", 0],
])("%j sends %p calls for $%s and stops after %p s", (request, sent, total, stopped) => {
  const { capped } = reckon(request);
  expect(capped).toMatchObject({ calls_sent: sent, total_usd: total, stopped_after_seconds: stopped });
});

test("a cap never lets more through than its dollars on each day, and what it saves is the rest", () => {
  const cents = fc.integer({ min: 0, max: 1_000_000 });
  fc.assert(
    fc.property(
      cents,
      cents,
      fc.integer({ min: 1, max: 1000 }),
      fc.integer({ min: 1, max: 100 }),
      (call, cap, n, h) => {
        const view = reckon({ amountUsd: `${call / 100}`, capUsd: `${cap / 100}`, callsPerMinute: n, hours: h });
        const { total_usd, saved_usd, calls_sent, calls_refused } = view.capped!;
        expect(parseUsd(total_usd)).toBeLessThanOrEqual(parseUsd(`${cap / 100}`) * BigInt(Math.ceil(h / 24)));
        expect(parseUsd(total_usd) + parseUsd(saved_usd)).toBe(parseUsd(view.total_usd));
        expect(calls_sent + calls_refused).toBe(view.calls);
      },
    ),
  );
});

describe("what a call costs", () => {
  test("is the vendor's own price, and the operator's where there is one", () => {
    expect(reckon({ vendor: "resend" })).toMatchObject({ call_usd: "0.0009", capped: { cap_usd: "5.00" } });
    const own = new Map([["resend", new Map([["resend.email", 2000n]])]]);
    expect(blowout(VENDORS, own, { vendor: "resend", callsPerMinute: 1, hours: 24 }).call_usd).toBe("0.002");
  });

  test("is of a declared vendor what it declares, without a cap of a template", () => {
    expect(reckon({ vendor: "postmark" })).toMatchObject({ call_usd: "0.0018", capped: null });
  });

  test.each([
    [{ vendor: "shopify" }, /costs what it moves/],
    [{ vendor: "twilio", price: "twilio.smss.+1" }, /no price "twilio.smss.\+1"/],
    [{ vendor: "strype" }, /strype/],
    [{ amountUsd: "much" }, /--amount-usd/],
    [{ capUsd: "-5" }, /--cap-usd/],
  ])("%j is refused", (request, message) => {
    expect(() => reckon(request)).toThrow(message);
  });
});

test.each([
  ["stripe", "billing"],
  ["twilio", "notifications-sms"],
  ["resend", "email"],
])("the cap for %s is that of the template %s", (vendor, template) => {
  const text = readFileSync(join(import.meta.dir, `../../policies/${template}.yaml`), "utf8");
  const cap = /^daily_usd_cap: (.*)$/m.exec(text)![1]!;
  expect(parseUsd(reckon({ vendor }).capped!.cap_usd)).toBe(parseUsd(cap));
});
