import { describe, expect, test } from "bun:test";
import { MMS_RATES, rateFor, SMS_RATES, VOICE_RATES } from "../../../src/vendors/twilio/rates.ts";

const NONE = new Map<string, bigint>();

describe("a rate by destination", () => {
  test.each([
    ["+14155550100", 15_300n],
    ["+447400123456", 56_000n],
    ["+353861234567", 77_900n],
    ["+17875550100", 54_000n],
  ])("is the longest prefix's: SMS to %s", (to, micros) => {
    expect(rateFor(to, SMS_RATES, NONE)).toBe(micros);
  });

  test.each(["+491701234567", "+18765550100", "+19005550100", "+447624123456", "+3", ""])(
    "is unknown where the longest prefix has none: SMS to %s",
    (to) => {
      expect(rateFor(to, SMS_RATES, NONE)).toBeUndefined();
    },
  );

  test("is the operator's at equal length, and not where the table knows a longer prefix", () => {
    const prices = new Map([
      ["twilio.sms.+1", 9n],
      ["twilio.sms.+49", 8n],
      ["twilio.sms.+1876", 7n],
    ]);
    expect(rateFor("+14155550100", SMS_RATES, prices)).toBe(9n);
    expect(rateFor("+491701234567", SMS_RATES, prices)).toBe(8n);
    expect(rateFor("+18765550100", SMS_RATES, prices)).toBe(7n);
    expect(rateFor("+18095550100", SMS_RATES, prices)).toBeUndefined();
    expect(rateFor("+14155550100", MMS_RATES, prices)).toBe(35_000n);
    expect(rateFor("+14155550100", VOICE_RATES, prices)).toBe(14_000n);
  });

  test("is between a tenth of a cent and ten cents wherever it is published", () => {
    for (const { rates } of [SMS_RATES, MMS_RATES, VOICE_RATES]) {
      for (const [prefix, micros] of rates) {
        expect(prefix).toMatch(/^\+[1-9][0-9]{0,6}$/);
        if (micros !== undefined) expect(micros >= 1_000n && micros <= 100_000n).toBe(true);
      }
    }
  });
});
