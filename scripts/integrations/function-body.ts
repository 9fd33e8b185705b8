import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { World } from "./world.ts";

/** Some platforms run a file as the body of an async function and put words into its reach; Node does the same here. */
const WRAPPER = `
const { source, calls } = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const AsyncFunction = (async () => {}).constructor;
(async () => {
  const results = [];
  for (const words of calls) results.push(await new AsyncFunction(...Object.keys(words), source)(...Object.values(words)));
  process.stdout.write(JSON.stringify(results));
})().catch((error) => { console.error(error); process.exit(1); });`;

/**
 * Runs a file of the example so, on Node, once for each of `calls`, one after the other.
 * @param calls what the platform puts into its reach, by name.
 * @returns what each has returned.
 * @throws Error where one throws.
 */
export async function runFunctionBody(
  world: World,
  file: string,
  calls: readonly Readonly<Record<string, unknown>>[],
): Promise<readonly unknown[]> {
  const source = readFileSync(join(world.folder, file), "utf8");
  const { stdout } = await world.succeeds(["node", "-e", WRAPPER], { stdin: JSON.stringify({ source, calls }) });
  return JSON.parse(stdout) as unknown[];
}
