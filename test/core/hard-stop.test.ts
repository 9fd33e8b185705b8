import { expect, test } from "bun:test";
import { concerns, type HardStop, type StopScope } from "../../src/core/hard-stop.ts";

const EVERYTHING: StopScope = { vendor: null, label: null, labelPrefix: null };
const CALL = { keyId: "vk_1", label: "tenant:acme:run-1", vendor: "stripe" };

const STOPS: readonly (readonly [what: string, stop: HardStop, concerned: boolean])[] = [
  ["its key", { keyIds: ["vk_0", "vk_1"], scope: null }, true],
  ["another key", { keyIds: ["vk_10"], scope: null }, false],
  ["nothing", { keyIds: [], scope: null }, false],
  ["everything", { keyIds: [], scope: EVERYTHING }, true],
  ["its vendor", { keyIds: [], scope: { ...EVERYTHING, vendor: "stripe" } }, true],
  ["another vendor", { keyIds: [], scope: { ...EVERYTHING, vendor: "twilio" } }, false],
  ["its label", { keyIds: [], scope: { ...EVERYTHING, label: "tenant:acme:run-1" } }, true],
  ["the beginning of its label, as a label", { keyIds: [], scope: { ...EVERYTHING, label: "tenant:acme:" } }, false],
  ["its label prefix", { keyIds: [], scope: { ...EVERYTHING, labelPrefix: "tenant:acme:" } }, true],
  ["another label prefix", { keyIds: [], scope: { ...EVERYTHING, labelPrefix: "tenant:other:" } }, false],
  ["its vendor with another prefix", { keyIds: [], scope: { vendor: "stripe", label: null, labelPrefix: "x" } }, false],
  ["another key and its vendor", { keyIds: ["vk_2"], scope: { ...EVERYTHING, vendor: "stripe" } }, true],
];

test.each(STOPS)("a stop of %s concerns a call as it should", (_what, stop, concerned) => {
  expect(concerns(stop, CALL)).toBe(concerned);
});

test("a call without a label is in no label's scope, and in everything", () => {
  const bare = { ...CALL, label: null };
  expect(concerns({ keyIds: [], scope: { ...EVERYTHING, labelPrefix: "t" } }, bare)).toBe(false);
  expect(concerns({ keyIds: [], scope: { ...EVERYTHING, label: "t" } }, bare)).toBe(false);
  expect(concerns({ keyIds: [], scope: EVERYTHING }, bare)).toBe(true);
});
