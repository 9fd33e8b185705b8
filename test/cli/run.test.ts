import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Terminal, type TerminalOptions } from "./terminal.ts";

let terminal: Terminal;
let written: string;
beforeEach(() => {
  terminal = new Terminal();
  written = join(terminal.folder, "written");
});
afterEach(() => terminal.close());

const RUN = ["run", "--template", "billing", "--label", "nightly/1", "--"];

const shell = (script: string, options: TerminalOptions = {}) =>
  terminal.run([...RUN, "/bin/sh", "-c", script], "", { environment: { PATH: "/usr/bin:/bin" }, ...options });

async function keys() {
  return JSON.parse((await terminal.run(["key", "list", "--json"])).out) as {
    id: string;
    status: string;
    revoke_reason: string;
    hint: string;
  }[];
}

describe("keybrake run", () => {
  test("gives the command its key and base URL in the variables that SDKs read, and nothing that opens more", async () => {
    const { code } = await shell(`env > ${written}`, {
      environment: {
        PATH: "/usr/bin:/bin",
        OWN: "kept",
        STRIPE_API_KEY: "sk_test_real_secret",
        KEYBRAKE_MASTER_KEY_FILE: undefined,
        CREDENTIALS_DIRECTORY: join(terminal.folder, "none"),
      },
    });
    expect(code).toBe(0);
    const given = Object.fromEntries(
      readFileSync(written, "utf8")
        .trim()
        .split("\n")
        .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    );
    const [key] = await keys();
    expect(given).toMatchObject({
      OWN: "kept",
      STRIPE_API_KEY: given["KEYBRAKE_VAULT_KEY"],
      STRIPE_API_BASE: "http://127.0.0.1:7878/stripe",
      KEYBRAKE_BASE_URL: "http://127.0.0.1:7878/stripe",
      KEYBRAKE_BASE_URL_STRIPE: "http://127.0.0.1:7878/stripe",
      KEYBRAKE_KEY_ID: key!.id,
      KEYBRAKE_RUN_LABEL: "nightly/1",
    });
    expect(given["KEYBRAKE_VAULT_KEY"]).toMatch(/^vault_key_[0-9A-Za-z]{49}$/);
    expect(Object.keys(given)).not.toContain("CREDENTIALS_DIRECTORY");
  });

  test("revokes the key when the command ends, and says what the run spent", async () => {
    const { err } = await shell("exit 0");
    const [key] = await keys();
    expect(key).toMatchObject({ status: "revoked", revoke_reason: "its command has ended" });
    expect(err).toEndWith(
      `the run has ended and key ${key!.id} is revoked: 0 calls, $0.00 settled, $0.00 held, $0.00 unresolved\n`,
    );
    expect(err).not.toContain("vault_key_");
  });

  test.each([
    ["exit 0", 0],
    ["exit 3", 3],
    ["kill -KILL $$", 137],
    ["kill -TERM $$", 143],
  ])("passes on the end of a command that does: %s", async (script, code) => {
    expect((await shell(script)).code).toBe(code);
    expect((await keys())[0]!.status).toBe("revoked");
  });

  test("passes signals on to the command, waits for its end, and revokes the key", async () => {
    const script = `trap 'echo stopped > ${written}; exit 9' TERM; echo ready > ${written}.ready; while :; do read -t 1 x; done`;
    const running = terminal.run([...RUN, "/bin/bash", "-c", script], "", { environment: { PATH: "/usr/bin:/bin" } });
    while (!existsSync(`${written}.ready`)) await new Promise(setImmediate);
    terminal.signal("SIGTERM");
    expect((await running).code).toBe(9);
    expect(readFileSync(written, "utf8")).toBe("stopped\n");
    expect((await keys())[0]!.status).toBe("revoked");
    expect(terminal.listeners).toBe(0);
  });

  test.each([
    ["/nowhere/agent", 127],
    ["/", 126],
  ])("says that it cannot run %s, and revokes the key", async (file, code) => {
    const run = await terminal.run([...RUN, file], "", {});
    expect(run.code).toBe(code);
    expect(run.err).toContain(`error: cannot run ${file}: `);
    expect((await keys())[0]!.status).toBe("revoked");
  });

  test("leaves the command's own flags to the command", async () => {
    expect(
      (await terminal.run([...RUN, "/bin/sh", "-c", `echo "$@" > ${written}`, "sh", "--data", "x", "--json", "--help"]))
        .code,
    ).toBe(0);
    expect(readFileSync(written, "utf8")).toBe("--data x --json --help\n");
  });

  test("refuses to start without a command", async () => {
    expect((await terminal.run(["run", "--template", "billing"])).code).toBe(2);
    expect(await keys()).toEqual([]);
  });
});
