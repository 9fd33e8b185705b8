import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import manifest from "../package.json";

const page = readFileSync(resolve(import.meta.dir, "../docs/dependencies.md"), "utf8");
const [atRunTime = "", forDevelopment = ""] = page.split("## For development");

test.each([
  ["at run time", atRunTime, manifest.dependencies],
  ["for development", forDevelopment, manifest.devDependencies],
])("every package used %s has its reason on the page", (_, section, packages) => {
  const reasoned = [...section.matchAll(/^\| `([^`]+)` \| (\S.*) \|$/gm)].map((match) => match[1]);
  expect(Object.keys(packages).filter((name) => !reasoned.includes(name))).toEqual([]);
});

test("every package is pinned to one version", () => {
  const pins = Object.entries({ ...manifest.dependencies, ...manifest.devDependencies });
  expect(pins.filter(([, version]) => !/^(?:npm:[a-z-]+@)?\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?$/.test(version))).toEqual([]);
});
