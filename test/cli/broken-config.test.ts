import { afterEach, beforeEach, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
let id: string;

beforeEach(async () => {
  terminal = new Terminal();
  await terminal.run(["key", "issue", "--template", "read-only"]);
  id = (JSON.parse((await terminal.run(["key", "list", "--json"])).out) as { id: string }[])[0]!.id;
  writeFileSync(join(terminal.data, "keybrake.yaml"), "retention_days: 30\nlissten: 127.0.0.1:1\n");
});

afterEach(() => terminal.close());

const TYPO = "keybrake.yaml:2: lissten is not a setting";

test.each([["brake --hard"], ["brake list"], ["key list"], ["key revoke --all"], ["audit"]])(
  "a typo in keybrake.yaml does not keep `%s` from working, and is a warning with file and line",
  async (line) => {
    const { code, err } = await terminal.run(line.split(" "));
    expect({ code, typo: err.includes(TYPO), warned: /warning: .*goes on without it/.test(err) }).toEqual({
      code: 0,
      typo: true,
      warned: true,
    });
  },
);

test("a typo in keybrake.yaml keeps neither the brake nor its release nor a revoke from taking hold", async () => {
  await terminal.run(["brake", "--vendor", "stripe"]);
  expect((await terminal.run(["release", "--vendor", "stripe"])).out).toBe("the brake on stripe is off\n");
  expect((await terminal.run(["key", "revoke", id])).out).toBe(`revoked ${id}\n`);
  expect((await terminal.run(["key", "list", "--json"])).out).toContain('"status": "revoked"');
});

test("the doctor finds a typo in keybrake.yaml, and goes on to everything else", async () => {
  const { code, out, err } = await terminal.run(["doctor"]);
  expect(code).toBe(1);
  expect(out).toMatch(/^error {4}configuration {2}.*keybrake\.yaml:2: lissten is not a setting/);
  expect(out).toContain("every budget's counter equals");
  expect(err).not.toContain("lissten");
});

test.each([["vendor list"], ["key issue --template read-only"], ["key show vk_1"], ["token list"], ["audit verify"]])(
  "`%s` is refused with a typo in keybrake.yaml",
  async (line) => {
    const { code, err } = await terminal.run(line.split(" "));
    expect({ failed: code !== 0, said: err.includes("lissten is not a setting") }).toEqual({
      failed: true,
      said: true,
    });
  },
);
