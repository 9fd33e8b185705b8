import { afterAll, beforeAll, expect, test } from "bun:test";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { generateApi } from "swagger-typescript-api";
import { type Bench, makeBench, type RunningKeybrake } from "../harness/keybrake.ts";
import { told } from "./told.ts";

let bench: Bench;
let server: RunningKeybrake;
let folder: string;

beforeAll(async () => {
  bench = await makeBench();
  server = await bench.serve(["--sandbox"]);
  folder = mkdtempSync(join(tmpdir(), "keybrake-client-"));
  const spec = await (await fetch(`${server.url}/docs/json`)).json();
  const { files } = await generateApi({ spec, fileName: "client.ts", output: false, silent: true });
  writeFileSync(join(folder, "client.ts"), `// @ts-nocheck\n${files[0]!.fileContent}`);
  copyFileSync(join(import.meta.dir, "typescript/story.ts"), join(folder, "story.ts"));
});
afterAll(async () => {
  await bench.stop();
  rmSync(folder, { recursive: true, force: true });
});

test("a client that is generated from the document has the types that its user needs", async () => {
  const repository = resolve(import.meta.dir, "../..");
  writeFileSync(
    join(folder, "tsconfig.json"),
    JSON.stringify({
      extends: join(repository, "tsconfig.json"),
      compilerOptions: { typeRoots: [join(repository, "node_modules")] },
      include: [folder],
    }),
  );
  const check = Bun.spawnSync([process.execPath, join(repository, "node_modules/.bin/tsc"), "-p", folder], {
    cwd: folder,
  });
  expect(check.stdout.toString() + check.stderr.toString()).toBe("");
});

test("and does what its names say: issue, list, self, change, brake, audit, revoke", async () => {
  const [admin, auditor] = await Promise.all(
    ["admin", "auditor"].map((role) => bench.json<{ token: string }>(["token", "issue", "--role", role])),
  );
  const run = Bun.spawnSync([process.execPath, "story.ts", server.url, admin!.token, auditor!.token], { cwd: folder });
  expect(run.stderr.toString()).toBe("");
  const said = JSON.parse(run.stdout.toString()) as Record<string, unknown>;
  expect(said).toEqual(told(said["issued"]));
});
