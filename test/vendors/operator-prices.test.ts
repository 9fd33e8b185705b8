import { describe, expect, test } from "bun:test";
import { Problem } from "../../src/core/problem.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { type OperatorPrices, operatorPrices } from "../../src/vendors/operator-prices.ts";
import { declared } from "./declared/declare.ts";

const VENDORS_HERE = [...VENDORS, declared()];

function read(prices: string): OperatorPrices {
  return operatorPrices(`listen: 127.0.0.1:7878\nprices:\n  ${prices}\n`, "keybrake.yaml", VENDORS_HERE);
}

describe("operator prices", () => {
  test("are read to the micro-dollar, 0 among them, under every vendor's own names", () => {
    const prices = read(
      `twilio: { twilio.sms.+44: 0.052400, twilio.voice.+12125550100: 0.014, twilio.verify.check: 0 }
  resend: { resend.email: "0.000001" }
  stripe: { tax_calculation: 12.5, radar_evaluation: $0.07 }
  postmark:
    postmark.email: 0.0018
  segment:
  acme: { acme.image: 0.03, acme.texts.send: 1 }`,
    );
    expect(Object.fromEntries([...prices].map(([vendor, own]) => [vendor, Object.fromEntries(own)]))).toEqual({
      twilio: { "twilio.sms.+44": 52_400n, "twilio.voice.+12125550100": 14_000n, "twilio.verify.check": 0n },
      resend: { "resend.email": 1n },
      stripe: { tax_calculation: 12_500_000n, radar_evaluation: 70_000n },
      postmark: { "postmark.email": 1_800n },
      segment: {},
      acme: { "acme.image": 30_000n, "acme.texts.send": 1_000_000n },
    });
  });

  test("may be missing altogether", () => {
    expect(operatorPrices("listen: 127.0.0.1:7878\n", "keybrake.yaml", VENDORS).size).toBe(0);
    expect(operatorPrices("prices:\n", "keybrake.yaml", VENDORS).size).toBe(0);
  });
});

const TWILIO_NUMBER = "is not how a number in E.164 begins";

/** [what is wrong, the YAML, column of the error, its beginning, its end]. The prices stand in line 3. */
const WRONG: readonly (readonly [what: string, prices: string, column: number, begins: string, ends: string])[] = [
  ["a misspelt vendor", "twillio: {}", 3, 'prices: there is no vendor "twillio"', "did you mean twilio?"],
  ["a vendor like no other", "zzz: {}", 3, "prices: there is no", "segment, shopify, acme"],
  [
    "a misspelt table",
    "twilio: { twilio.smss.+44: 1 }",
    13,
    "prices.twilio: Twilio has no price",
    "mean twilio.sms.+44?",
  ],
  [
    "a table without its vendor",
    "twilio: { sms.+44: 1 }",
    13,
    'prices.twilio: Twilio has no price "sms.+44"',
    "mean twilio.sms.+44?",
  ],
  ["a misspelt name", "twilio: { twilio.voice.recordings: 1 }", 13, "prices.twilio: ", "mean twilio.voice.recording?"],
  ["a name in capitals", "stripe: { Tax_Calculation: 1 }", 13, "prices.stripe: Stripe has no", "mean tax_calculation?"],
  [
    "a name with the vendor before it",
    "stripe: { stripe.tax_calculation: 1 }",
    13,
    "prices.stripe: ",
    "mean tax_calculation?",
  ],
  [
    "a name like no other",
    "resend: { postage: 1 }",
    13,
    'prices.resend: Resend has no price "postage"',
    "they are resend.email",
  ],
  [
    "another vendor's name",
    "resend: { twilio.sms.failed: 1 }",
    13,
    "prices.resend: Resend has no",
    "they are resend.email",
  ],
  [
    "a data package that there is not",
    "twilio: { twilio.lookup.caler_name: 1 }",
    13,
    "prices.twilio: ",
    "twilio.lookup.caller_name?",
  ],
  [
    "a channel that there is not",
    "twilio: { twilio.verify.whatsap: 1 }",
    13,
    "prices.twilio: ",
    "twilio.verify.whatsapp?",
  ],
  ["a declared vendor's misspelt name", "acme: { acme.imgae: 1 }", 11, "prices.acme: Acme has no", "mean acme.image?"],
  [
    "a price of a vendor that has none",
    "shopify: { shopify.order: 1 }",
    14,
    "prices.shopify: Shopify has no price",
    "can be set",
  ],
  [
    "a number without its +",
    "twilio: { twilio.sms.44: 1 }",
    13,
    `prices.twilio: "44" in twilio.sms.+… ${TWILIO_NUMBER}`,
    "mean twilio.sms.+44?",
  ],
  [
    "a number that begins with 0",
    "twilio: { twilio.sms.+044: 1 }",
    13,
    `prices.twilio: "+044" in twilio.sms.+… ${TWILIO_NUMBER}`,
    "first not 0",
  ],
  ["a number with a space", "twilio: { twilio.sms.+44 20: 1 }", 13, 'prices.twilio: "+44 20" in', "first not 0"],
  [
    "a number of sixteen digits",
    "twilio: { twilio.mms.+1234567890123456: 1 }",
    13,
    'prices.twilio: "+1234567890123456" in',
    "first not 0",
  ],
  ["nothing after the +", "twilio: { twilio.number.+: 1 }", 13, 'prices.twilio: "+" in', "first not 0"],
  ["the name of a whole table", "twilio: { twilio.sms.+…: 1 }", 13, 'prices.twilio: "+…" in', "first not 0"],
  ["a number by email", "twilio: { twilio.verify.email.+44: 1 }", 13, "prices.twilio: Twilio has no price", "?"],
  [
    "a negative price",
    "twilio: { twilio.sms.+44: -1 }",
    29,
    'the price twilio.sms.+44 is "-1"; it must be dollars',
    "like 0.0075",
  ],
  ["seven decimals", "resend: { resend.email: 0.0000001 }", 27, 'the price resend.email is "0.0000001"', "like 0.0075"],
  ["an exponent", "resend: { resend.email: 1e-6 }", 27, 'the price resend.email is "1e-6"', "like 0.0075"],
  ["words", "resend: { resend.email: free }", 27, 'the price resend.email is "free"', "like 0.0075"],
  ["nothing", "resend: { resend.email: }", 27, "the price resend.email is null", "like 0.0075"],
  ["true", "resend: { resend.email: true }", 27, "the price resend.email is true", "like 0.0075"],
  ["infinity", "resend: { resend.email: .inf }", 27, 'the price resend.email is ".inf"', "like 0.0075"],
  ["a hexadecimal number", "resend: { resend.email: 0x10 }", 27, 'the price resend.email is "0x10"', "like 0.0075"],
  ["more than is ever kept", "resend: { resend.email: 1000000000001 }", 27, "the price resend.email is", "like 0.0075"],
  [
    "a map for a price",
    "resend: { resend.email: { usd: 1 } }",
    27,
    'the price resend.email is {"usd":"1"}',
    "like 0.0075",
  ],
  ["a list of prices", "resend: [1]", 11, 'prices.resend is ["1"]', "a map of names"],
  ["a price for a whole vendor", "resend: 0.01", 11, 'prices.resend is "0.01"', "a map of names"],
];

describe("operator prices are refused, by line and column,", () => {
  test.each(WRONG)("with %s", (_what, prices, column, begins, ends) => {
    let said: unknown;
    try {
      read(prices);
    } catch (problem) {
      said = problem;
    }
    expect(said).toBeInstanceOf(Problem);
    const { code, message } = said as Problem;
    expect(code).toBe("invalid");
    expect(message).toStartWith(`keybrake.yaml:3:${column}: ${begins}`);
    expect(message).toEndWith(ends);
  });

  test("the first of several, with the number of the others", () => {
    const wrong = "resend: { resend.email: free, resend.mail: -1 }\n  strip: {}";
    expect(() => read(wrong)).toThrow(/^keybrake\.yaml:3:27: the price resend\.email is "free".* \(and 3 more\)$/);
  });

  test("where the text is no plain YAML", () => {
    expect(() => read("resend: &all { resend.email: 1 }")).toThrow("keybrake.yaml:3:16: anchors");
  });
});
