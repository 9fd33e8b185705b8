import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { JsonValue } from "../../../src/core/call.ts";
import { JSON_LIMITS, parseStrictJson } from "../../../src/proxy/parse/json.ts";
import { accepted, refusal, utf8 } from "./verdicts.ts";

function leaves(text: string): Record<string, string> {
  return Object.fromEntries(accepted(parseStrictJson(utf8(text))).fields);
}

describe("fields", () => {
  test.each([
    ['{"from":"a@b.c","to":["x@y.z","u@v.w"]}', { from: "a@b.c", "to[0]": "x@y.z", "to[1]": "u@v.w" }],
    ['{"amount":{"value":100,"currency":"usd"}}', { "amount[value]": "100", "amount[currency]": "usd" }],
    ['[{"to":["a","b"]},{"to":"c"}]', { "[0][to][0]": "a", "[0][to][1]": "b", "[1][to]": "c" }],
    ['{"a":true,"b":false,"c":null,"d":0.50}', { a: "true", b: "false", c: "null", d: "0.50" }],
    ['{"a":{},"b":[]}', {}],
    [' \t\r\n{ "a" : [ 1 , 2 ] } \n', { "a[0]": "1", "a[1]": "2" }],
    ['{"\\u0061mount":1}', { amount: "1" }],
    ['{"Plan Name":"x","é":"y","a.b":"z"}', { "Plan Name": "x", é: "y", "a.b": "z" }],
    ['{"constructor":1,"toString":2}', { constructor: "1", toString: "2" }],
    ["[]", {}],
  ])("names the leaves of %s", (text, expected) => {
    expect(leaves(text)).toEqual(expected as unknown as Record<string, string>);
    expect(accepted(parseStrictJson(utf8(text))).value).toEqual(JSON.parse(text));
  });
});

describe("refused JSON", () => {
  test.each([
    // The first corpus.
    '{"amount":1,"amount":2}',
    '{"amount":1,"\\u0061mount":2}',
    '{"amount":9007199254740993}',
    '\uFEFF{"amount":1}',
    "amount=1&currency=usd",
    // Keys that some library takes for one, or for code.
    '{"amount":1,"Amount":2}',
    '{"a":{"b":1,"B":2}}',
    '{"amount":1," amount":2}',
    '{"amount":1,"ａmount":2}',
    '{"k":1,"\u212a":2}',
    '{"straße":1,"STRASSE":2}',
    '{"__proto__":{"amount":1}}',
    '{"\\u005f_proto__":1}',
    '{"a":{"__proto__":1}}',
    '{"a":{"b":1},"a[b]":2}',
    '{"a]":1}',
    '{"":1}',
    '{"a\\u0000":1}',
    '{"a\\n":1}',
    // Not an object or array.
    "",
    " ",
    "1",
    '"a"',
    "null",
    "true",
    // Extensions and mistakes.
    "{'a':1}",
    "{a:1}",
    '{"a":1,}',
    '{,"a":1}',
    "[1,]",
    "[,1]",
    "[1,,2]",
    "[1 2]",
    '{"a" 1}',
    '{"a":}',
    '{"a":1 "b":2}',
    '{"a":1]',
    "[1}",
    "{",
    "[",
    '{"a"',
    '{"a":1',
    '{"a":1}}',
    '{"a":1}{"a":2}',
    '{"a":1} x',
    '{"a":1}\x00',
    '{"a":1}//',
    '{/**/"a":1}',
    '{"a":True}',
    '{"a":nul}',
    '{"a":nullx}',
    '{"a":undefined}',
    '{"a":\u00a01}',
    '{"a":\v1}',
    "\x1e{}",
  ])("refuses %j", (text) => {
    refusal(parseStrictJson(utf8(text)));
  });

  test("refuses bytes that are not UTF-8", () => {
    for (const bad of [[0xff], [0xc0, 0xae], [0xed, 0xa0, 0x80], [0xc3]]) {
      refusal(parseStrictJson(Uint8Array.of(0x7b, 0x22, 0x61, 0x22, 0x3a, 0x22, ...bad, 0x22, 0x7d)));
    }
    refusal(parseStrictJson(new Uint8Array(new Uint16Array([0xfeff, 0x7b, 0x7d]).buffer)));
  });

  test("takes 32 levels and refuses the next, and never runs out of stack", () => {
    accepted(parseStrictJson(utf8("[".repeat(32) + "]".repeat(32))));
    expect(refusal(parseStrictJson(utf8("[".repeat(33) + "]".repeat(33))))).toContain("32");
    refusal(parseStrictJson(utf8("[".repeat(1_000_000))));
    refusal(parseStrictJson(utf8('{"a":'.repeat(100_000))));
  });

  test("bounds the number of values and the length of a name", () => {
    const tight = { ...JSON_LIMITS, valuesMax: 4 };
    accepted(parseStrictJson(utf8("[1,2,3]"), tight));
    expect(refusal(parseStrictJson(utf8("[1,2,3,4]"), tight))).toContain("4");
    refusal(parseStrictJson(utf8("[[],[],[],[]]"), tight));
    accepted(parseStrictJson(utf8(`{"${"a".repeat(512)}":1}`)));
    expect(refusal(parseStrictJson(utf8(`{"${"a".repeat(512)}":[1]}`)))).toContain("512");
  });

  test("says in no refusal what a value was", () => {
    for (const text of [
      '{"a":"secret\n"}',
      '{"a":"secret',
      '{"a":"secret","a":1}',
      '{"a":"secret"}x',
      '{"a":"secret" "b":1}',
    ]) {
      expect(refusal(parseStrictJson(utf8(text)))).not.toContain("secret");
    }
  });
});

describe("properties", () => {
  const PIECES = [
    "{",
    "}",
    "{",
    "}",
    "[",
    "]",
    ":",
    ":",
    ",",
    ",",
    '"a"',
    '"a":',
    '"b":',
    '"A":',
    '"\\u0061":',
    '"a":{',
    "1",
    "0",
    "-0",
    "-",
    "1.5",
    "01",
    "1e3",
    "9007199254740993",
    "true",
    "null",
    '"',
    "\\",
    "\\u",
    "\\ud83d\\ude00",
    "\\n",
    " ",
    "\n",
    "\t",
    '"x"',
    '"é"',
    '"__proto__":',
  ];

  /** Flattened independently, from JSON.parse's own value. */
  function flatten(value: JsonValue, name: string, into: Map<string, string>): Map<string, string> {
    if (typeof value !== "object" || value === null) return into.set(name, String(value));
    for (const [key, member] of Object.entries(value)) {
      flatten(member, name === "" && !Array.isArray(value) ? key : `${name}[${key}]`, into);
    }
    return into;
  }

  function expectSame(text: string): boolean {
    const result = parseStrictJson(utf8(text));
    if (!result.ok) return false;
    const reference = JSON.parse(text) as JsonValue;
    expect(result.value.value).toEqual(reference);
    expect(JSON.stringify(result.value.value)).toBe(JSON.stringify(reference));
    const fields = [...result.value.fields].map(([name, leaf]) => [
      name,
      /^-?\d+\.\d+$/.test(leaf) ? String(Number(leaf)) : leaf,
    ]);
    const expected = [...flatten(reference, "", new Map())];
    expect(fields.sort().map(String)).toEqual(
      expected
        .map(([name, leaf]) => [name, /^-?\d+\.\d+$/.test(leaf) ? String(Number(leaf)) : leaf])
        .sort()
        .map(String),
    );
    return true;
  }

  test("a text that is accepted is JSON, and reads the same to JSON.parse", () => {
    let taken = 0;
    const wrapped = fc.array(fc.constantFrom(...PIECES), { maxLength: 7 }).map((pieces) => pieces.join(""));
    const text = fc.oneof(
      wrapped,
      wrapped.map((inner) => `{"a":${inner}}`),
      wrapped.map((inner) => `[${inner}]`),
    );
    fc.assert(
      fc.property(text, (source) => {
        if (expectSame(source)) taken++;
      }),
      { numRuns: 10_000 },
    );
    expect(taken).toBeGreaterThan(100);
  });

  test("any plain value that is rendered and parsed comes back, indented or not", () => {
    const key = fc.string({ unit: fc.constantFrom(..."abcxyz0_-é "), minLength: 1, maxLength: 4 });
    const leaf = fc.oneof(
      fc.string({ unit: "grapheme", maxLength: 8 }).filter((text) => text.isWellFormed() && !text.includes("\0")),
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.integer({ min: 1, max: 999_999 }).map((cents) => cents / 100),
    );
    const { tree } = fc.letrec<{ tree: JsonValue; node: JsonValue }>((tie) => ({
      node: fc.oneof({ maxDepth: 4 }, leaf, tie("tree")),
      tree: fc.oneof(
        fc.array(tie("node"), { maxLength: 4 }),
        fc
          .uniqueArray(fc.tuple(key, tie("node")), { selector: ([name]) => name.trim().toLowerCase(), maxLength: 4 })
          .map((pairs) => Object.fromEntries(pairs)),
      ),
    }));
    let taken = 0;
    const wanted = tree.filter((value) => !JSON.stringify(value).includes('"":'));
    fc.assert(
      fc.property(wanted, fc.constantFrom(undefined, 2, "\t"), (value, indent) => {
        expect(expectSame(JSON.stringify(value, null, indent))).toBe(true);
        taken++;
      }),
      { numRuns: 1500 },
    );
    expect(taken).toBe(1500);
  });
});
