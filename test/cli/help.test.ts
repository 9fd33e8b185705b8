import { afterAll, describe, expect, test } from "bun:test";
import type { Command } from "commander";
import { createProgram } from "../../src/main.ts";
import { POLICY_FIELDS } from "../../src/policy/schema.ts";
import { Terminal } from "./terminal.ts";

const terminal = new Terminal();
afterAll(() => terminal.close());

const program = createProgram(terminal.cli({ out: "", err: "" }, "", {}));

function commandsBelow(command: Command, path: readonly string[] = []): [path: string, command: Command][] {
  return command.commands.flatMap((each) => {
    const words = [...path, each.name()];
    return [[words.join(" "), each] as [string, Command], ...commandsBelow(each, words)];
  });
}
const commands = commandsBelow(program);
const leaves = commands.filter(([path, { commands }]) => commands.length === 0 || path === "brake");

describe.each(commands)("keybrake %s", (path) => {
  test("has help with a worked example of itself, and exits 0", async () => {
    const { code, out, err } = await terminal.run([...path.split(" "), "--help"]);
    expect(code).toBe(0);
    expect(err).toBe("");
    expect(out).toContain("Usage: keybrake");
    expect(out.slice(out.indexOf("Example"))).toContain(`keybrake ${path}`);
    expect(out).toContain("--data <dir>");
  });
});

test("every command that prints data has --json", () => {
  const without = leaves.filter(([, command]) => !command.options.some(({ long }) => long === "--json"));
  expect(without.map(([path]) => path)).toEqual(["serve", "demo", "run-guard", "audit export", "completion"]);
});

test("a group without its verb shows its help on stderr and exits 2", async () => {
  const { code, out, err } = await terminal.run(["vendor"]);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(err).toContain("Usage: keybrake vendor");
});

test("`keybrake` alone shows the help and exits 2", async () => {
  expect(await terminal.run([])).toMatchObject({ code: 2, out: "", err: expect.stringContaining("Usage: keybrake") });
});

test("--version prints the version alone", async () => {
  expect(await terminal.run(["--version"])).toEqual({ code: 0, out: "0.0.0-source\n", err: "" });
});

test("the help fits the terminal", async () => {
  const { out } = await terminal.run(["audit", "--help"], "", { columns: 60 });
  const lines = out.slice(0, out.indexOf("Example")).split("\n");
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
});

test.each(["key issue", "key update", "run"])(
  "keybrake %s has a flag for every policy field that a flag can say",
  (path) => {
    const [, command] = commands.find(([each]) => each === path)!;
    const flags = command.options.map(({ flags }) => flags);
    const expected = POLICY_FIELDS.flatMap(({ cliFlag }) => cliFlag ?? []).filter(
      (flag) => path !== "key update" || !flag.startsWith("--vendor"),
    );
    expect(flags).toEqual(expect.arrayContaining(expected));
  },
);
