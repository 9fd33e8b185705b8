import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { SegmentedMessage } from "sms-segments-calculator";
import { segmentCount } from "../../src/vendors/segments.ts";
import { workMs } from "../harness/work-time.ts";

/** Twilio's own calculator, the oracle. */
function twilioCount(body: string): number {
  return new SegmentedMessage(body, "auto").segments.length;
}

describe("segments of a message", () => {
  test.each([
    ["nothing", "", 1],
    ["160 GSM characters", "a".repeat(160), 1],
    ["161 GSM characters", "a".repeat(161), 2],
    ["306 GSM characters", "a".repeat(306), 2],
    ["307 GSM characters", "a".repeat(307), 3],
    ["80 characters of the extension table", "€".repeat(80), 1],
    ["81 characters of the extension table", "€".repeat(81), 2],
    ["an extension character that would be parted", `${"a".repeat(152)}€${"a".repeat(152)}`, 3],
    ["70 UCS-2 characters", "я".repeat(70), 1],
    ["71 UCS-2 characters", "я".repeat(71), 2],
    ["134 UCS-2 characters", "я".repeat(134), 2],
    ["135 UCS-2 characters", "я".repeat(135), 3],
    ["35 emoji", "😀".repeat(35), 1],
    ["36 emoji", "😀".repeat(36), 2],
    ["160 ç", "ç".repeat(160), 3],
    ["a ç, which is not in GSM-7", `${"a".repeat(159)}ç`, 3],
  ])("counts %s", (_what, body, segments) => {
    expect(segmentCount(body)).toBe(segments);
    expect(twilioCount(body)).toBe(segments);
  });

  test("agrees with Twilio's calculator on which characters are in GSM-7", () => {
    for (let unit = 0; unit < 0x3000; unit++) {
      const character = String.fromCharCode(unit);
      const isGsm = segmentCount(character.repeat(71)) === 1;
      expect([unit, isGsm]).toEqual([unit, new SegmentedMessage(character, "auto").encodingName === "GSM-7"]);
    }
  });

  test("never counts fewer than Twilio's calculator", () => {
    const piece = fc.constantFrom(
      "a",
      "Z",
      "€",
      "[",
      "я",
      "é",
      "ç",
      "😀",
      "👍🏽",
      "👨‍👩‍👧",
      "🇩🇪",
      "e\u0301",
      "\r\n",
      "\n",
      "“",
      " ",
    );
    fc.assert(
      fc.property(fc.array(piece, { minLength: 50, maxLength: 300, size: "max" }), (pieces) => {
        const body = pieces.join("");
        expect(segmentCount(body)).toBeGreaterThanOrEqual(twilioCount(body));
      }),
      { numRuns: 60 },
    );
  });

  test("counts the units of a grapheme that no segment can hold", () => {
    expect(segmentCount(`e${"\u0301".repeat(1599)}`)).toBe(24);
  });

  test("counts the longest body in well under 20 ms, so that one agent cannot stall the others", () => {
    const bodies = ["a".repeat(1600), "я".repeat(1600), "👨‍👩‍👧".repeat(200)];
    const tookMs = workMs(() => {
      for (const body of bodies) segmentCount(body);
    });
    expect(tookMs).toBeLessThan(60);
  });
});
