import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Glob } from "bun";
import { ROOT, TOOLS } from "./folders.ts";
import { runProcess, succeeded } from "./processes.ts";

const BUILD_MS_MAX = 300_000;

/**
 * The Python package of `clients/python` as a wheel, built once for its source, so that each stack installs what its user
 * would. `python` is any of the virtual environments. Returns the wheel's path.
 */
export async function pythonWheel(python: string): Promise<string> {
  const source = join(ROOT, "clients/python");
  const folder = join(TOOLS, "clients", `python-${hashOf(source)}`);
  if (!existsSync(folder)) {
    const building = `${folder}.${process.pid}`;
    // A copy: setuptools would leave its build folders in the source.
    cpSync(source, join(building, "source"), { recursive: true });
    const command = [python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", building, "./source"];
    succeeded(command, await runProcess(command, { cwd: building, env: process.env, timeoutMs: BUILD_MS_MAX }));
    rmSync(join(building, "source"), { recursive: true });
    if (existsSync(folder)) rmSync(building, { recursive: true });
    else cpSync(building, folder, { recursive: true });
    rmSync(building, { recursive: true, force: true });
  }
  return join(folder, readdirSync(folder).find((name) => name.endsWith(".whl"))!);
}

/** Puts the package of `clients/typescript`, built, into `modules` (a `node_modules`), as npm would. */
export async function placeTypescriptClient(modules: string): Promise<void> {
  const source = join(ROOT, "clients/typescript");
  const built = join(TOOLS, "clients", `typescript-${hashOf(source)}`);
  if (!existsSync(join(built, "package.json"))) {
    mkdirSync(built, { recursive: true });
    const command = [process.execPath, join(ROOT, "node_modules/.bin/tsc"), "-p", source, "--outDir", `${built}/dist`];
    succeeded(command, await runProcess(command, { cwd: source, env: process.env, timeoutMs: BUILD_MS_MAX }));
    cpSync(join(source, "package.json"), join(built, "package.json"));
  }
  rmSync(join(modules, "keybrake"), { recursive: true, force: true });
  cpSync(built, join(modules, "keybrake"), { recursive: true });
}

function hashOf(folder: string): string {
  const hash = new Bun.CryptoHasher("sha256");
  const files = [...new Glob("**/*.{py,ts,json,toml,md,typed}").scanSync({ cwd: folder })];
  for (const path of files.filter((path) => !/(^|\/)(node_modules|dist|build)\//.test(path)).sort()) {
    hash.update(`${path}\n`).update(readFileSync(join(folder, path)));
  }
  return hash.digest("hex").slice(0, 12);
}
