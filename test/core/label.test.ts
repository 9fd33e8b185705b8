import { describe, expect, test } from "bun:test";
import { LABEL_CHARACTERS_MAX, labelProblem } from "../../src/core/label.ts";

const GOOD = [
  "ray-billing/01",
  "tenant:acme:billing:run-7",
  "100% '; DROP TABLE --",
  "ключ 🔑 キー",
  " ",
  "a".repeat(LABEL_CHARACTERS_MAX),
  "🔑".repeat(LABEL_CHARACTERS_MAX),
];

const BAD: readonly (readonly [title: string, label: string, why: string])[] = [
  ["nothing", "", "cannot be empty"],
  ["201 characters", "a".repeat(201), "at most 200 characters, this one has 201"],
  ["201 characters of two units each", "🔑".repeat(201), "this one has 201"],
  ["a line break", "run\n7", "control characters"],
  ["a carriage return", "run\r7", "control characters"],
  ["NUL", "run\u00007", "control characters"],
  ["an escape sequence for the terminal", "\u001b[2J", "control characters"],
  ["DEL", "run\u007f", "control characters"],
  ["a C1 control", "run\u009b", "control characters"],
  ["a line separator", "run\u20287", "control characters"],
  ["half a surrogate pair", "run\ud83d", "control characters"],
];

describe("a run label", () => {
  for (const label of GOOD) {
    test(`may be ${label.length > 40 ? `${label.slice(0, 4)}… (${label.length})` : JSON.stringify(label)}`, () => {
      expect(labelProblem(label)).toBeUndefined();
    });
  }

  for (const [title, label, why] of BAD) {
    test(`may not be or have ${title}`, () => {
      expect(labelProblem(label)).toContain(why);
    });
  }
});
