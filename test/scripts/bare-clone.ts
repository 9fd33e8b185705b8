import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

/** The Bun that package.json pins. */
export const PINNED: string = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).devDependencies["bun-types"];

/** What the scripts may find on a machine, besides what a test puts on PATH. No bun, no npm. */
const TOOLS = (
  "bash sh env dirname basename sed cat cmp ln readlink rm mv mkdir mktemp find head tail tee grep sleep ps id uname " +
  "chmod touch cp"
).split(" ");

export interface Outcome {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A folder with the real scripts and nothing else of the project, on a machine whose PATH holds only what is put there. */
export class BareClone {
  readonly folder: string;
  readonly #bin: string;

  constructor() {
    this.folder = mkdtempSync(join(tmpdir(), "keybrake-clone-"));
    this.#bin = join(this.folder, ".machine");
    mkdirSync(this.#bin);
    for (const tool of TOOLS) {
      const found = Bun.which(tool);
      if (found) symlinkSync(found, join(this.#bin, tool));
    }
    for (const script of ["scripts/ensure-bun", "scripts/ensure-packages", "scripts/start", "scripts/test"]) {
      this.write(script, "");
      copyFileSync(join(root, script), join(this.folder, script));
      chmodSync(join(this.folder, script), 0o755);
    }
    this.write("package.json", `{\n  "version": "0.1.0",\n  "devDependencies": { "bun-types": "${PINNED}" }\n}\n`);
    this.write("bun.lock", "{}\n");
    this.write("src/main.ts", "");
    this.write("scripts/build.ts", "");
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  write(path: string, text: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), text);
  }

  /** Puts a command on PATH, written for sh. What it logs with `log` is read with `logged`. */
  command(name: string, body: string): void {
    const log = `log() { printf '%s\\n' "$*" >>${this.path("log")}; }`;
    writeFileSync(join(this.#bin, name), `#!/bin/sh\n${log}\n${body}\n`, { mode: 0o755 });
  }

  logged(): string[] {
    const text = Bun.file(this.path("log")).size > 0 ? readFileSync(this.path("log"), "utf8") : "";
    return text.trim() === "" ? [] : text.trim().split("\n");
  }

  async run(
    script: string,
    args: readonly string[] = [],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Outcome> {
    const child = Bun.spawn([this.path(script), ...args], {
      cwd: tmpdir(),
      env: { PATH: this.#bin, HOME: this.folder, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
    return { exitCode: await child.exited, stdout, stderr };
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
