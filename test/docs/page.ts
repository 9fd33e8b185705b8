import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { Glob } from "bun";

export const ROOT = resolve(import.meta.dir, "../..");

/** A fenced block of a Markdown page. */
export interface Block {
  readonly language: string;
  readonly text: string;
  /** The file that it shows, where a comment before it names one: `examples/argo/billing.yaml`. */
  readonly file?: string;
}

export interface Page {
  /** From the root: `docs/decisions/0001-….md`. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** The page without its fenced blocks. */
  readonly prose: string;
}

const FENCE = /(?:^<!-- (\S+) -->\n)?^(`{3,})([a-z]*)\n([\s\S]*?)^\2$/gm;

export function readPage(path: string, text: string): Page {
  const blocks = [...text.matchAll(FENCE)].map(([, file, , language = "", body = ""]) => ({
    language,
    text: body,
    ...(file === undefined ? {} : { file }),
  }));
  return { path, text, blocks, prose: text.replace(FENCE, "") };
}

/** Every Markdown page of the project. */
export function readPages(): readonly Page[] {
  const paths = ["*.md", "docs/**/*.md", "clients/*/README.md"].flatMap((glob) =>
    [...new Glob(glob).scanSync({ cwd: ROOT })].sort(),
  );
  return paths.map((path) => readPage(path, readFileSync(join(ROOT, path), "utf8")));
}

/** What stands between single backticks. */
export function inlineCode(prose: string): readonly string[] {
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
}

/** The part of a page under a heading, up to the next one of the same level. */
export function section({ path, text }: Page, heading: string): string {
  const start = text.indexOf(`\n## ${heading}\n`);
  if (start === -1) throw new Error(`${path} has no section "${heading}"`);
  const end = text.indexOf("\n## ", start + 1);
  return text.slice(start, end === -1 ? undefined : end);
}

/** The rows of all tables in `text`, heads and rulers left out. */
export function tableRows(text: string): readonly (readonly string[])[] {
  const lines = text.split("\n");
  const isRuler = (line: string | undefined) => /^\|(?: -+ \|)+$/.test(line ?? "");
  return lines
    .filter((line, index) => line.startsWith("|") && !isRuler(line) && !isRuler(lines[index + 1]))
    .map((line) =>
      line
        .slice(1, -1)
        .split("|")
        .map((cell) => cell.trim()),
    );
}

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N} _-]/gu, "")
    .replaceAll(" ", "-");
}

/** The links of a page, within the project, that lead nowhere. */
export function brokenLinks({ path, prose }: Page): readonly string[] {
  const links = [...prose.matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
  return links.filter((link) => !/^https?:/.test(link) && !resolves(path, link));
}

function resolves(from: string, link: string): boolean {
  const [file = "", anchor] = link.split("#");
  const target = file === "" ? join(ROOT, from) : join(ROOT, dirname(from), file);
  if (!existsSync(target)) return false;
  if (anchor === undefined) return true;
  const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) => heading);
  return headings.map(anchorOf).includes(anchor);
}

/** Paths of the tree that a page names in backticks and that are not there. */
export function missingPaths({ prose }: Page): readonly string[] {
  const paths = inlineCode(prose).filter((code) => /^(?:src|test|scripts|docs|policies)\/[\w./-]+$/.test(code));
  return paths.filter((path) => !existsSync(join(ROOT, path)));
}
