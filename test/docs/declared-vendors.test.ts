import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { PAGE, pageWithFields } from "../../scripts/declared-docs.ts";

const page = readFileSync(PAGE, "utf8");

test("docs/declared-vendors.md has every field as the schema has it: `bun scripts/declared-docs.ts` writes it anew", () => {
  expect(page).toBe(pageWithFields(page));
  for (const field of ["title", "credential", "released_statuses", "missing", "closed_fields"]) {
    expect(page).toContain(`| \`${field}\` |`);
  }
});

test("a page without its marks is refused, not overwritten", () => {
  expect(() => pageWithFields("# Declared vendors")).toThrow("the page has no <!-- fields -->");
});
