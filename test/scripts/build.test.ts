import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { version } from "../../package.json";

const root = resolve(import.meta.dir, "../..");

/** Prints what it was built with and what it found around it; `fail` throws. */
const PROGRAM = `
import sql from "./a.sql" with { type: "text" };
import yaml from "./b.yaml" with { type: "text" };
import { VERSION } from "${root}/src/core/version.ts";

interface Report { readonly [name: string]: unknown }

function throwLoudly(): never {
  throw new Error("boom");
}
if (process.argv[2] === "fail") throwLoudly();
const report: Report = { sql, yaml, VERSION, mode: process.env.NODE_ENV, dotenv: process.env["FROM_DOTENV"] ?? "unset" };
console.log(JSON.stringify(report));
`;

let folder: string;
let hostile: string;
const run = (command: readonly string[], cwd: string) => {
  const { stdout, stderr, exitCode } = Bun.spawnSync([...command], {
    cwd,
    env: { PATH: "/usr/bin:/bin", HOME: folder },
  });
  return { stdout: stdout.toString(), stderr: stderr.toString(), exitCode };
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "keybrake-build-"));
  hostile = join(folder, "hostile");
  mkdirSync(hostile);
  writeFileSync(join(folder, "main.ts"), PROGRAM);
  writeFileSync(join(folder, "a.sql"), "select 1;\n");
  writeFileSync(join(folder, "b.yaml"), "a: [1]\n");
  writeFileSync(join(hostile, ".env"), "FROM_DOTENV=read\n");
  writeFileSync(join(hostile, "bunfig.toml"), 'preload = ["./preload.ts"]\n');
  writeFileSync(join(hostile, "preload.ts"), 'console.log("preloaded");\n');
  const script = [process.execPath, join(root, "scripts/build.ts")];
  const built = run([...script, "--entry", join(folder, "main.ts"), "--outfile", join(folder, "out/program")], folder);
  expect(built.stderr).toBe("");
  expect(built.exitCode).toBe(0);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("the compiled binary", () => {
  test("runs no preload and reads no .env of the folder it is started in", () => {
    // The control: without the switches of scripts/build.ts this folder does take over a compiled program.
    const plain = ["build", "--compile", join(folder, "main.ts"), "--outfile", join(folder, "plain")];
    expect(run([process.execPath, ...plain], folder).exitCode).toBe(0);
    const taken = run([join(folder, "plain")], hostile).stdout;
    expect(taken).toContain("preloaded");
    expect(taken).toContain('"dotenv":"read"');

    const { stdout } = run([join(folder, "out/program")], hostile);
    expect(stdout).not.toContain("preloaded");
    expect(JSON.parse(stdout).dotenv).toBe("unset");
  });

  test("carries SQL and YAML files as text, the version, and the production mode", () => {
    const { stdout } = run([join(folder, "out/program")], folder);
    expect(JSON.parse(stdout)).toEqual({
      sql: "select 1;\n",
      yaml: "a: [1]\n",
      VERSION: version,
      mode: "production",
      dotenv: "unset",
    });
  });

  test("names the source line in a trace, with nothing but itself on the machine", () => {
    expect(readdirSync(join(folder, "out"))).toEqual(["program"]);
    const { stderr, exitCode } = run([join(folder, "out/program"), "fail"], hostile);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/throwLoudly \(.*main\.ts:9:/);
  });

  test("is replaced in one step, while an older one runs", () => {
    const before = statSync(join(folder, "out/program")).ino;
    const script = [process.execPath, join(root, "scripts/build.ts")];
    run([...script, "--entry", join(folder, "main.ts"), "--outfile", join(folder, "out/program")], folder);
    expect(statSync(join(folder, "out/program")).ino).not.toBe(before);
    expect(readdirSync(join(folder, "out"))).toEqual(["program"]);
  });
});

test.each([
  ["a source that does not compile", "broken.ts", [], "missing.ts"],
  ["an unknown target", "main.ts", ["--target", "bun-abacus-x64"], "bun-abacus-x64"],
])("%s is named, fails, and leaves the old binary", (_, entry, more, named) => {
  writeFileSync(join(folder, "broken.ts"), 'import "./missing.ts";\n');
  const before = statSync(join(folder, "out/program")).ino;
  const script = [process.execPath, join(root, "scripts/build.ts"), ...more];
  const built = run([...script, "--entry", join(folder, entry), "--outfile", join(folder, "out/program")], folder);
  expect(built.exitCode).toBe(1);
  expect(built.stderr).toContain(named);
  expect(built.stderr).toEndWith("error: could not build out/program\n");
  expect(statSync(join(folder, "out/program")).ino).toBe(before);
  expect(readdirSync(join(folder, "out"))).toEqual(["program"]);
});
