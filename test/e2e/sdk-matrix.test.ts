import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Agent } from "./sdk-matrix/agents.ts";
import { testMatrix } from "./sdk-matrix/play-rows.ts";
import { NODE_ROWS } from "./sdk-matrix/rows.ts";

const packages = join(import.meta.dir, "../../node_modules");

/** `stripe 22.0.0 with {"maxNetworkRetries":3}`: the version that is installed, not the one that somebody remembers. */
function titleOf({ sdk, surface, options }: Agent): string {
  const { name, version } = JSON.parse(readFileSync(join(packages, sdk, "package.json"), "utf8"));
  const part = surface === undefined ? "" : ` (${surface})`;
  return `${name} ${version}${part} ${Object.keys(options).length === 0 ? "as it comes" : `with ${JSON.stringify(options)}`}`;
}

testMatrix(
  NODE_ROWS.map((row) => ({ title: titleOf(row), row })),
  ["node", join(import.meta.dir, "sdk-matrix/run.mjs")],
);
