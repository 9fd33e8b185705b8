import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
let file: string;

beforeEach(async () => {
  terminal = new Terminal();
  file = join(terminal.folder, "backup.db");
  await terminal.run(["key", "issue", "--template", "read-only", "--label", "ray/1"]);
});

afterEach(() => terminal.close());

const remote = { environment: { KEYBRAKE_URL: "http://127.0.0.1:1", KEYBRAKE_API_KEY: "kb_admin_x" } };

describe("keybrake backup", () => {
  test("says where it is, what is in it and what is not", async () => {
    const { code, out } = await terminal.run(["backup", file]);
    expect(code).toBe(0);
    expect(out.replaceAll(terminal.folder, "FOLDER").replace(/[\d,]+ KB/, "# KB")).toBe(
      [
        "backup     FOLDER/backup.db",
        "size       # KB",
        "holds      0 calls, 1 key",
        "checked    pages, indexes, migrations and counters",
        "not in it  the master key file, keybrake.yaml, policies/: keep them apart from this file",
        "",
      ].join("\n"),
    );
    expect((statSync(file).mode & 0o777).toString(8)).toBe("600");
  });

  test("prints one JSON object with --json", async () => {
    const { out } = await terminal.run(["backup", file, "--json"]);
    expect(JSON.parse(out)).toEqual({
      path: file,
      taken_at: "2026-03-04T05:06:07.000Z",
      size_bytes: statSync(file).size,
      calls: 0,
      keys: 1,
      last_seq: 0,
      counter_mismatches: 0,
      not_in_it: ["the master key file", "keybrake.yaml", "policies/"],
    });
  });

  test("replaces a file only with --force", async () => {
    await terminal.run(["backup", file]);
    const { ino } = statSync(file);
    const { code, err } = await terminal.run(["backup", file]);
    expect(code).toBe(1);
    expect(err).toContain(`error: ${file} exists\nkeybrake: hint: name another file, or say --force`);
    expect(statSync(file).ino).toBe(ino);
    expect(await terminal.run(["backup", file, "--force"])).toMatchObject({ code: 0 });
    expect(statSync(file).ino).not.toBe(ino);
  });

  test("makes nothing where there is no database", async () => {
    const nowhere = join(terminal.folder, "nowhere");
    const { code, err } = await terminal.run(["backup", file, "--data", nowhere]);
    expect([code, err]).toEqual([1, expect.stringContaining(`there is no database in ${nowhere}`)]);
    expect([existsSync(nowhere), existsSync(file)]).toEqual([false, false]);
  });
});

describe("keybrake restore", () => {
  const kept = () => readdirSync(terminal.data).filter((name) => name.includes(".replaced-"));
  /** On a new directory: this process still has the handles of the first one. */
  const elsewhere = () => ["--data", join(terminal.folder, "elsewhere")];

  beforeEach(async () => {
    await terminal.run(["backup", file]);
    terminal.nowMs += 2 * 3_600_000;
  });

  test("puts the backup in place and says what the gap is, and confirm lets keys spend again", async () => {
    const { code, out, err } = await terminal.run(["restore", file, "--yes", ...elsewhere()]);
    expect(code).toBe(0);
    expect(out).toBe(`restored ${join(terminal.folder, "elsewhere", "keybrake.db")}\n`);
    expect(err).toContain(
      "reason    restored from a backup of 2026-03-04T05:06:07.000Z\n" +
        "the gap   from 2026-03-04 05:06:07 UTC (2h ago) until now: nothing of it is known here\n" +
        "went out  unknown: look at the vendors' own dashboards for that time\n",
    );
    expect(err).toContain("every call is answered 503 until `keybrake restore confirm`");
    const confirmed = await terminal.run(["restore", "confirm", "--yes", ...elsewhere()]);
    expect(confirmed).toMatchObject({ code: 0, out: "keys work again, from their next call on\n" });
    expect(confirmed.err).toContain("the gap   from 2026-03-04 05:06:07 UTC (2h ago)");
    const again = await terminal.run(["restore", "confirm", "--json", ...elsewhere()]);
    expect(JSON.parse(again.out)).toEqual({ thawed: false });
  });

  test("asks, and changes nothing without the whole word", async () => {
    const { code, err } = await terminal.run(["restore", file, ...elsewhere()], "", { typed: "y" });
    expect([code, err]).toEqual([1, expect.stringContaining("Replace the database? Type yes (it is not shown): ")]);
    expect(readdirSync(join(terminal.folder, "elsewhere"))).toEqual([]);
    expect(await terminal.run(["restore", file, ...elsewhere()], "", { typed: "yes" })).toMatchObject({ code: 0 });
    const refused = await terminal.run(["restore", "confirm", ...elsewhere()], "", { typed: "no" });
    expect([refused.code, refused.err]).toEqual([1, expect.stringContaining("Let keys spend again?")]);
    const confirmed = await terminal.run(["restore", "confirm", "--json", ...elsewhere()], "", { typed: "yes" });
    expect(JSON.parse(confirmed.out)).toMatchObject({ thawed: true, frozen: { lost: null } });
  });

  test("wants --yes where nobody can be asked", async () => {
    const { code, err } = await terminal.run(["restore", file, ...elsewhere()]);
    expect([code, err]).toEqual([2, expect.stringContaining("stdin is no terminal")]);
  });

  test("is refused while somebody has the database open", async () => {
    const { code, err } = await terminal.run(["restore", file, "--yes"]);
    expect([code, err]).toEqual([1, expect.stringContaining("another process has it open")]);
    expect(kept()).toEqual([]);
  });

  for (const argv of [
    ["backup", "x.db"],
    ["restore", "x.db"],
    ["restore", "confirm"],
  ]) {
    test(`keybrake ${argv.join(" ")} works on the server's own machine only`, async () => {
      const { code, err } = await terminal.run(argv, "", remote);
      expect([code, err]).toEqual([2, expect.stringContaining("on the server's own machine")]);
    });
  }
});
