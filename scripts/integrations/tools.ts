import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { placeTypescriptClient, pythonWheel } from "./clients.ts";
import { EXAMPLES, ROOT, TOOLS } from "./folders.ts";
import { type Finished, type RunOptions, runProcess, succeeded } from "./processes.ts";

/** What a stack is installed with. Its commands see this machine's whole environment: registries may need it. */
export interface Tools {
  /** `examples/<stack>`. */
  readonly source: string;
  /** A copy of it, in which everything runs; `node_modules` lies in it, too. */
  readonly folder: string;
  /** `.tools/integrations/<stack>`: for what is installed. Kept between runs. */
  readonly kept: string;
  /**
   * A virtual environment with the packages of the example's `requirements.txt` and the client of `clients/python`; made
   * anew where one of them has changed. Returns its interpreter.
   */
  python(requirements?: string): Promise<string>;
  /** A program of that virtual environment: `python`, `celery`. */
  bin(name: string): string;
  /** `npm install` of the example's `package.json`, and the client of `clients/typescript` beside. Returns `folder`. */
  npm(): Promise<string>;
  /** Runs a command of the installation. @throws Error where it fails; ten minutes where it does not say. */
  install(command: readonly string[], options?: RunOptions): Promise<Finished>;
  /** What `command` prints, trimmed. */
  says(command: readonly string[], options?: RunOptions): Promise<string>;
}

const INSTALL_MS_MAX = 600_000;

/** The tools of one stack, with a fresh copy of its example. */
export function makeTools(page: string): Tools {
  const source = join(EXAMPLES, page);
  const kept = join(TOOLS, page);
  const folder = join(kept, "app");
  const venv = join(kept, "venv");
  copyExample(source, folder, join(kept, "copied.json"));
  const bin = (name: string) => join(venv, "bin", name);
  const install: Tools["install"] = async (command, { cwd = folder, env = {}, ...options } = {}) => {
    const own = { ...process.env, ...env };
    return succeeded(command, await runProcess(command, { timeoutMs: INSTALL_MS_MAX, ...options, cwd, env: own }));
  };
  return {
    source,
    folder,
    kept,
    bin,
    install,
    says: async (command, options) => (await install(command, options)).stdout.trim(),
    python: async (requirements = "requirements.txt") => {
      await install([join(ROOT, "scripts/ensure-venv"), venv, join(folder, requirements)]);
      const wheel = await pythonWheel(bin("python"));
      await once(join(venv, "client"), wheel, () =>
        install([bin("python"), "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel]),
      );
      return bin("python");
    },
    npm: async () => {
      const manifest = readFileSync(join(folder, "package.json"), "utf8");
      const modules = join(folder, "node_modules");
      // The stamp lies within: it goes with what it speaks of.
      await once(join(modules, ".installed-from"), manifest, async () => {
        await install(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"]);
        mkdirSync(modules, { recursive: true });
      });
      await placeTypescriptClient(modules);
      return folder;
    },
  };
}

/** Does `work` where `stamp` does not hold `text` yet; the stamp is written last, so that what breaks off begins anew. */
export async function once(stamp: string, text: string, work: () => Promise<unknown>): Promise<void> {
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === text) return;
  rmSync(stamp, { force: true });
  await work();
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, text);
}

/** Copies the example, and takes away what an earlier copy had and this one has not: no ghost of a file may pass. */
function copyExample(source: string, folder: string, list: string): void {
  mkdirSync(folder, { recursive: true });
  const names = readdirSync(source, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(source.length + 1))
    .filter((name) => name !== "check.ts" && !/(^|\/)(node_modules|__pycache__)\//.test(name));
  const earlier = existsSync(list) ? (JSON.parse(readFileSync(list, "utf8")) as string[]) : [];
  for (const name of earlier) if (!names.includes(name)) rmSync(join(folder, name), { force: true });
  for (const name of names) cpSync(join(source, name), join(folder, name));
  writeFileSync(list, JSON.stringify(names));
}
