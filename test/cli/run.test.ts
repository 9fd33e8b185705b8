import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Problem, type ProblemCode } from "../../src/core/problem.ts";
import type { ControlPlane, IssuedKeyView } from "../../src/operate/control-plane.ts";
import { NOW_MS, Terminal, type TerminalOptions } from "./terminal.ts";

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
    expect(terminal.guarded).toEqual([`watch ${key!.id} until 2026-03-04T07:06:07.000Z`, "dismiss"]);
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

  test("--json says on stderr what was spent, and nothing else; --quiet says nothing", async () => {
    const script = ["--", "/bin/sh", "-c", "exit 3"];
    const told = await terminal.run(["run", "--template", "billing", "--label", "nightly/1", "--json", ...script]);
    const [key] = await keys();
    expect([told.code, told.out]).toEqual([3, ""]);
    expect(JSON.parse(told.err)).toEqual({
      key_id: key!.id,
      agent_run_label: "nightly/1",
      exit_code: 3,
      revoked: true,
      calls: 0,
      refused: 0,
      settled_usd: "0.00",
      held_usd: "0.00",
      unresolved_usd: "0.00",
    });
    expect(await terminal.run(["run", "--template", "billing", "--quiet", ...script])).toEqual({
      code: 3,
      out: "",
      err: "",
    });
  });

  test("keeps every KEYBRAKE_ variable from the command but its own", async () => {
    await shell(`env > ${written}`, {
      environment: {
        PATH: "/usr/bin:/bin",
        KEYBRAKE_API_KEY: "kb_admin_x",
        KEYBRAKE_STORE: "sqlite:",
        KEYBRAKE_ALLOW_HTTP: "1",
      },
    });
    const names = readFileSync(written, "utf8").match(/^KEYBRAKE_\w+/gm)!;
    expect(names.sort()).toEqual([
      "KEYBRAKE_BASE_URL",
      "KEYBRAKE_BASE_URL_STRIPE",
      "KEYBRAKE_KEY_ID",
      "KEYBRAKE_RUN_LABEL",
      "KEYBRAKE_VAULT_KEY",
    ]);
  });

  test.each([
    ["in the foreground of a terminal, which sends it to the command itself", true, "9"],
    ["elsewhere", false, "2"],
  ])("Ctrl-C reaches the command once: %s", async (_, foreground, code) => {
    const script = `trap 'exit 2' INT; trap 'exit 9' USR1; echo ready > ${written}.ready; while :; do read -t 1 x; done`;
    const options = { environment: { PATH: "/usr/bin:/bin" }, foreground };
    const running = terminal.run([...RUN, "/bin/bash", "-c", script], "", options);
    while (!existsSync(`${written}.ready`)) await new Promise(setImmediate);
    terminal.signal("SIGINT");
    terminal.signal("SIGUSR1");
    expect(String((await running).code)).toBe(code);
  });
});

describe("where the server is gone when the command has ended", () => {
  const gone = (failures: number, code: ProblemCode = "unavailable") => {
    let tries = 0;
    const issued = {
      id: "vk_1",
      expires_at: "2026-03-04T07:06:07.000Z",
      environment: {},
      base_urls: {},
      warnings: [],
      agent_run_label: null,
    } as unknown as IssuedKeyView;
    const control: Partial<ControlPlane> = {
      issueKey: async () => issued,
      revokeKeys: async () => {
        tries += 1;
        if (tries <= failures) throw new Problem(code, "nothing answers at https://keybrake.example");
        return { revoked: ["vk_1"], already_revoked: [] };
      },
      showKey: async () => {
        throw new Problem("unavailable", "nothing answers at https://keybrake.example");
      },
    };
    return { control, tries: () => tries };
  };

  test("it is asked again until it is there", async () => {
    const { control, tries } = gone(3);
    const { code, err } = await shell("exit 4", { control });
    expect([code, tries()]).toEqual([4, 4]);
    expect(err).toContain("warning: what the run has spent cannot be told: nothing answers");
    expect(err).toEndWith("the run has ended and key vk_1 is revoked\n");
    expect(terminal.guarded.at(-1)).toBe("dismiss");
  });

  test.each([
    ["the guard goes on, how to revoke by hand is said", "unavailable", 5],
    ["what will not get better is asked once", "forbidden", 1],
  ] as const)("%s, and the exit code is the command's", async (_, problem, tried) => {
    const { control, tries } = gone(99, problem);
    const { code, err } = await shell("exit 4", { control });
    expect([code, tries()]).toEqual([4, tried]);
    expect(err).toContain("error: key vk_1 is not revoked yet: nothing answers at https://keybrake.example\n");
    expect(err).toContain("by hand: keybrake key revoke vk_1\n");
    expect(terminal.guarded.at(-1)).toBe("leave");
  });

  test("a signal ends the tries", async () => {
    const { control } = gone(99);
    const { code, err } = await shell("exit 4", { control, onPause: () => terminal.signal("SIGTERM") });
    expect(code).toBe(4);
    expect(err).toContain("not revoked yet");
  });
});

describe("keybrake run-guard", () => {
  const issue = async () =>
    (JSON.parse((await terminal.run(["key", "issue", "--template", "billing", "--json"])).out) as { id: string }).id;
  const LATER = NOW_MS + 3_600_000;

  test("revokes the key that it was told of, where nobody said that it is done", async () => {
    const id = await issue();
    expect(await terminal.run(["run-guard"], `${id} ${LATER}\n`)).toEqual({ code: 0, out: "", err: "" });
    expect(await keys()).toMatchObject([{ id, status: "revoked", revoke_reason: "its `keybrake run` was killed" }]);
  });

  test.each([
    ["the key is revoked", (id: string) => `${id} ${LATER}\ndone\n`],
    ["there was no key", () => ""],
    ["the key has expired by itself", (id: string) => `${id} ${NOW_MS}\n`],
  ])("does nothing where %s", async (_, told) => {
    const id = await issue();
    expect((await terminal.run(["run-guard"], told(id))).code).toBe(0);
    expect((await keys())[0]!.status).toBe("active");
  });

  test("goes on while the server is not there, and no longer than the key lives", async () => {
    let tries = 0;
    const control: Partial<ControlPlane> = {
      revokeKeys: async () => {
        tries += 1;
        throw new Problem("unavailable", "nothing answers");
      },
    };
    const onPause = () => {
      terminal.nowMs += 1_000_000;
    };
    expect((await terminal.run(["run-guard"], `vk_1 ${LATER}\n`, { control, onPause })).code).toBe(0);
    expect(tries).toBe(4);
  });
});
