import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { BareClone, PINNED } from "./bare-clone.ts";

let clone: BareClone;
beforeEach(() => {
  clone = new BareClone();
});
afterEach(() => clone.remove());

/** An npm that brings two builds, of which one does not run here, and runs no install script. */
const NPM = `
log "npm $*"
while [ "$1" != --prefix ]; do shift; done
for build in bun-linux-x64-musl bun-linux-x64; do
  mkdir -p "$2/node_modules/@oven/$build/bin"
  printf '#!/bin/sh\\necho ${PINNED}\\n' >"$2/node_modules/@oven/$build/bin/bun"
  chmod +x "$2/node_modules/@oven/$build/bin/bun"
done
printf '#!/bin/sh\\nexit 127\\n' >"$2/node_modules/@oven/bun-linux-x64-musl/bin/bun"
`;

test("uses the Bun on PATH where it has the pinned version, and installs nothing", async () => {
  clone.command("bun", `echo ${PINNED}`);
  const outcome = await clone.run("scripts/ensure-bun");
  expect(outcome).toEqual({ exitCode: 0, stdout: `${clone.path(".machine")}\n`, stderr: "" });
  expect(existsSync(clone.path(".tools"))).toBe(false);
});

test("installs the pinned Bun where PATH has another version", async () => {
  clone.command("bun", "echo 1.0.0");
  clone.command("npm", NPM);
  const outcome = await clone.run("scripts/ensure-bun");
  expect(outcome.exitCode).toBe(0);
  const bun = Bun.spawnSync([join(outcome.stdout.trim(), "bun"), "--version"]);
  expect(bun.stdout.toString()).toBe(`${PINNED}\n`);
});

test("takes the build that runs here, without install scripts, and leaves only that behind", async () => {
  clone.command("npm", NPM);
  const outcome = await clone.run("scripts/ensure-bun");
  expect(outcome.stdout).toBe(`${clone.path(".tools", `bun-${PINNED}`, "bin")}\n`);
  expect(outcome.stderr).toBe(`==> installing Bun ${PINNED} from npm into .tools/ (once, about 100 MB)\n`);
  expect(clone.logged()[0]).toContain(`--ignore-scripts`);
  expect(clone.logged()[0]).toEndWith(`bun@${PINNED}`);
  expect(readdirSync(clone.path(".tools"))).toEqual([`bun-${PINNED}`]);
});

test("writes only inside the clone: the home folder need not exist", async () => {
  clone.command("npm", `case " $* " in *" --cache ${clone.folder}/"*) ;; *) exit 1 ;; esac\n${NPM}`);
  expect((await clone.run("scripts/ensure-bun", [], { HOME: "/nonexistent" })).exitCode).toBe(0);
});

test("does not ask npm a second time", async () => {
  clone.command("npm", NPM);
  const first = await clone.run("scripts/ensure-bun");
  const second = await clone.run("scripts/ensure-bun");
  expect(second).toEqual({ ...first, stderr: "" });
  expect(clone.logged()).toHaveLength(1);
});

test("two at once both succeed", async () => {
  clone.command("npm", NPM);
  const outcomes = await Promise.all([1, 2, 3].map(() => clone.run("scripts/ensure-bun")));
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  expect(readdirSync(clone.path(".tools"))).toEqual([`bun-${PINNED}`]);
});

test("replaces an installed Bun that does not run", async () => {
  clone.command("npm", NPM);
  await clone.run("scripts/ensure-bun");
  clone.write(`.tools/bun-${PINNED}/bin/bun`, "cut off");
  expect((await clone.run("scripts/ensure-bun")).exitCode).toBe(0);
  expect(clone.logged()).toHaveLength(2);
});

test.each([
  ["there is no npm", undefined, "there is no npm to install it with", "hint: install Node.js with npm"],
  [
    "npm fails",
    "echo 'npm error network' >&2; exit 1",
    `npm could not install bun@${PINNED}`,
    "hint: see npm's message",
  ],
  ["no build runs here", NPM.replace(`echo ${PINNED}`, "exit 1"), "no build of it runs on", "hint: install Bun"],
])("says what is wrong and what to do where %s, and leaves nothing half done", async (_, npm, error, hint) => {
  if (npm) clone.command("npm", npm);
  const outcome = await clone.run("scripts/ensure-bun");
  expect(outcome.exitCode).toBe(1);
  expect(outcome.stdout).toBe("");
  expect(outcome.stderr).toContain(error);
  expect(outcome.stderr).toContain(hint);
  expect(existsSync(clone.path(".tools", `bun-${PINNED}`, "bin", "bun"))).toBe(false);
});
