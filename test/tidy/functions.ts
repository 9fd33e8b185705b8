import type { Source } from "./source.ts";

export interface FunctionSpan {
  /** Line of the header, from 1. */
  readonly line: number;
  /** From header to closing brace. */
  readonly lines: number;
}

const CONTROL = /^(?:if|for|while|switch|catch|else|do|try|return \{)\b/;
/** `function f(…) {`, `… => {`, and a method's `f(…): T {`. */
const ONE_LINE_HEADER =
  /\bfunction\b.*\{$|=>\s*\{$|^(?:(?:public|private|protected|static|async|override|get|set)\s+)*\*?[#\w$]+(?:<.*>)?\(.*\).*\{$/;

/**
 * The functions of a file, by indentation: the formatter puts a function's last brace under the first letter of its
 * header, and the format check of the same run guarantees that it did.
 */
export function functionsOf(source: Source): FunctionSpan[] {
  const lines = source.code.split("\n").map((line) => line.trimEnd());
  return lines.flatMap((_, begin) => {
    const opening = openingLine(lines, begin);
    // A brace with another one behind it ends a parameter's or a return type's object, as in `}: Options) {`.
    const end = opening === undefined ? undefined : sameIndent(lines, opening, /^\}(?!.*\{$)/);
    return end === undefined ? [] : [{ line: begin + 1, lines: end - begin + 1 }];
  });
}

/** The line with the brace of the function whose header begins at `begin`, or undefined where none begins there. */
function openingLine(lines: readonly string[], begin: number): number | undefined {
  const text = lines[begin]!.trim();
  if (CONTROL.test(text) || /^[)}\]]/.test(text)) return undefined;
  if (ONE_LINE_HEADER.test(text)) return begin;
  if (!/[({[<]$/.test(text)) return undefined;
  // Parameters over several lines: the line that closes their bracket opens the body. That of a call opens nothing.
  const closing = sameIndent(lines, begin, /^[)}\]>]/);
  return closing !== undefined && lines[closing]!.endsWith("{") ? closing : undefined;
}

function sameIndent(lines: readonly string[], from: number, pattern: RegExp): number | undefined {
  const indent = indentOf(lines[from]!);
  for (let i = from + 1; i < lines.length; i++) {
    const line = lines[i]!;
    if (line === "" || indentOf(line) > indent) continue;
    if (indentOf(line) < indent) return undefined;
    if (pattern.test(line.trim())) return i;
  }
  return undefined;
}

function indentOf(line: string): number {
  return line.length - line.trimStart().length;
}
