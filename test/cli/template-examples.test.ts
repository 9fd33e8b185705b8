import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { BUILTIN_TEMPLATES } from "../../src/policy/builtin.ts";
import { wordsOf } from "../docs/command-line.ts";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
beforeEach(async () => {
  terminal = new Terminal();
  // The account in whose name the examples call.
  await terminal.run(["vendor", "set", "twilio", "--account-sid", `AC${"0".repeat(32)}`], `${"0".repeat(31)}1\n`);
});
afterEach(() => terminal.close());

/** The command lines that a template's comments show. */
function examples(text: string): readonly string[] {
  return text.split("\n").flatMap((line) => /^#\s+(keybrake .*)$/.exec(line)?.[1] ?? []);
}

describe.each([...BUILTIN_TEMPLATES])("the comments of %s", (fileName, text) => {
  test("show commands that work as they stand, in their order", async () => {
    const lines = examples(text);
    expect(
      lines.some((line) => line.startsWith(`keybrake key issue --template ${fileName.replace(".yaml", "")}`)),
    ).toBe(true);
    for (const line of lines) {
      const { code, err } = await terminal.run(wordsOf(line).slice(1));
      expect([line, code, err]).toEqual([line, 0, err]);
    }
  });

  test("explain a call that is allowed and one that is refused", async () => {
    const asked = examples(text).filter((line) => line.startsWith("keybrake policy explain"));
    const verdicts: string[] = [];
    for (const line of asked) {
      const { out } = await terminal.run([...wordsOf(line).slice(1), "--json"]);
      verdicts.push((JSON.parse(out) as { verdict: string }).verdict);
    }
    expect(verdicts).toContain("allowed");
    expect(verdicts.filter((verdict) => verdict !== "allowed")).not.toEqual([]);
  });
});
