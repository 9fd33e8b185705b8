import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Terminal, type TerminalOptions } from "./terminal.ts";

const SECRET = "sk_test_real_secret";

let terminal: Terminal;
beforeEach(() => {
  terminal = new Terminal();
});
afterEach(() => terminal.close());

interface Way {
  readonly argv: readonly string[];
  readonly stdin?: string;
  readonly options?: TerminalOptions;
  readonly code: number;
}

/** Right and wrong ways to hand over a secret; whatever happens, it is not shown. */
const WAYS: Readonly<Record<string, Way>> = {
  "on stdin": { argv: ["vendor", "set", "stripe"], stdin: `${SECRET}\n`, code: 0 },
  "on stdin, with JSON": { argv: ["vendor", "set", "stripe", "--json"], stdin: SECRET, code: 0 },
  "typed at the prompt": { argv: ["vendor", "set", "stripe"], options: { typed: SECRET, columns: 80 }, code: 0 },
  "in a variable": {
    argv: ["vendor", "set", "stripe", "--from-env", "STRIPE_SECRET"],
    options: { environment: { STRIPE_SECRET: SECRET } },
    code: 0,
  },
  "in place of a variable's name": { argv: ["vendor", "set", "stripe", "--from-env", SECRET], code: 1 },
  "in place of a file's name": { argv: ["vendor", "set", "stripe", "--from-file", SECRET], code: 1 },
  "as an argument": { argv: ["vendor", "set", "stripe", SECRET], code: 2 },
  "as an argument of rotate": { argv: ["vendor", "rotate", "stripe", SECRET], code: 2 },
  "in place of the vendor": { argv: ["vendor", "set", SECRET], code: 2 },
  "in place of the vendor to test": { argv: ["vendor", "test", SECRET], code: 2 },
  "in place of the vendor to remove": { argv: ["vendor", "remove", SECRET], code: 2 },
  "in place of the verb": { argv: ["vendor", SECRET], code: 2 },
  "in place of the noun": { argv: [SECRET], code: 2 },
  "as a flag's value that does not exist": { argv: ["vendor", "set", "stripe", `--secret=${SECRET}`], code: 2 },
  "as a surplus argument": { argv: ["vendor", "test", "stripe", SECRET], code: 2 },
  "as a choice": { argv: ["token", "issue", "--role", SECRET], code: 2 },
};

describe("a vendor's secret", () => {
  test.each(Object.entries(WAYS))(
    "is not in any output when it is given %s",
    async (_, { argv, stdin, options, code }) => {
      const run = await terminal.run(argv, stdin, options);
      expect(run.err + run.out).not.toContain("real_secret");
      expect(run.code).toBe(code);
      for (const look of [["vendor", "list", "--json"], ["doctor"]]) {
        const { out, err } = await terminal.run(look);
        expect(out + err).not.toContain("real_secret");
      }
    },
  );

  test("is not in the data directory in clear", async () => {
    expect((await terminal.run(["vendor", "set", "stripe"], SECRET)).code).toBe(0);
    const files = readdirSync(terminal.data, { withFileTypes: true }).filter((entry) => entry.isFile());
    expect(files.map(({ name }) => name)).toContain("keybrake.db");
    for (const { name } of files)
      expect(readFileSync(join(terminal.data, name), "latin1")).not.toContain("real_secret");
  });

  test("as an argument is refused with the reason", async () => {
    expect((await terminal.run(["vendor", "set", "stripe", SECRET])).err).toBe(
      "keybrake: error: a secret is never taken from an argument: other users of this machine could read it, and your shell keeps it\n" +
        "keybrake: hint: use --from-env VARIABLE, --from-file PATH or stdin; if that was a real secret, roll it at the vendor\n",
    );
  });

  test("is asked for without echo on a terminal", async () => {
    const { err } = await terminal.run(["vendor", "set", "stripe"], "", { typed: SECRET });
    expect(err).toStartWith("secret for stripe (what you type is not shown): \n");
  });

  test("is read from a file, and an empty or huge file is refused", async () => {
    const path = join(terminal.folder, "secret");
    const set = ["vendor", "set", "stripe", "--from-file", path];
    for (const [text, code] of [
      [`${SECRET}\r\n`, 0],
      ["\n", 1],
      ["x".repeat(20_000), 1],
    ] as const) {
      writeFileSync(path, text);
      expect((await terminal.run(set)).code).toBe(code);
    }
  });

  test("stays where only the address is changed, and the address goes back", async () => {
    await terminal.run(["vendor", "set", "stripe"], SECRET);
    const set = ["vendor", "set", "stripe", "--keep-secret", "--json"];
    const there = await terminal.run([...set, "--origin", "http://127.0.0.1:12111", "--private"]);
    expect(JSON.parse(there.out)).toMatchObject({ configured: true, origin: "http://127.0.0.1:12111", private: true });
    const back = await terminal.run([...set, "--default-origin"]);
    expect(JSON.parse(back.out)).toMatchObject({ configured: true, origin: "https://api.stripe.com" });
  });

  test("names the vendor's account by the vendor's own flag or by --account-id", async () => {
    const sid = `AC${"0".repeat(31)}1`;
    for (const flag of ["--account-sid", "--account-id"]) {
      const { out } = await terminal.run(["vendor", "set", "twilio", flag, sid, "--json"], "0".repeat(32));
      expect(JSON.parse(out)).toMatchObject({ name: "twilio", account_id: sid, configured: true });
    }
  });

  test("that does not work ends `vendor test` with 1", async () => {
    const view = { name: "stripe", ok: false, http_status: 401, message: "Stripe answered 401" };
    const control = { testVendor: async () => view };
    const { code, err, out } = await terminal.run(["vendor", "test", "stripe"], "", { control });
    expect([code, out]).toEqual([1, ""]);
    expect(err).toContain("error: stripe does not work: Stripe answered 401");
  });
});
