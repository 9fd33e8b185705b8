/**
 * Checks the types of the web page, its tests and its scripts, with the browser's types (src/dashboard/tsconfig.json). What
 * they import types from is read with those as well, where the server's own sources mean Bun's: of those nothing is said
 * here, the check of the whole tree has them.
 */
import { join, resolve } from "node:path";

const root = resolve(import.meta.dir, "..");
const PAGE = /^(?:src|test|scripts)\/dashboard\//;

const run = Bun.spawnSync(
  [process.execPath, join(root, "node_modules/.bin/tsc"), "--noEmit", "--pretty", "false", "-p", "src/dashboard"],
  { cwd: root, stdout: "pipe", stderr: "inherit" },
);
const lines = run.stdout.toString().split("\n");
// A finding begins at the margin, and its further lines are indented.
let isOurs = false;
const findings = lines.filter((line) => {
  if (/^\S/.test(line)) isOurs = PAGE.test(line) || !/^\S+\(\d+,\d+\): /.test(line);
  return isOurs && line !== "";
});
for (const line of findings) console.error(line);
process.exitCode = findings.length > 0 ? 1 : 0;
