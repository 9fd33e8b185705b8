import { expect } from "bun:test";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Terminal, TerminalOptions } from "./terminal.ts";

/** A session at the terminal as a person would see it; lines on stderr begin with `! `. */
export class Transcript {
  readonly #terminal: Terminal;
  #text = "";

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Words as a shell would split them, with quotes but no other magic. */
  async type(line: string, stdin = "", options: TerminalOptions = {}): Promise<void> {
    const argv = [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
      ([, single, double, bare]) => single ?? double ?? bare!,
    );
    const { code, out, err } = await this.#terminal.run(argv, stdin, options);
    const said = this.#placed(argv, err)
      .split("\n")
      .slice(0, -1)
      .map((each) => `! ${each}\n`);
    const end = code === 0 ? "" : `[exit ${code}]\n`;
    this.#text += this.#terminal.mask(`$ keybrake ${line}\n${said.join("")}${out}${end}\n`);
  }

  /** What needs no data directory names none; a server it does name. */
  #placed(argv: readonly string[], err: string): string {
    const needsNone = argv[0] === "vendor" && ["operations", "prices"].includes(argv[1] ?? "");
    return needsNone ? err.replace(/^keybrake: server .*\n/, "") : err;
  }

  /** Compares with test/cli/golden/NAME.txt; KEYBRAKE_UPDATE_GOLDEN=1 writes that file instead. */
  expectGolden(name: string, mask: (text: string) => string = (text) => text): void {
    const text = mask(this.#text);
    const path = join(import.meta.dir, "golden", `${name}.txt`);
    if (process.env["KEYBRAKE_UPDATE_GOLDEN"] === "1" && this.#terminal.place === "local") {
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return;
    }
    expect(text).toBe(existsSync(path) ? readFileSync(path, "utf8") : `there is no ${path}`);
  }
}
