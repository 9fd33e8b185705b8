import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, symlinkSync } from "node:fs";
import { BareClone } from "./bare-clone.ts";

let clone: BareClone;
beforeEach(() => {
  clone = new BareClone();
  clone.command("bun", `log "bun $* cache=\${BUN_INSTALL_CACHE_DIR:-}"; mkdir -p node_modules; sleep 0.1`);
});
afterEach(() => clone.remove());

const install = (env: Readonly<Record<string, string>> = {}) => clone.run("scripts/ensure-packages", [], env);

test("installs exactly what the lock file says, once", async () => {
  expect((await install()).stderr).toContain("installing the packages of bun.lock");
  expect(await install()).toEqual({ exitCode: 0, stdout: "", stderr: "" });
  expect(clone.logged()).toEqual(["bun install --frozen-lockfile --no-progress --no-summary cache="]);
});

test.each(["bun.lock", "package.json"])("installs again when %s has changed", async (file) => {
  await install();
  clone.write(file, "{ }\n");
  await install();
  expect(clone.logged()).toHaveLength(2);
});

test("two at once install once", async () => {
  const outcomes = await Promise.all([install(), install(), install()]);
  expect(outcomes.map(({ exitCode }) => exitCode)).toEqual([0, 0, 0]);
  expect(clone.logged()).toHaveLength(1);
  expect(existsSync(clone.path(".tools/packages.lock"))).toBe(false);
});

test("takes over from one that was killed", async () => {
  clone.write(".tools/x", "");
  symlinkSync("999999999", clone.path(".tools/packages.lock"));
  expect((await install()).exitCode).toBe(0);
  expect(clone.logged()).toHaveLength(1);
});

test("keeps its cache in the clone where the home folder cannot be written", async () => {
  await install({ HOME: "/nonexistent" });
  expect(clone.logged()[0]).toEndWith(`cache=${clone.path(".tools/bun-cache")}`);
});

test("a failed install fails, and is tried again the next time", async () => {
  clone.command("bun", "log bun; mkdir -p node_modules; echo 'error: lockfile had changes' >&2; exit 1");
  const outcome = await install();
  expect(outcome.exitCode).not.toBe(0);
  expect(outcome.stderr).toContain("lockfile had changes");
  expect((await install()).exitCode).not.toBe(0);
  expect(clone.logged()).toHaveLength(2);
});
