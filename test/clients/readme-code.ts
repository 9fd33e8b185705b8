import { readFileSync } from "node:fs";

/** A program of a page, and what it prints. */
export interface Program {
  readonly code: string;
  readonly prints: string;
}

/** The blocks of one language, each with the block of text behind it. */
export function programsOf(path: string, language: string): readonly Program[] {
  const page = readFileSync(path, "utf8");
  const blocks = [...page.matchAll(/^```([a-z]*)\n([\s\S]*?)^```$/gm)];
  return blocks.flatMap(([, name, code = ""], index) => {
    if (name !== language) return [];
    const [, next, prints = ""] = blocks[index + 1] ?? [];
    if (next !== "text") throw new Error(`${path}: a program is not followed by what it prints: ${code}`);
    return [{ code, prints }];
  });
}
