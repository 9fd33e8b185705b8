import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationCheck } from "../../scripts/integrations/check.ts";
import { EXAMPLES } from "../../scripts/integrations/folders.ts";
import { filled, pageNames, readPageText, readResults, TABLE_PAGE } from "../../scripts/integrations/pages.ts";

/** Pages that are about all stacks. */
const GENERAL = [TABLE_PAGE, "any-stack"];

const results = readResults();
const stacks = readdirSync(EXAMPLES).sort();
const pages = pageNames();

test("every example has a page and has passed, and every page has an example", () => {
  expect(pages.filter((page) => !GENERAL.includes(page))).toEqual(stacks);
  expect([...results.keys()].sort()).toEqual(stacks);
});

describe.each(stacks)("%s", (page) => {
  test("has a result that is its check's: no scenario was left out", async () => {
    expect(existsSync(join(EXAMPLES, page, "check.ts"))).toBe(true);
    const { check } = (await import(join(EXAMPLES, page, "check.ts"))) as { check: IntegrationCheck };
    const { stack, ran, how, scenarios } = results.get(page)!;
    expect({ page, stack, ran, how, scenarios: [...scenarios] }).toEqual({
      page: check.page,
      stack: check.stack,
      ran: check.ran,
      how: check.how,
      scenarios: check.scenarios.map(({ title }) => title),
    });
  });

  test("says in its second line what was run", () => {
    const [heading, , line] = readPageText(page).split(/\n\n+/);
    expect(heading).toMatch(/^# \S/);
    expect(line).toMatch(/^<!-- result -->\n(?:Run with .+|.+ itself was not run: .+)$/);
  });

  test("shows at least one file of its example", () => {
    expect(readPageText(page)).toContain(`\n<!-- examples/${page}/`);
  });
});

test.each(pages)("%s is as `bun scripts/integrations/pages.ts` writes it", (page) => {
  const text = readPageText(page);
  expect(text).toBe(filled(page, text, results));
});

test("a file that is shown on a page is the file itself, and a generated line is not written by hand", () => {
  const page = "<!-- examples/ray/requirements.txt -->\n```text\nstale\n```\n\n<!-- result -->\nby hand\n";
  const wanted = filled("ray", page, results);
  expect(wanted).toContain("stripe==");
  expect(wanted).not.toContain("stale");
  expect(wanted).not.toContain("by hand");
});
