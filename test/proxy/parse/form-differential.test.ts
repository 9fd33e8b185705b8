import { expect, test } from "bun:test";
import fc from "fast-check";
import { formOptions, parseForm } from "../../../src/proxy/parse/form.ts";
import { accepted, utf8 } from "./verdicts.ts";

const OPTIONS = formOptions(new Set(["MediaUrl", "PersistentAction"]));

function entries(text: string): [string, string][] {
  return [...accepted(parseForm(utf8(text), OPTIONS))];
}

const PIECES = [
  "a",
  "a",
  "b",
  "A",
  "amount",
  "=",
  "=",
  "=",
  "&",
  "&",
  "&",
  "[",
  "]",
  "[]",
  "[b]",
  "[0]",
  "[00]",
  "[1]",
  "%5B",
  "%5d",
  "%61",
  "%41",
  "+",
  "%20",
  "%2B",
  "%",
  "%zz",
  "é",
  "%C3%A9",
  "%C3",
  ".",
  ";",
  "%3B",
  "%3D",
  "%26",
  "0",
  " ",
  "\n",
  "%0A",
  "%00",
  "MediaUrl",
  "_",
  "'",
];

/** The canonical names, made independently: `x[]` and repeatable names are numbered in order. */
function canonical(pairs: Iterable<[string, string]>): [string, string][] {
  const counts = new Map<string, number>();
  return [...pairs].map(([name, value]) => {
    const list = name.endsWith("[]") ? name.slice(0, -2) : OPTIONS.repeatable.has(name) ? name : undefined;
    if (list === undefined) return [name, value];
    const index = counts.get(list) ?? 0;
    counts.set(list, index + 1);
    return [`${list}[${index}]`, value];
  });
}

test("a form that is accepted reads the same to URLSearchParams", () => {
  let taken = 0;
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 9 }), (pieces) => {
      const result = parseForm(utf8(pieces.join("")), OPTIONS);
      if (!result.ok) return;
      taken++;
      expect([...result.value]).toEqual(canonical(new URLSearchParams(pieces.join(""))));
    }),
    { numRuns: 30_000 },
  );
  expect(taken).toBeGreaterThan(100);
});

/** How lenient parsers see a name: dots as brackets (qs), or as underscores in front of the first bracket (PHP). */
const LENIENT = [
  (name: string) =>
    name
      .toLowerCase()
      .replace(/[[\].]+/g, ".")
      .replace(/\.$/, ""),
  (name: string) =>
    name
      .toLowerCase()
      .replace(/^[^[]+/, (root) => root.replaceAll(".", "_"))
      .replace(/\[\]$/, ""),
];

test("no two accepted fields have names that a lenient parser could take for one", () => {
  const name = fc.array(fc.constantFrom("a", "b", "A", "[a]", "[b]", "[0]", "[]", ".b", "_b"), {
    minLength: 1,
    maxLength: 3,
  });
  const twoNames = fc.tuple(name, name).map(([first, second]) => [first.join(""), second.join("")] as const);
  fc.assert(
    fc.property(twoNames, ([first, second]) => {
      if (!parseForm(`${first}=1&${second}=2`, OPTIONS).ok) return;
      for (const loose of LENIENT) if (loose(first) === loose(second)) expect(first).toBe(second);
      if (first === second) expect(first).toEndWith("[]");
    }),
    { numRuns: 5000 },
  );
});

test("any fields that are rendered and parsed come back as they were", () => {
  const key = fc
    .string({ unit: fc.constantFrom(..."abcxyz019-"), minLength: 1, maxLength: 5 })
    .filter((text) => !/^0\d/.test(text));
  const field = fc
    .tuple(fc.constantFrom("amount", "metadata[k]", "items[0][price]", "Parameter1.Name", "x"), key)
    .map(([root, tail]) => `${root}-${tail}`.replace("]-", "][") + (root.includes("[") ? "]" : ""));
  const value = fc
    .string({ unit: "grapheme", maxLength: 12 })
    .filter((text) => text.isWellFormed() && !/[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]/.test(text));
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.tuple(field, value), { selector: ([name]) => name, maxLength: 8 }),
      fc.boolean(),
      (fields, plus) => {
        const text = plus
          ? new URLSearchParams(fields).toString()
          : fields.map(([name, content]) => `${name}=${encodeURIComponent(content)}`).join("&");
        expect(entries(text)).toEqual(fields);
      },
    ),
    { numRuns: 1500 },
  );
});
