import { afterEach, beforeEach, expect, test } from "bun:test";
import { BareClone, PINNED } from "./bare-clone.ts";

let clone: BareClone;
beforeEach(() => {
  clone = new BareClone();
});
afterEach(() => clone.remove());

/** What each step of the run does, in sh. */
interface Steps {
  readonly install?: string;
  readonly typecheck?: string;
  readonly page?: string;
  readonly lint?: string;
  readonly build?: string;
  readonly tests?: string;
  readonly binary?: string;
}

const BUILD = "mkdir -p dist; cp binary dist/keybrake; chmod +x dist/keybrake";
const summary = (pass: number, fail: number, more = "") =>
  `printf ' %s\\n' '${pass} pass' ${more} '${fail} fail'; echo 'Ran ${pass + fail} tests across 2 files. [9ms]'`;

function machine(steps: Steps): void {
  clone.write("binary", `#!/bin/sh\n${steps.binary ?? "echo keybrake 0.1.0"}\n`);
  clone.command(
    "bun",
    `[ "$1" = --version ] && echo ${PINNED} && exit
log "$1"
case "$1" in
  install) mkdir -p node_modules; ${steps.install ?? ":"} ;;
  */tsc) ${steps.typecheck ?? ":"} ;;
  */biome) ${steps.lint ?? ":"} ;;
  scripts/typecheck-page.ts) ${steps.page ?? ":"} ;;
  scripts/build.ts) ${steps.build ?? BUILD} ;;
  test) ${steps.tests ?? summary(12, 0)} ;;
esac`,
  );
}

const STEPS = [
  "install",
  "node_modules/.bin/tsc",
  "scripts/typecheck-page.ts",
  "node_modules/.bin/biome",
  "scripts/build.ts",
  "test",
];

test.each<readonly [string, Steps, number, string]>([
  ["everything passes", {}, STEPS.length, "18 passed, 0 failed"],
  ["the install fails", { install: "exit 1" }, 1, "0 passed, 1 failed"],
  ["the types are wrong", { typecheck: "exit 2" }, 2, "1 passed, 1 failed"],
  ["the types of the page are wrong", { page: "exit 2" }, 3, "2 passed, 1 failed"],
  ["the lint or format check fails", { lint: "exit 1" }, 4, "3 passed, 1 failed"],
  ["the build fails", { build: "exit 1" }, 5, "4 passed, 1 failed"],
  ["a test fails", { tests: `${summary(10, 2)}; exit 1` }, 6, "15 passed, 2 failed"],
  ["tests are skipped", { tests: summary(10, 0, "'3 skip' '1 todo'") }, 6, "16 passed, 0 failed"],
  ["an error stands outside of the tests", { tests: `${summary(10, 0)}; exit 1` }, 6, "15 passed, 1 failed"],
  ["the tests die halfway", { tests: "echo '(pass) a'; exit 139" }, 6, "5 passed, 1 failed"],
  ["a test ends the run with exit code 0", { tests: "echo ' 3 pass'; exit 0" }, 6, "5 passed, 1 failed"],
  ["no test ran", { tests: summary(0, 0) }, 6, "5 passed, 1 failed"],
  [
    "every test was skipped",
    { tests: `printf ' %s\\n' '0 pass' '2 skip' '0 fail'; echo 'Ran 2 tests across 1 file. [1ms]'` },
    6,
    "5 passed, 1 failed",
  ],
  ["the binary does not run", { binary: "exit 1" }, 6, "17 passed, 1 failed"],
  ["the binary has another version", { binary: "echo keybrake 0.1.01" }, 6, "17 passed, 1 failed"],
])("where %s, it stops there and ends with the count", async (_, steps, ran, last) => {
  machine(steps);
  const outcome = await clone.run("scripts/test");
  expect(outcome.stdout.trimEnd().split("\n").at(-1)).toBe(last);
  expect(outcome.exitCode === 0).toBe(last.endsWith(" 0 failed"));
  expect(clone.logged()).toEqual(STEPS.slice(0, ran));
});

test("shows each step with its duration, and what it wrote", async () => {
  machine({ lint: "echo 'a.ts: unused import' >&2; exit 1" });
  const { stdout, stderr } = await clone.run("scripts/test");
  expect(stdout).toMatch(/==> typecheck\n {4}typecheck: passed in \d+ s\n/);
  expect(stdout).toMatch(/==> lint and format\n {4}lint and format: FAILED after \d+ s\n/);
  expect(stderr).toContain("a.ts: unused import");
});

test("hands its arguments to the tests, and the binary's path, and no setting of the developer", async () => {
  machine({ tests: `log "$* $KEYBRAKE_BINARY \${KEYBRAKE_DATA:-none} \${HTTPS_PROXY:-none}"; ${summary(1, 0)}` });
  await clone.run("scripts/test", ["test/core", "-t", "a b"], { KEYBRAKE_DATA: "/data", HTTPS_PROXY: "http://proxy" });
  const told = "test --timeout 60000 --parallel=2 --no-isolate test/core -t a b";
  expect(clone.logged()).toContain(`${told} ${clone.path("dist/keybrake")} none none`);
});

test("ends with the count and fails when it is interrupted", async () => {
  machine({ typecheck: 'kill -TERM "$PPID"; sleep 0.2' });
  const outcome = await clone.run("scripts/test");
  expect(outcome.stdout.trimEnd().split("\n").at(-1)).toBe("1 passed, 1 failed");
  expect(outcome.exitCode).not.toBe(0);
});
