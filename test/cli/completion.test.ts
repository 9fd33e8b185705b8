import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { readGrammar } from "../../src/cli/completion/grammar.ts";
import { createProgram } from "../../src/main.ts";
import { Terminal } from "./terminal.ts";

const terminal = new Terminal();
afterAll(() => terminal.close());

const program = createProgram(terminal.cli({ out: "", err: "" }, "", {}));
const grammar = readGrammar(program);

test("knows every command of the program and every flag of each", () => {
  expect(grammar.map(({ path }) => path)).toContain("policy explain");
  for (const { path, flags, commands } of grammar) {
    const command =
      path === ""
        ? program
        : path.split(" ").reduce((at, word) => at.commands.find((each) => each.name() === word)!, program);
    expect(commands.map(({ text }) => text)).toEqual([
      ...command.commands.map((each) => each.name()).filter((name) => name !== "run-guard"),
      ...(command.commands.length > 0 && !["brake", "audit", "restore"].includes(command.name()) ? ["help"] : []),
    ]);
    const longs = flags.map(({ long }) => long);
    expect(longs).toEqual(expect.arrayContaining([...command.options.map(({ long }) => long!), "--help", "--data"]));
    expect(new Set(longs).size).toBe(longs.length);
  }
});

describe.skipIf(Bun.which("bash") === null)("bash (skipped unless installed)", () => {
  let script: string;
  beforeAll(async () => {
    script = join(terminal.folder, "completion.bash");
    writeFileSync(script, (await terminal.run(["completion", "bash"])).out);
  });

  /** What bash offers for the last word, by its own machinery: `complete -F` and COMP_WORDS. */
  function offered(words: readonly string[]): string[] {
    const offer = "$" + '{COMPREPLY[@]+"$' + '{COMPREPLY[@]}"}';
    const ask = `source "$1"; shift; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _keybrake; printf "%s\\n" ${offer}`;
    const { stdout, stderr, exitCode } = Bun.spawnSync([
      "bash",
      "--norc",
      "-uc",
      ask,
      "bash",
      script,
      "keybrake",
      ...words,
    ]);
    expect([stderr.toString(), exitCode]).toEqual(["", 0]);
    return stdout
      .toString()
      .split("\n")
      .filter((word) => word !== "");
  }

  test.each<[readonly string[], readonly string[]]>([
    [["vend"], ["vendor"]],
    [
      ["key", ""],
      ["issue", "list", "show", "update", "revoke", "help"],
    ],
    [
      ["key", "issue", "--da"],
      ["--daily-usd-cap", "--daily-cap", "--daily-send-cap", "--daily-usd-cap-total", "--data"],
    ],
    [["--data", "x", "key", "re"], ["revoke"]],
    [["key", "issue", "--label", "key", "--quie"], ["--quiet"]],
    [
      ["audit", "--format", ""],
      ["table", "json", "ndjson", "csv"],
    ],
    [["audit", "--state", "un"], ["unresolved"]],
    [["completion", "f"], ["fish"]],
    [
      ["token", "issue", "--role", ""],
      ["admin", "issuer", "auditor"],
    ],
    [["vendor", "set", "stripe", "--from-file", ""], []],
    [["run", "--template", "billing", "--", "py"], []],
  ])("after %j offers %j", (words, expected) => {
    // Flags are offered beside names; asked for by their first letters, they are what counts.
    const isFlagWanted = words.at(-1)!.startsWith("-");
    expect(offered(words).filter((word) => isFlagWanted || !word.startsWith("-"))).toEqual([...expected]);
  });

  test("registers for the program's name", () => {
    const { stdout } = Bun.spawnSync(["bash", "--norc", "-c", 'source "$1"; complete -p keybrake', "bash", script]);
    expect(stdout.toString()).toContain("-F _keybrake keybrake");
  });
});

const CHECKS = { zsh: ["-n"], fish: ["--no-execute"] } as const;

describe.each(Object.entries(CHECKS))("%s", (shell, check) => {
  test.skipIf(Bun.which(shell) === null)("accepts the script (skipped unless installed)", async () => {
    const path = join(terminal.folder, `completion.${shell}`);
    writeFileSync(path, (await terminal.run(["completion", shell])).out);
    expect(Bun.spawnSync([shell, ...check, path]).stderr.toString()).toBe("");
  });

  test("names every command", async () => {
    const { out } = await terminal.run(["completion", shell]);
    for (const { path } of grammar)
      expect(out).toContain(`'${path}'`.replaceAll("'", shell === "fish" && path !== "" ? "" : "'"));
  });
});
