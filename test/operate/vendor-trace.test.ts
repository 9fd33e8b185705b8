import { expect, test } from "bun:test";
import { idempotencyKeySent, lookUpAdvice } from "../../src/operate/vendor-trace.ts";
import { VENDORS } from "../../src/vendors/index.ts";

const vendorOf = (name: string) => VENDORS.find((vendor) => vendor.name === name);

test.each([
  ["stripe", "POST", null, "kb_call_1"],
  // Its hash alone is kept, and the key that was sent was made from it and the vault key's id.
  ["stripe", "POST", "abcd", null],
  ["stripe", "DELETE", null, null],
  ["resend", "POST", null, null],
  ["twilio", "POST", null, null],
  ["gone", "POST", null, null],
] as const)("%s was sent with %s and the agent's key %p: %p", (name, method, idempotencyKeyHash, sent) => {
  expect(idempotencyKeySent(vendorOf(name), { id: "call_1", method, idempotencyKeyHash })).toBe(sent);
});

test.each(VENDORS.map((vendor) => [vendor.name, vendor] as const))("%s has somewhere to look", (_name, vendor) => {
  const advice = lookUpAdvice(vendor);
  expect(advice[0]).toStartWith(`${vendor.title}: look in`);
  expect(advice.some((sentence) => sentence.includes("repeat the call"))).toBe(vendor.idempotency !== "never");
});

test("a vendor that nothing is known of is looked up in its own log", () => {
  expect(lookUpAdvice({ ...VENDORS[0]!, name: "other", title: "Other" })[0]).toContain("its own log of requests");
});
