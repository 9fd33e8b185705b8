import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { readGrammar } from "../../src/cli/completion/grammar.ts";
import { createProgram } from "../../src/main.ts";
import type { OperationView } from "../../src/operate/vendor-operations.ts";
import { CODED_VENDORS, VENDORS } from "../../src/vendors/index.ts";
import { PLACES, Terminal } from "./terminal.ts";
import { Transcript } from "./transcript.ts";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());

const COMMAND = ["vendor", "operations"];

test.each(PLACES)("%s: a vendor's operations read as the golden transcript says", async (place) => {
  terminal.place = place;
  const transcript = new Transcript(terminal);
  await transcript.type("vendor operations resend");
  await transcript.type("vendor operations resend --class closed", "", { columns: 80 });
  await transcript.type("vendor operations resend --class look-up");
  await transcript.type("vendor operations resend --class priced --json");
  await transcript.type("vendor operations resned");
  await transcript.type("vendor operations resend --class unknown");
  await transcript.type("vendor operations");
  transcript.expectGolden("vendor-operations", (text) => text.replaceAll(/\u001b\[\d+m/g, ""));
});

describe.each(VENDORS.map(({ name }) => name))("keybrake vendor operations %s", (name) => {
  test("fits every terminal, and shows the beginning of every column", async () => {
    for (const columns of [60, 80, 120, 200]) {
      const { code, out } = await terminal.run([...COMMAND, name], "", { columns, environment: { NO_COLOR: "1" } });
      expect(code).toBe(0);
      const lines = out.trimEnd().split("\n");
      expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(columns);
      expect(lines[0]).toMatch(/^operation +class +kind +wh/);
    }
  });

  test("has each operation in one of the four classes, and in none twice", async () => {
    const listed = async (flags: readonly string[]) =>
      JSON.parse((await terminal.run([...COMMAND, name, "--json", ...flags])).out) as readonly OperationView[];
    const all = await listed([]);
    expect(all.length).toBeGreaterThan(CODED_VENDORS.some((vendor) => vendor.name === name) ? 50 : 5);
    const classes = ["priced", "look-up", "free", "closed"];
    const parts = await Promise.all(classes.map((each) => listed(["--class", each])));
    for (const [index, part] of parts.entries()) {
      for (const line of part) expect([line.route, line.class]).toEqual([line.route, classes[index]!]);
    }
    expect(parts.flat().length).toBe(all.length);
    for (const { class: opClass, code, detail } of all) {
      expect((code === null) === (opClass !== "closed")).toBe(true);
      if (opClass !== "free") expect((detail ?? "").length).toBeGreaterThan(5);
    }
  });
});

test("says of a route of GraphQL which mutations are free", async () => {
  const { out } = await terminal.run([...COMMAND, "shopify"]);
  const line = out.split("\n").find((each) => each.includes("graphql"))!;
  expect(line).toMatch(/free are queries, and of mutations \w+(, \w+)+; any other is cost_unknown$/);
});

test("needs no data directory and makes none", async () => {
  expect((await terminal.run([...COMMAND, "stripe"])).code).toBe(0);
  const nowhere = { control: {}, environment: { KEYBRAKE_DATA: "/dev/null/nowhere" } };
  expect((await terminal.run([...COMMAND, "stripe"], "", nowhere)).code).toBe(0);
  expect(existsSync(terminal.data)).toBe(false);
});

test("never repeats a secret that was typed in place of the vendor", async () => {
  const { code, out, err } = await terminal.run([...COMMAND, "sk_test_real_secret"]);
  expect(code).toBe(2);
  expect(out + err).not.toContain("real_secret");
});

test("is completed with the vendors and the classes", () => {
  const program = createProgram(terminal.cli({ out: "", err: "" }, "", {}));
  const grammar = readGrammar(program).find(({ path }) => path === "vendor operations")!;
  expect(grammar.choices).toEqual(VENDORS.map(({ name }) => name));
  const flag = grammar.flags.find(({ long }) => long === "--class");
  expect(flag?.choices).toEqual(["priced", "look-up", "free", "closed"]);
});
