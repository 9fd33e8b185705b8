import { describe, expect, test } from "bun:test";
import { formOptions, parseForm } from "../../../src/proxy/parse/form.ts";
import { accepted, refusal, utf8 } from "./verdicts.ts";

const OPTIONS = formOptions(new Set(["MediaUrl", "PersistentAction"]));

function entries(text: string): [string, string][] {
  return [...accepted(parseForm(utf8(text), OPTIONS))];
}

describe("accepted forms", () => {
  test.each<[string, [string, string][]]>([
    ["", []],
    [
      "amount=100&currency=usd",
      [
        ["amount", "100"],
        ["currency", "usd"],
      ],
    ],
    ["description=", [["description", ""]]],
    [
      "metadata[a]=b&metadata%5Bc%5D=d",
      [
        ["metadata[a]", "b"],
        ["metadata[c]", "d"],
      ],
    ],
    [
      "items[0][price]=p&items[0][quantity]=2",
      [
        ["items[0][price]", "p"],
        ["items[0][quantity]", "2"],
      ],
    ],
    [
      "expand[]=a&expand[]=b",
      [
        ["expand[0]", "a"],
        ["expand[1]", "b"],
      ],
    ],
    [
      "a[b][]=1&a[c][]=2&a[b][]=3",
      [
        ["a[b][0]", "1"],
        ["a[c][0]", "2"],
        ["a[b][1]", "3"],
      ],
    ],
    [
      "MediaUrl=https%3A%2F%2Fa%2F1&MediaUrl=2",
      [
        ["MediaUrl[0]", "https://a/1"],
        ["MediaUrl[1]", "2"],
      ],
    ],
    ["MediaUrl=1", [["MediaUrl[0]", "1"]]],
    [
      "Parameter1.Name=a&Parameter1.Value=b",
      [
        ["Parameter1.Name", "a"],
        ["Parameter1.Value", "b"],
      ],
    ],
    [
      "To=%2B15551234567&Body=h%C3%A9%0Allo%3B%20a",
      [
        ["To", "+15551234567"],
        ["Body", "hé\nllo; a"],
      ],
    ],
    ["a=b+c", [["a", "b c"]]],
    [
      "a=%2b&b=%2B",
      [
        ["a", "+"],
        ["b", "+"],
      ],
    ],
    ["description=My first charge", [["description", "My first charge"]]],
    ["name=José", [["name", "José"]]],
    ["token=abc==", [["token", "abc=="]]],
    ["%61mount=1", [["amount", "1"]]],
    [
      "metadata[1]=x&metadata[key]=y",
      [
        ["metadata[1]", "x"],
        ["metadata[key]", "y"],
      ],
    ],
    ["amount=%EF%BC%99", [["amount", "９"]]],
    ["html=%3Cp%3E%09%0D%0A", [["html", "<p>\t\r\n"]]],
  ])("reads %j", (text, expected) => {
    expect(entries(text)).toEqual(expected);
  });
});

describe("refused forms", () => {
  test.each([
    // The first corpus: one amount in two spellings.
    "amount=1&amount=99999",
    "amount=1& amount=99999",
    "amount=1&amount[]=99999",
    "amount=1&%61mount=99999",
    // And others of the kind.
    "amount=1&Amount=99999",
    "amount=1&amount[value]=99999",
    "amount[value]=99999&amount=1",
    "amount[]=1&amount=99999",
    "amount=1&+amount=99999",
    "amount=1&%20amount=99999",
    "amount=1&amount%20=99999",
    "amount=1&amount%00=99999",
    "amount=1&amount%C2%A0=99999",
    "amount=1&%EF%BD%81mount=99999",
    "amount=1&a%6Dount=99999",
    "amount=1&amount%5B%5D=99999",
    "amount=1;amount=99999",
    "currency=usd&amount=1;currency=jpy",
    "MediaUrl=1&MediaUrl[]=2",
    "MediaUrl=1&MediaUrl[0]=2",
    "MediaUrl=1&mediaurl=2",
    "To=1&To=2",
    // Lists and objects.
    "a[]=1&a[0]=2",
    "a[0]=1&a[]=2",
    "a[0]=1&a[00]=2",
    "a[00]=1",
    "a[01][b]=1",
    "a[b]=1&a[b]=2",
    "a[b]=1&a[B]=2",
    "a[b]=1&A[c]=2",
    "a[b]=1&a[b][c]=2",
    "a[b][c]=1&a[b]=2",
    "a[][b]=1",
    "a[]=1&a[b]=2",
    "a[b]=1&a[]=2",
    "a.b=1&a[b]=2",
    "a[b]=1&a.b=2",
    "a.b=1&a_b=2",
    "a.b.c=1&a.b[c]=2",
    "a.b=1&a=2",
    "a_b.c=1&a.b_c=2",
    ".a=1",
    "a.=1",
    "a..b=1",
    // Brackets that do not match.
    "a[b=1",
    "a]b=1",
    "a[b]c=1",
    "a[b]]=1",
    "a[[b]]=1",
    "a[b[c]]=1",
    "[a]=1",
    "[]=1",
    "a[b].c=1",
    "a=[b]=c",
    "a=x%5D=c",
    "a[b=c]=d",
    // Pairs.
    "&a=1",
    "a=1&",
    "a=1&&b=2",
    "&",
    "a",
    "a=1&b",
    "a&b=1",
    "=",
    "=1",
    "a=1&=2",
    // Names.
    "a+b=1",
    "a b=1",
    "a%20b=1",
    "é=1",
    "a%26b=1",
    "a%3Db=1",
    "a%3Bb=1",
    "a%25b=1",
    "a%0Ab=1",
    "a%2Bb=1",
    "metadata[%E2%80%AEx]=1",
    "__proto__=1",
    "__proto__[a]=1",
    "a[__proto__]=1",
    "_method=DELETE",
    // Escapes and bytes.
    "a=%",
    "a=%4",
    "a=%zz",
    "a=%u0041",
    "%=1",
    "a=%C3",
    "a=%C0%80",
    "a=%ED%A0%80",
    "a=%FF",
    "a=%00",
    "a=%01",
    "a=%7F",
    "a=%C2%85",
    "a=1\n",
    "a=1\r\nb=2",
    "a=\x00",
    "a= 1",
    "a=1 ",
    "\uFEFFa=1",
  ])("refuses %j", (text) => {
    refusal(parseForm(utf8(text), OPTIONS));
  });

  test("refuses bytes that are not UTF-8", () => {
    refusal(parseForm(Uint8Array.of(0x61, 0x3d, 0xc3), OPTIONS));
    refusal(parseForm(Uint8Array.of(0x61, 0x3d, 0xff, 0xfe), OPTIONS));
    refusal(parseForm("a=\ud800", OPTIONS));
  });

  test("takes 1000 fields and eight brackets, and refuses one more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `f${index}=1`).join("&");
    expect(entries(many(1000))).toHaveLength(1000);
    expect(refusal(parseForm(many(1001), OPTIONS))).toContain("1000");
    expect(entries(`a${"[b]".repeat(8)}=1`)).toHaveLength(1);
    expect(refusal(parseForm(`a${"[b]".repeat(9)}=1`, OPTIONS))).toContain("8");
    expect(refusal(parseForm(`${"a".repeat(513)}=1`, OPTIONS))).toContain("512");
  });

  test("says what is wrong with a pair", () => {
    expect(refusal(parseForm("a=1&&b=2", OPTIONS))).toContain("empty pair");
    expect(refusal(parseForm("a&b=1", OPTIONS))).toContain('The pair "a" has no "="');
  });

  test("says in no refusal what the value was", () => {
    for (const text of ["a=secret%00", "a= secret", "a=1&a=secret", "a=sec;ret", "a=secret]=x"]) {
      expect(refusal(parseForm(text, OPTIONS))).not.toContain("secret");
    }
  });
});
