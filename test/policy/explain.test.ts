import { describe, expect, test } from "bun:test";
import { compilePolicy } from "../../src/policy/compile.ts";
import { explain } from "../../src/policy/explain.ts";
import { callFromText } from "../../src/policy/explain-call.ts";
import { stripe } from "../../src/vendors/stripe.ts";
import { ACCOUNT, fakeVendor, PRICING } from "./fake-vendor.ts";

const policy = compilePolicy({
  vendor: "fake",
  daily_usd_cap: "500.00",
  allowed_endpoints: ["POST /v1/charges", "GET /v1/**"],
  parameters: { currency: { in: ["usd"] } },
});

function explained(endpoint: string, data: readonly string[] = []) {
  return explain(
    { policy, vendor: fakeVendor, account: ACCOUNT, pricing: PRICING },
    callFromText(fakeVendor, endpoint, data),
  );
}

describe("explain", () => {
  test("says what would be reserved, by which rule and against which caps", () => {
    expect(explained("POST /v1/charges", ["amount=500", "currency=usd", "customer=cus_1"])).toEqual({
      verdict: "allowed",
      rule: "allowed_endpoints[0]",
      message:
        "Keybrake: POST /v1/charges is allowed and reserves $5.00, as long as the key's caps ($500.00 a UTC day) have room.",
      advice: "",
      operation: "charge",
      route: "POST /v1/charges",
      class: "priced",
      kind: "charge",
      exposure_usd: "5.00",
      looks_up: [],
      max_amount_per_call_usd: null,
      sends: 0,
      customer: "cus_1",
      recipients: [],
      senders: [],
      accounts: [],
    });
  });

  test("says which rule refuses, and what to do", () => {
    expect(explained("POST /v1/charges", ["amount=500", "currency=eur"])).toMatchObject({
      verdict: "parameter_denied",
      rule: "parameters.currency.in",
      advice: "do not retry with this parameter",
      exposure_usd: "0.00",
    });
  });
});

test("explain names what would be looked up at the vendor, and sends nothing", () => {
  const stripePolicy = compilePolicy({ vendor: "stripe", allowed_endpoints: ["* /**"], daily_usd_cap: "50.00" });
  const setting = { policy: stripePolicy, vendor: stripe, account: ACCOUNT, pricing: PRICING };
  expect(explain(setting, callFromText(stripe, "POST /v1/payment_intents/pi_1/confirm"))).toMatchObject({
    verdict: "allowed",
    rule: "allowed_endpoints[0]",
    message:
      "Keybrake: POST /v1/payment_intents/pi_1/confirm is allowed and reserves what GET /v1/payment_intents/pi_1 says that it costs, as long as the key's caps ($50.00 a UTC day) have room.",
    class: "look_up",
    looks_up: ["GET /v1/payment_intents/pi_1"],
  });
});

describe("callFromText", () => {
  test("reads method, path, query and data; the vendor's prefix may stand before", () => {
    const call = callFromText(fakeVendor, "post /fake/v1/charges?expand[]=a&expand[]=b%20c", [
      "amount=500",
      "note=a=b",
    ]);
    expect(call).toMatchObject({ method: "POST", path: "/v1/charges", bodyKind: "form" });
    expect([...call.queryFields]).toEqual([
      ["expand[0]", "a"],
      ["expand[1]", "b c"],
    ]);
    expect([...call.bodyFields]).toEqual([
      ["amount", "500"],
      ["note", "a=b"],
    ]);
  });

  test("reads one JSON text as the body, with the leaves by their bracket names", () => {
    const call = callFromText(fakeVendor, "POST /v1/emails", ['[{"to":["a","b"],"n":{"x":1}}]']);
    expect(call.bodyKind).toBe("json");
    expect([...call.bodyFields]).toEqual([
      ["[0][to][0]", "a"],
      ["[0][to][1]", "b"],
      ["[0][n][x]", "1"],
    ]);
  });

  test.each([
    ["no method", "/v1/charges", [], "is no call"],
    ["an unknown method", "FETCH /v1/charges", [], "has the method FETCH"],
    ["dots", "GET /v1/../x", [], 'the segment ".."'],
    ["an empty segment", "GET /v1//x", [], 'the segment ""'],
    ["no value", "POST /v1/charges", ["amount"], "is no parameter"],
    ["a parameter twice", "POST /v1/charges", ["a=1", "a=2"], "given twice"],
    ["a parameter in query and data", "POST /v1/charges?a=1", ["a=2"], "in the query and in the data"],
    ["broken JSON", "POST /v1/charges", ["{"], "no JSON"],
    ["a broken escape", "GET /v1/a?x=%zz", [], "invalid escape"],
  ])("refuses %s", (_title, endpoint, data, message) => {
    expect(() => callFromText(fakeVendor, endpoint, data)).toThrow(message as string);
  });
});
