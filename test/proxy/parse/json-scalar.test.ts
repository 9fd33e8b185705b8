import { describe, expect, test } from "bun:test";
import { parseStrictJson } from "../../../src/proxy/parse/json.ts";
import { scanNumber, scanString } from "../../../src/proxy/parse/json-scalar.ts";
import { accepted, refusal, utf8 } from "./verdicts.ts";

describe("numbers", () => {
  test.each([
    "0",
    "1",
    "-1",
    "100",
    "9007199254740991",
    "-9007199254740991",
    "0.5",
    "-0.5",
    "1.0",
    "29.99",
    "0.000001",
    "123456789.012345",
  ])("takes %s as it is written", (source) => {
    expect(scanNumber(`${source},`, 0)).toBe(source);
    const { value, fields } = accepted(parseStrictJson(utf8(`{"a":${source}}`)));
    expect(value).toEqual({ a: Number(source) });
    expect(fields.get("a")).toBe(source);
  });

  test.each([
    "9007199254740992",
    "9007199254740993",
    "-9007199254740992",
    "123456789012345678901234567890",
    "1e9",
    "1E9",
    "1e+1",
    "1e-1",
    "1.5e3",
    "-0",
    "-0.0",
    "00",
    "01",
    "-01",
    "0100",
    "+5",
    ".5",
    "5.",
    "1.",
    "-",
    "--1",
    "0x10",
    "0b1",
    "1_000",
    "1.2.3",
    "NaN",
    "Infinity",
    "-Infinity",
    "1n",
    "0.1234567890123456",
    "1.0000000000000001",
    `0.${"0".repeat(400)}1`,
    "１",
  ])("refuses the number %s", (source) => {
    refusal(parseStrictJson(utf8(`{"amount":${source}}`)));
  });
});

test("says what is wrong with a number", () => {
  for (const source of ["1e9", "0100", "1."]) {
    expect(refusal(parseStrictJson(utf8(`[${source}]`)))).toContain("must be plain: no exponent");
  }
});

describe("strings", () => {
  test.each([
    ['""', ""],
    ['"é"', "é"],
    ['"\\u00e9\\u00E9"', "éé"],
    ['"\\ud83d\\ude00!"', "\u{1F600}!"],
    ['"\\"\\\\\\/\\b\\f\\n\\r\\t"', '"\\/\b\f\n\r\t'],
    ['"a\\nb\\nc"', "a\nb\nc"],
    ['"\\\\"', "\\"],
    ['"\\u2028"', "\u2028"],
  ])("reads %s", (source, value) => {
    expect(scanString(source, 0)).toEqual({ value, end: source.length });
  });

  test.each([
    ["NUL", '"\\u0000"'],
    ["a bare NUL", '"\x00"'],
    ["a bare line feed", '"a\nb"'],
    ["a bare tab after an escape", '"\\n\t"'],
    ["a lone high surrogate", '"\\ud83d"'],
    ["a lone low surrogate", '"\\ude00"'],
    ["a high surrogate before a character", '"\\ud83dx"'],
    ["a high surrogate before another escape", '"\\ud83d\\u0041"'],
    ["two high surrogates", '"\\ud83d\\ud83d"'],
    ["a high surrogate before a character past the low ones", '"\\ud83d\\ue000"'],
    ["two low surrogates", '"\\ude00\\ude00"'],
    ["an escape that is none", '"\\x41"'],
    ["an escaped quote mark of another kind", '"\\\'"'],
    ["a capital U", '"\\U0041"'],
    ["three hex digits", '"\\u004"'],
    ["hex digits that are none", '"\\u00g1"'],
    ["no end", '"abc'],
    ["no end after an escape", '"abc\\"'],
    ["a backslash at the end", '"abc\\'],
  ])("refuses %s", (_, source) => {
    refusal(parseStrictJson(utf8(`{"a":${source}}`)));
  });
});
