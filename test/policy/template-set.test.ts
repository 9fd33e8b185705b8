import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { BUILTIN_TEMPLATES, writeBuiltinTemplates } from "../../src/policy/builtin.ts";
import { readTemplates } from "../../src/policy/template-set.ts";

let directory: string;
const write = (fileName: string, text: string) => writeFileSync(join(directory, fileName), text);

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "templates-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe("readTemplates", () => {
  test("names templates by their files and leaves budgets.yaml alone", () => {
    write("b.yaml", "vendor: stripe\n");
    write("a-c.yaml", "vendor: twilio\n");
    write("budgets.yaml", "budgets: []\n");
    write("notes.txt", "x");
    const set = readTemplates(directory);
    expect(set.names()).toEqual(["a-c", "b"]);
    expect(set.get("a-c").vendors).toEqual(["twilio"]);
    expect(set.problems()).toEqual([]);
  });

  test("picks up a changed, an added and a removed file at its next use", () => {
    write("a.yaml", "vendor: stripe\ndaily_usd_cap: 5\n");
    const set = readTemplates(directory);
    write("a.yaml", "vendor: stripe\ndaily_usd_cap: 6\n"); // same size
    write("b.yaml", "vendor: resend\n");
    expect(set.get("a").fields["daily_usd_cap"]).toBe("6");
    expect(set.get("b").vendors).toEqual(["resend"]);
    rmSync(join(directory, "a.yaml"));
    expect(() => set.get("a")).toThrow("there is no template");
    expect(set.names()).toEqual(["b"]);
  });

  test("picks up a file that was replaced by a rename", () => {
    write("a.yaml", "vendor: stripe\n");
    const set = readTemplates(directory);
    write("a.new", "vendor: twilio\n");
    renameSync(join(directory, "a.new"), join(directory, "a.yaml"));
    expect(set.get("a").vendors).toEqual(["twilio"]);
  });

  test("keeps the last good version of a broken or empty file, and says what is wrong", () => {
    write("a.yaml", "vendor: stripe\n");
    const set = readTemplates(directory);
    for (const broken of ["", "vendor: stripe\ncustomers: [cus_1", "vendor: stripe\ndaily_usd: 5\n"]) {
      write("a.yaml", broken);
      expect(set.get("a").text).toBe("vendor: stripe\n");
      expect(set.problems()).toMatchObject([{ fileName: "a.yaml", lastGoodInUse: true }]);
    }
    expect(set.problems()[0]!.message).toContain("a.yaml:2:1:");
    write("a.yaml", "vendor: resend\n");
    expect(set.get("a").vendors).toEqual(["resend"]);
    expect(set.problems()).toEqual([]);
  });

  test("refuses a file that was never sound, with its line", () => {
    write("a.yaml", "vendor: stripe\ndaily_usd: 5\n");
    const set = readTemplates(directory);
    expect(set.names()).toEqual([]);
    expect(() => set.get("a")).toThrow("a.yaml:2:1:");
  });

  test("names the nearest template for one that is not there", () => {
    write("billing.yaml", "vendor: stripe\n");
    expect(() => readTemplates(directory).get("biling")).toThrow("did you mean billing?");
  });

  test.each(["../billing", "/etc/x", "a/b", "", "budgets", "A"])("never leaves its directory for %p", (name) => {
    write("budgets.yaml", "vendor: stripe\n");
    expect(() => readTemplates(directory).get(name)).toThrow("there is no template");
  });

  test("reports files that look like templates and are not used", () => {
    write("Billing.yml", "vendor: stripe\n");
    expect(readTemplates(directory).problems()).toMatchObject([{ fileName: "Billing.yml" }]);
  });

  test("is empty where there is no directory", () => {
    const set = readTemplates(join(directory, "none"));
    expect(set.names()).toEqual([]);
    expect(() => set.get("a")).toThrow("there are none in");
  });
});

describe("writeBuiltinTemplates", () => {
  test("writes them all, and never over what is there", () => {
    write("billing.yaml", "vendor: stripe\n");
    const written = writeBuiltinTemplates(directory);
    expect(written).toEqual([...BUILTIN_TEMPLATES.keys()].filter((name) => name !== "billing.yaml"));
    expect(readFileSync(join(directory, "billing.yaml"), "utf8")).toBe("vendor: stripe\n");
    const names = [...BUILTIN_TEMPLATES.keys()].map((fileName) => fileName.replace(".yaml", ""));
    expect(readTemplates(directory).names()).toEqual(names);
    expect(writeBuiltinTemplates(directory)).toEqual([]);
  });
});
