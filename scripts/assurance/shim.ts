import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A library that is loaded before the C library (LD_PRELOAD) into a server under test, in a folder of its own. */
export interface Shim {
  readonly folder: string;
  readonly library: string;
  remove(): void;
}

/** Why none can be used here; undefined where one can. */
export function shimProblem(): string | undefined {
  if (process.platform !== "linux") return "LD_PRELOAD and /proc are Linux's";
  return Bun.which("cc") ? undefined : "no C compiler (cc) is installed";
}

/** Compiles `name`.c of this folder. @throws where the compiler refuses it. */
export function compileShim(name: string): Shim {
  const folder = mkdtempSync(join(tmpdir(), "keybrake-shim-"));
  const library = join(folder, `${name}.so`);
  const source = join(import.meta.dir, `${name}.c`);
  const { exitCode, stderr } = Bun.spawnSync(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]);
  if (exitCode !== 0) throw new Error(`cc could not compile ${source}: ${stderr.toString()}`);
  return { folder, library, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
