/**
 * Writes into the pages of docs/integrations what is not written by hand: the examples' files, what was run, the table of
 * all stacks. `bun scripts/integrations/pages.ts`; test/docs/integrations.test.ts holds the pages to it.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { IntegrationResult } from "./check.ts";
import { PAGES, RESULTS, ROOT } from "./folders.ts";

/** Not a stack's page. */
export const TABLE_PAGE = "README";

/** The results by page, in the order of their stacks' names. */
export function readResults(): ReadonlyMap<string, IntegrationResult> {
  const names = readdirSync(RESULTS).filter((name) => name.endsWith(".json"));
  const results = names.map((name): [string, IntegrationResult] => [
    name.slice(0, -".json".length),
    JSON.parse(readFileSync(join(RESULTS, name), "utf8")) as IntegrationResult,
  ]);
  const key = ({ stack }: IntegrationResult) => stack.toLowerCase();
  return new Map(results.sort(([, one], [, other]) => (key(one) < key(other) ? -1 : 1)));
}

/** The pages of stacks, without `.md`. */
export function pageNames(): readonly string[] {
  return readdirSync(PAGES)
    .filter((name) => name.endsWith(".md"))
    .map((name) => name.slice(0, -".md".length))
    .sort();
}

export function readPageText(page: string): string {
  return readFileSync(join(PAGES, `${page}.md`), "utf8");
}

/** A page with its generated parts as they have to be. @throws Error where it names a file that is not there. */
export function filled(page: string, text: string, results = readResults()): string {
  const result = results.get(page);
  const own = result ? withResult(text, page, result) : text;
  return withTable(withFiles(own), results);
}

const FILE = /^<!-- (examples\/\S+) -->\n(`{3,})(\w*)\n[\s\S]*?^\2$/gm;

function withFiles(text: string): string {
  return text.replace(FILE, (_block, path: string, fence: string, language: string) => {
    const file = join(ROOT, path);
    if (!existsSync(file)) throw new Error(`a page shows ${path}, which is not there`);
    return `<!-- ${path} -->\n${fence}${language}\n${readFileSync(file, "utf8").trimEnd()}\n${fence}`;
  });
}

/** The line behind `<!-- result -->`, and the list between `<!-- scenarios -->` and its end where a page has one. */
function withResult(text: string, page: string, result: IntegrationResult): string {
  const list = result.scenarios.map((title) => `- ${title}\n`).join("");
  return text
    .replace(/^<!-- result -->\n.*\n/m, () => `<!-- result -->\n${sentenceOf(page, result)}\n`)
    .replace(
      /^<!-- scenarios -->\n[\s\S]*?<!-- \/scenarios -->/m,
      () => `<!-- scenarios -->\n\n${list}\n<!-- /scenarios -->`,
    );
}

function sentenceOf(page: string, { stack, version, ran, how, scenarios, date }: IntegrationResult): string {
  const count = scenarios.length === 1 ? "1 scenario" : `${scenarios.length} scenarios`;
  const command = `\`./scripts/test-integrations ${page}\``;
  const more = how === undefined ? "" : ` (${how})`;
  if (ran === "runtime") return `Run with ${stack} ${version}${more} by ${command}: ${count} passed on ${date}.`;
  return `${stack} itself was not run: the requests of this page were made as plain HTTP${more} by ${command}: ${count} passed on ${date}.`;
}

const TABLE = /^<!-- table -->\n[\s\S]*?<!-- \/table -->/m;

function withTable(text: string, results: ReadonlyMap<string, IntegrationResult>): string {
  const rows = [...results].map(([page, { stack, version, ran, how, scenarios, date }]) => {
    const what = ran === "runtime" ? "its own runtime" : "its requests, as plain HTTP";
    const more = how === undefined ? "" : `: ${how}`;
    return `| [${stack}](${page}.md) | ${version} | ${what}${more} | ${scenarios.length} passed | ${date} |\n`;
  });
  const head = "| stack | version | what ran | scenarios | day |\n| --- | --- | --- | --- | --- |\n";
  return text.replace(TABLE, () => `<!-- table -->\n\n${head}${rows.join("")}\n<!-- /table -->`);
}

if (import.meta.main) {
  const results = readResults();
  for (const page of pageNames()) {
    const text = readPageText(page);
    const wanted = filled(page, text, results);
    if (wanted !== text) writeFileSync(join(PAGES, `${page}.md`), wanted);
  }
}
