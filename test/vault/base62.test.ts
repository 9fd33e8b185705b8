import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { base62Width, decodeBase62, encodeBase62, encodeBase62Number } from "../../src/vault/base62.ts";

const ZEROS = new Uint8Array(32);
const ONES = new Uint8Array(32).fill(255);

describe("base62", () => {
  test("writes 256 bits in 43 characters and 32 bits in 6", () => {
    expect(base62Width(32)).toBe(43);
    expect(base62Width(4)).toBe(6);
    expect(encodeBase62(ZEROS)).toBe("0".repeat(43));
    expect(encodeBase62(ONES)).toHaveLength(43);
  });

  test("agrees with arithmetic on big integers", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        let value = 0n;
        for (const character of encodeBase62(bytes)) {
          value =
            value * 62n + BigInt("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".indexOf(character));
        }
        expect(value.toString(16).padStart(64, "0")).toBe(Buffer.from(bytes).toString("hex"));
      }),
      { numRuns: 200 },
    );
  });

  test("gives back what it was given, also with leading zero bytes", () => {
    for (const bytes of [ZEROS, ONES, Uint8Array.of(0, 0, 1, 255), Uint8Array.of(255, 255, 255, 255)]) {
      expect(decodeBase62(encodeBase62(bytes), bytes.length)).toEqual(bytes);
    }
  });

  test("does not change the bytes that it encodes", () => {
    const bytes = Uint8Array.of(1, 2, 3, 4);
    encodeBase62(bytes);
    expect(bytes).toEqual(Uint8Array.of(1, 2, 3, 4));
  });

  test.each([
    ["a character too few", "0".repeat(42)],
    ["a character too many", "0".repeat(44)],
    ["a character outside the alphabet", `${"0".repeat(42)}-`],
    ["a number of 2^256 or more", "z".repeat(43)],
  ])("refuses %s", (_, text) => {
    expect(decodeBase62(text, 32)).toBeUndefined();
  });

  test("writes a number as it writes the same number in bytes", () => {
    expect(encodeBase62Number(0xcbf43926, 6)).toBe(encodeBase62(Uint8Array.of(0xcb, 0xf4, 0x39, 0x26)));
    expect(encodeBase62Number(61, 3)).toBe("00z");
  });
});
