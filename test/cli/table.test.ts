import { describe, expect, test } from "bun:test";
import { type Column, cut, cutMiddle, layOut, printable } from "../../src/cli/table.ts";

interface Row {
  readonly id: string;
  readonly label: string;
  readonly cost: string;
}

const COLUMNS: readonly Column<Row>[] = [
  { header: "id", text: ({ id }) => id },
  { header: "label", text: ({ label }) => label, widthMin: 6 },
  { header: "cost", text: ({ cost }) => cost, align: "right" },
];
const ROWS: readonly Row[] = [
  { id: "vk_1", label: "tenant:acme:billing:run-7", cost: "$5.00" },
  { id: "vk_2", label: "小さな請求", cost: "$1,240.00" },
  { id: "vk_3", label: "👩‍👩‍👧 family", cost: "-" },
];

const widest = (lines: readonly string[]) => Math.max(...lines.map((line) => Bun.stringWidth(line)));

describe("a table", () => {
  test("cuts nothing where there is no terminal, so that a pipe gets the whole text", () => {
    expect(layOut(COLUMNS, ROWS, undefined).join("\n")).toBe(
      [
        "id    label                           cost",
        "vk_1  tenant:acme:billing:run-7      $5.00",
        "vk_2  小さな請求                 $1,240.00",
        "vk_3  👩‍👩‍👧 family                          -",
      ].join("\n"),
    );
  });

  test.each([60, 40, 36, 30, 26, 20, 16])("fits a terminal of %i cells", (width) => {
    expect(widest(layOut(COLUMNS, ROWS, width))).toBeLessThanOrEqual(width);
  });

  test("keeps whole what may not be cut as long as something else can be", () => {
    const lines = layOut(COLUMNS, ROWS, 27);
    expect(lines[1]).toBe("vk_1  tenant:ac…      $5.00");
    expect(lines[2]).toContain("$1,240.00");
  });

  test("never cuts what people paste elsewhere, on whatever terminal", () => {
    const columns = COLUMNS.map((column) =>
      column.header === "id" ? { ...column, tooWide: "never" as const } : column,
    );
    const rows = [{ ...ROWS[0]!, id: "vk_01j0000000000000000000" }];
    expect(layOut(columns, rows, 20)[1]).toMatch(/^vk_01j0000000000000000000 /);
  });

  test("lets a column wrap between words, and within one that is wider than a line", () => {
    const columns = COLUMNS.map((column) =>
      column.header === "label" ? { ...column, tooWide: "wrap" as const } : column,
    );
    const rows = [{ id: "vk_1", label: "the run of tenant:acme", cost: "$5.00" }, ROWS[1]!];
    expect(layOut(columns, rows, 25)).toEqual([
      "id    label          cost",
      "vk_1  the run       $5.00",
      "      of",
      "      tenant:a",
      "      cme",
      "vk_2  小さな請  $1,240.00",
      "      求",
    ]);
  });

  test("lines up on a terminal with colours as without", () => {
    const colours = COLUMNS.map((column) => ({ ...column, colour: () => "red" as const }));
    const painted = layOut(colours, ROWS, 30, (text) => `\u001b[31m${text}\u001b[39m`);
    expect(painted.map((line) => Bun.stripANSI(line).trimEnd())).toEqual(layOut(COLUMNS, ROWS, 30));
  });

  test("shows an agent's escape sequences instead of obeying them", () => {
    const rows = [{ id: "vk_1", label: "a\u001b[2Jb\nc\u202ed", cost: "1" }];
    expect(layOut(COLUMNS, rows, undefined)[1]).toBe("vk_1  a�[2Jb�c�d     1");
  });
});

test.each([
  ["whole", 5, "whole"],
  ["longer", 5, "long…"],
  ["小さな請求", 6, "小さ…"],
  ["👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 4, "👩‍👩‍👧…"],
])("%j in %i cells is %j", (text, width, expected) => {
  expect(cut(text, width)).toBe(expected);
});

test.each([
  ["whole", 5, "whole"],
  ["POST /v1/payment_intents/pi_1/confirm", 18, "POST /v1/…/confirm"],
  ["POST /v1/payment_intents/pi_1/capture", 17, "POST /v1…/capture"],
  ["小さな請求", 6, "小…求"],
])("%j cut in the middle to %i cells is %j", (text, width, expected) => {
  expect(cutMiddle(text, width)).toBe(expected);
});

test("ordinary text of any language is printable as it is", () => {
  const text = "tenant:acme — Zürich, 請求 #7 👍";
  expect(printable(text)).toBe(text);
});
