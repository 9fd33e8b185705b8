import { afterAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readConfig } from "../../src/config.ts";
import { VERDICTS } from "../../src/core/verdict.ts";
import { createProgram } from "../../src/main.ts";
import { POLICY_FIELD_NAMES } from "../../src/policy/schema.ts";
import { KIND_CAP_NAMES, RULE_NAMES } from "../../src/policy/value-schemas.ts";
import { VENDORS } from "../../src/vendors/index.ts";
import { Terminal } from "../cli/terminal.ts";
import { BINARY } from "../harness/keybrake.ts";
import { isName, mentionedLines, typedLines, usageProblem, wordsOf } from "./command-line.ts";
import { brokenLinks, inlineCode, missingPaths, ROOT, readPage, readPages, section, tableRows } from "./page.ts";

const terminal = new Terminal();
const folder = mkdtempSync(join(tmpdir(), "keybrake-docs-"));
afterAll(() => {
  terminal.close();
  rmSync(folder, { recursive: true, force: true });
});

const pages = readPages();
const readme = pages.find(({ path }) => path === "README.md")!;
const program = createProgram(terminal.cli({ out: "", err: "" }, "", {}));
const problemOf = (line: string) => usageProblem(program, wordsOf(line).slice(1));

describe.each(pages.map((page) => [page.path, page] as const))("%s", (_path, page) => {
  test("types only commands and flags that exist", () => {
    const mentioned = mentionedLines(page).filter((line) => !isName(program, wordsOf(line).slice(1)));
    const problems = [...typedLines(page), ...mentioned].map((line) => [line, problemOf(line)]);
    expect(problems.filter(([, problem]) => problem !== undefined)).toEqual([]);
  });

  test("has no link that leads nowhere", () => {
    expect(brokenLinks(page)).toEqual([]);
  });

  test("names only files that are there", () => {
    expect(missingPaths(page)).toEqual([]);
  });

  test("shows only templates and settings that are sound", async () => {
    for (const { text } of page.blocks.filter(({ language, file }) => language === "yaml" && !file)) {
      const [, templates, name] = /^# (policies\/)?([a-z-]+\.yaml)\b/.exec(text) ?? [];
      expect(name, `what file is this? ${text}`).toBeDefined();
      if (templates === undefined) expect(settingsProblem(text)).toBeUndefined();
      else expect(await lint(name!, text)).toEqual([]);
    }
  });
});

async function lint(name: string, text: string): Promise<unknown> {
  const path = join(folder, name);
  writeFileSync(path, text);
  return JSON.parse((await terminal.run(["policy", "lint", path, "--json"])).out);
}

function settingsProblem(text: string): string | undefined {
  const data = join(folder, "settings");
  mkdirSync(data, { recursive: true });
  writeFileSync(join(data, "keybrake.yaml"), text);
  try {
    readConfig({ data }, {});
    return undefined;
  } catch (problem) {
    return (problem as Error).message;
  }
}

/** The settings that a section of `keybrake.yaml` can have, from what is said about one that it cannot. */
function settingsOf(text: string): readonly string[] {
  return /the settings are (.*)$/.exec(settingsProblem(text) ?? "")?.[1]?.split(", ") ?? [];
}

describe("the configuration in README.md", () => {
  const rows = tableRows(section(readme, "Configuration"));
  const words = rows.flatMap((row) => row.slice(0, 3).flatMap(inlineCode));

  test("has every setting that is read, and no other", () => {
    const sections = settingsOf("zzz: 1").filter((name) => name !== "limits");
    const limits = settingsOf("limits: { zzz: 1 }").map((name) => `limits.${name}`);
    expect(limits.length).toBeGreaterThan(3);
    const documented = rows
      .map((row) => row[row.length === 4 ? 2 : 0]!)
      .flatMap(inlineCode)
      .filter((name) => !name.startsWith("KEYBRAKE_"));
    expect(documented.toSorted()).toEqual([...sections, ...limits].toSorted());
  });

  test("has every environment variable that is read, and no other", () => {
    const sources = ["src/config.ts", "src/config-remote.ts"].map((path) => readFileSync(join(ROOT, path), "utf8"));
    const read = new Set(sources.join("").match(/KEYBRAKE_[A-Z_]+/g));
    expect(words.filter((word) => word.startsWith("KEYBRAKE_")).toSorted()).toEqual([...read].toSorted());
  });

  test("has every flag that `keybrake serve` takes, and no other", () => {
    const flags = words.filter((word) => word.startsWith("--"));
    const serve = program.commands.find((command) => command.name() === "serve")!.options.map(({ long }) => long!);
    const known = [...serve, ...program.options.map(({ long }) => long!)];
    expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
    expect(serve.filter((flag) => !flags.includes(flag))).toEqual([]);
  });
});

test("README.md gives each refusal its HTTP status", () => {
  const rows = tableRows(section(readme, "What the agent is told"));
  const told = rows.flatMap(([status = "", codes = ""]) => inlineCode(codes).map((code) => [code, Number(status)]));
  const statuses = Object.fromEntries(Object.entries(VERDICTS).map(([code, { status }]) => [code, status]));
  const { allowed, ...said } = statuses;
  expect(Object.fromEntries(told)).toEqual(said);
});

test("README.md names every policy field, and as fields only those that there are", () => {
  const text = section(readme, "Templates");
  const named = inlineCode(text.replace(/```[\s\S]*?```/g, ""));
  const shown = [...POLICY_FIELD_NAMES].filter((name) => !["vendor", "description", "cap_window"].includes(name));
  expect(shown.filter((name) => !named.includes(name))).toEqual([]);
  const known = [...POLICY_FIELD_NAMES, ...RULE_NAMES, ...KIND_CAP_NAMES];
  expect(named.filter((name) => /^[a-z]+_[a-z_]+$/.test(name) && !known.includes(name))).toEqual([]);
});

test.each(VENDORS.map((vendor) => [vendor.title, vendor] as const))(
  "README.md shows the lines for %s that `key issue` prints",
  (_title, vendor) => {
    const snippets = vendor.agentLines(`http://127.0.0.1:7878/${vendor.name}`, "vault_key_…", { accountId: "AC…" });
    for (const { lines } of snippets) expect(readme.text).toContain(lines.map((line) => `\`${line}\``).join("<br>"));
  },
);

/** What differs from run to run. */
function mask(text: string): string {
  return text
    .replace(/vk_[0-9a-z]{22}/g, "vk_…")
    .replace(/vault_key_[0-9A-Za-z]{6}…/g, "vault_key_…")
    .replace(/\d{4}-\d{2}-\d{2}/g, "DATE");
}

function shownOutput(command: string): readonly string[] {
  const block = readme.blocks.find(({ text }) => text.includes(`$ ${command}`))!.text;
  const lines = block
    .slice(block.indexOf(`$ ${command}`))
    .split("\n")
    .slice(1, -1);
  return lines.filter((line) => line !== "" && line !== "…").map(mask);
}

test("README.md shows `keybrake demo` as it goes", async () => {
  const demo = Bun.spawn([BINARY, "demo", "--fast"], {
    env: { PATH: process.env["PATH"], HOME: folder, NO_COLOR: "1" },
    stdout: "pipe",
    stderr: "pipe",
  });
  const real = mask(await new Response(demo.stdout).text()).split("\n");
  expect(await demo.exited).toBe(0);
  const shown = shownOutput("keybrake demo");
  expect(shown.length).toBeGreaterThan(10);
  expect(shown.filter((line) => !real.includes(line))).toEqual([]);
});

test("README.md shows `policy explain` as it answers", async () => {
  const command =
    'keybrake policy explain --template billing "POST /v1/payment_intents" -d amount=15000 -d currency=usd';
  const { code, out } = await terminal.run(wordsOf(command).slice(1));
  expect(code).toBe(0);
  const shown = out.replaceAll(join(terminal.data, "policies"), "policies");
  expect(shownOutput(command)).toEqual(mask(shown).trimEnd().split("\n"));
});

test("decisions are numbered without a gap, and each says so in its title", () => {
  const names = readdirSync(join(ROOT, "docs/decisions")).sort();
  expect(names.map((name) => Number(name.slice(0, 4)))).toEqual(names.map((_, index) => index + 1));
  for (const name of names) {
    const text = readFileSync(join(ROOT, "docs/decisions", name), "utf8");
    expect(text).toStartWith(`# ${name.slice(0, 4)}: `);
    for (const part of ["Context", "Decision", "Why", "Cost"]) expect(text, name).toContain(`**${part}.** `);
  }
});

/** What the checks above must find. */
const WRONG_LINES = [
  ["keybrake spendings", "there is no command spendings"],
  ["keybrake key", '"key" needs a verb'],
  ["keybrake key isue --template billing", "there is no command isue"],
  ["keybrake key issue --daily-cup 5", '"issue" has no flag --daily-cup'],
  ["keybrake audit --state lost", "--state is not one of refused, held, settled, released, unresolved"],
  ["keybrake demo loudly", '"demo" takes 0 to 0 arguments, not 1'],
  ["keybrake key show", '"show" takes 1 to 1 arguments, not 0'],
  ["keybrake token issue --name ops", '"issue" needs --role'],
  ["keybrake audit --since", "--since has no value"],
] as const;

describe("a page that is wrong", () => {
  test.each(WRONG_LINES)("%s is found", (line, problem) => {
    expect(problemOf(line)).toBe(problem);
  });

  test("is found wherever the command, the link or the path stands", async () => {
    const fence = "```";
    const text = `# A\n\n\`keybrake one\` [b](gone.md) [c](#gone) \`src/gone.ts\`\n\n${fence}sh\nK=$(keybrake two)\n${fence}\n\n${fence}console\n$ keybrake three\nkeybrake says\n${fence}\n`;
    const page = readPage("docs/a.md", text);
    expect([...typedLines(page), ...mentionedLines(page)]).toEqual(["keybrake two)", "keybrake three", "keybrake one"]);
    expect(isName(program, ["one"])).toBe(false);
    expect(brokenLinks({ ...page, path: "README.md" })).toEqual(["gone.md", "#gone"]);
    expect(missingPaths(page)).toEqual(["src/gone.ts"]);
    expect(await lint("spend.yaml", "vendor: stripe\ndaily_usd_cpa: 500\n")).not.toEqual([]);
    expect(settingsProblem("listn: 127.0.0.1:1\n")).toContain("listn is not a setting");
  });
});
