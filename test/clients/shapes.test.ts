import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { pythonShapes, type ShapesDocument, typescriptShapes } from "../../scripts/client-shapes.ts";
import { type Bench, makeBench } from "../harness/keybrake.ts";

const ROOT = resolve(import.meta.dir, "../..");
let bench: Bench;
let document: ShapesDocument;

beforeAll(async () => {
  bench = await makeBench();
  const { url } = await bench.serve(["--sandbox"]);
  document = (await (await fetch(`${url}/docs/json`)).json()) as ShapesDocument;
});
afterAll(() => bench.stop());

/** As the project formats its own files. */
function formatted(text: string): string {
  const biome = Bun.spawnSync(
    [process.execPath, join(ROOT, "node_modules/.bin/biome"), "format", "--stdin-file-path=src/shapes.ts"],
    { cwd: ROOT, stdin: Buffer.from(text) },
  );
  expect(biome.stderr.toString()).toBe("");
  return biome.stdout.toString();
}

test.each([
  ["clients/python/src/keybrake/shapes.py", (of: ShapesDocument) => pythonShapes(of)],
  ["clients/typescript/src/shapes.ts", (of: ShapesDocument) => formatted(typescriptShapes(of))],
] as const)("%s says what the document says", (path, made) => {
  const text = made(document);
  if (process.env["KEYBRAKE_UPDATE_SHAPES"] === "1") writeFileSync(join(ROOT, path), text);
  expect(readFileSync(join(ROOT, path), "utf8")).toBe(text);
});
