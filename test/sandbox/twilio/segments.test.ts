import { expect, test } from "bun:test";
import { segmentsOf } from "../../../src/sandbox/twilio/segments.ts";

/** Expectations taken from Twilio's own sms-segments-calculator 1.3.0. */
test.each([
  ["an empty body", "", 1],
  ["160 GSM characters", "a".repeat(160), 1],
  ["161 GSM characters", "a".repeat(161), 2],
  ["306 GSM characters", "a".repeat(306), 2],
  ["307 GSM characters", "a".repeat(307), 3],
  ["80 extension characters", "€".repeat(80), 1],
  ["81 extension characters", "€".repeat(81), 2],
  ["an extension character that would straddle two parts", `${"a".repeat(152)}€${"a".repeat(152)}`, 3],
  ["70 UCS-2 characters", "я".repeat(70), 1],
  ["71 UCS-2 characters", "я".repeat(71), 2],
  ["134 UCS-2 characters", "я".repeat(134), 2],
  ["135 UCS-2 characters", "я".repeat(135), 3],
  ["35 emoji", "😀".repeat(35), 1],
  ["36 emoji", "😀".repeat(36), 2],
  ["160 characters that GSM-7 has not", "ç".repeat(160), 3],
])("counts %s", (_what, body, segments) => {
  expect(segmentsOf(body)).toBe(segments);
});
