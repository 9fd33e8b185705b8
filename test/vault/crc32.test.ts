import { describe, expect, test } from "bun:test";
import { crc32, crc32Base62 } from "../../src/vault/crc32.ts";

describe("CRC-32", () => {
  test.each([
    ["123456789", 0xcbf43926], // the check value of CRC-32/ISO-HDLC in every catalogue
    ["", 0],
    ["a", 0xe8b7be43],
    ["The quick brown fox jumps over the lazy dog", 0x414fa339],
  ])("of %p is the known answer", (text, expected) => {
    expect(crc32(text)).toBe(expected);
  });

  test("is always six characters of base62", () => {
    expect(crc32Base62("123456789")).toBe("3jZRME");
    expect(crc32Base62("")).toBe("000000");
  });
});
