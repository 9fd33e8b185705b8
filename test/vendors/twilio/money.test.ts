import { describe, expect, test } from "bun:test";
import type { JsonValue } from "../../../src/core/call.ts";
import { reconciledTwilioCost } from "../../../src/vendors/twilio/money.ts";
import { makePricing } from "../make-call.ts";

const SM = `SM${"a".repeat(32)}`;
const CA = `CA${"b".repeat(32)}`;
const PRICING = makePricing({ gbp: 1_300_000n });

describe("what Twilio says later that a message or call did cost", () => {
  test.each([
    [
      "a message's price, without its sign",
      { sid: SM, status: "delivered", price: "-0.00830", price_unit: "USD" },
      8_300n,
    ],
    ["an undelivered message's price", { sid: SM, status: "undelivered", price: "-0.0083", price_unit: "USD" }, 8_300n],
    ["a call's price", { sid: CA, status: "completed", price: "-0.03000", price_unit: "USD" }, 30_000n],
    ["a price in lower case", { sid: SM, status: "sent", price: "-0.01", price_unit: "usd" }, 10_000n],
    ["a price of nothing", { sid: SM, status: "sent", price: "0", price_unit: "USD" }, 0n],
    ["a price in a currency that has a rate, rounded up", { sid: SM, price: "-0.0000001", price_unit: "GBP" }, 1n],
    ["another currency", { sid: SM, status: "sent", price: "-0.01", price_unit: "GBP" }, 13_000n],
    ["the fee of a failed message", { sid: SM, status: "failed", price: null, price_unit: null }, 1_000n],
    ["the fee where the price is less", { sid: SM, status: "failed", price: "0.00000", price_unit: "USD" }, 1_000n],
    ["nothing for a canceled message", { sid: SM, status: "canceled", price: null }, 0n],
    ["nothing for a call that nobody took", { sid: CA, status: "no-answer", price: null }, 0n],
    ["nothing for a busy line", { sid: CA, status: "busy", price: null }, 0n],
    ["nothing for a failed call", { sid: CA, status: "failed" }, 0n],
    ["nothing for a canceled call", { sid: CA, status: "canceled", price: null }, 0n],
  ] as const)("is %s", (_what, json, micros) => {
    expect(reconciledTwilioCost(json, PRICING)).toEqual({ micros, source: "reconciled", vendorTxnId: json.sid });
  });

  test.each([
    ["a message that is on its way", { sid: SM, status: "sending", price: null }],
    ["a delivered message without a price yet", { sid: SM, status: "delivered", price: null }],
    ["an undelivered message without a price yet", { sid: SM, status: "undelivered", price: null }],
    ["a scheduled message", { sid: SM, status: "scheduled", price: null }],
    ["a call that goes on", { sid: CA, status: "in-progress", price: null }],
    ["a completed call without a price yet", { sid: CA, status: "completed", price: null }],
    ["a currency without a rate", { sid: SM, status: "sent", price: "-0.01", price_unit: "EUR" }],
    ["a price without a currency", { sid: SM, status: "sent", price: "-0.01", price_unit: null }],
    ["a price that is no number", { sid: SM, status: "sent", price: "free", price_unit: "USD" }],
    ["a price that is no text", { sid: SM, status: "sent", price: 0.01, price_unit: "USD" }],
    ["no sid", { status: "failed", price: null }],
    ["a list", []],
    ["nothing", null],
  ] as const)("is not there for %s", (_what, json) => {
    expect(reconciledTwilioCost(json as JsonValue, PRICING)).toBeUndefined();
  });

  test("takes the operator's fee of a failed message", () => {
    const pricing = makePricing({}, { "twilio.sms.failed": 0n });
    expect(reconciledTwilioCost({ sid: SM, status: "failed", price: null }, pricing)?.micros).toBe(0n);
  });
});
