import type { Source } from "./source.ts";

/** One broken rule at one place, as `path:line: message`. */
export interface Violation {
  readonly rule: string;
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export function violationAt(rule: string, source: Source, index: number, message: string): Violation {
  return { rule, path: source.path, line: source.text.slice(0, index).split("\n").length, message };
}

export function describeViolation({ path, line, rule, message }: Violation): string {
  return `${path}:${line}: ${message} [${rule}]`;
}

/** A violation for each match of `pattern` in the code or the comments. */
export function banned(
  rule: string,
  source: Source,
  where: "code" | "comments",
  pattern: RegExp,
  message: string,
): Violation[] {
  return [...source[where].matchAll(new RegExp(pattern.source, `${pattern.flags.replace("g", "")}g`))].map((match) =>
    violationAt(rule, source, match.index, message),
  );
}
