import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cli } from "../../src/cli/cli.ts";
import { openLocalControl } from "../../src/cli/local.ts";
import { runProgram } from "../../src/cli/run-program.ts";
import type { END_SIGNALS, EndSignal } from "../../src/cli/signals.ts";
import { Voice } from "../../src/cli/voice.ts";
import type { Environment } from "../../src/config.ts";
import { createProgram } from "../../src/main.ts";
import type { ControlPlane } from "../../src/operate/control-plane.ts";
import type { RunningServer } from "../../src/server.ts";

/** 2026-03-04 05:06:07 UTC. */
export const NOW_MS = Date.UTC(2026, 2, 4, 5, 6, 7);

export interface Run {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface TerminalOptions {
  readonly environment?: Environment;
  /** In place of the one on the data directory. */
  readonly control?: Partial<ControlPlane>;
  readonly server?: (options: Parameters<Cli["startServer"]>[0]) => Promise<RunningServer>;
  /** Makes stdout and stderr terminals of this width. */
  readonly columns?: number;
  /** Typed where a command asks for something, a line for each question; makes stdin a terminal. */
  readonly typed?: string;
  readonly onPause?: () => void;
}

/** The program in this process, on a data directory of its own, with everything outside it replaced. */
export class Terminal {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "keybrake-cli-")));
  readonly data = join(this.folder, "data");
  readonly exits: number[] = [];
  nowMs = NOW_MS;
  readonly #umask = process.umask();
  readonly #listeners = new Set<(signal: EndSignal) => void>();

  /** Runs one command line to its end. `stdin` is what is piped in. */
  async run(argv: readonly string[], stdin = "", options: TerminalOptions = {}): Promise<Run> {
    const written = { out: "", err: "" };
    const cli = this.cli(written, stdin, options);
    const code = await runProgram(createProgram(cli), argv, cli);
    return { code, ...written };
  }

  cli(written: { out: string; err: string }, stdin: string, options: TerminalOptions): Cli {
    const { columns, typed, control, server } = options;
    const environment = {
      KEYBRAKE_DATA: this.data,
      KEYBRAKE_POLICIES: join(this.data, "policies"),
      ...options.environment,
    };
    const sink = (name: "out" | "err") => ({
      write: (text: string) => {
        written[name] += text;
      },
      isTTY: columns !== undefined,
      columns,
    });
    const voice = new Voice(sink("out"), sink("err"), environment);
    const lines = (typed ?? "").split("\n");
    const clock = { now: () => this.nowMs, elapsed: () => this.nowMs };
    return {
      voice,
      clock,
      environment,
      keyboard: {
        isTerminal: typed !== undefined,
        readAll: async () => stdin,
        readHidden: async () => typed ?? "",
        readLine: async () => lines.shift() ?? "",
      },
      signals: {
        listen: (handle) => {
          this.#listeners.add(handle);
          return () => this.#listeners.delete(handle);
        },
        exit: (code) => this.exits.push(code),
      },
      openControl: async (config) =>
        control === undefined
          ? openLocalControl(config, { clock, environment })
          : { control: control as ControlPlane, dataDir: this.data, close: async () => {} },
      startServer: (given) => {
        if (server === undefined) throw new Error("this test has no server");
        return server(given);
      },
      pause: async () => options.onPause?.(),
      exitCode: 0,
    };
  }

  /** What a supervisor or Ctrl-C does. */
  signal(signal: (typeof END_SIGNALS)[number]): void {
    for (const listener of [...this.#listeners]) listener(signal);
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  close(): void {
    process.umask(this.#umask);
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** What differs from run to run, in the same width so that tables stay tables. */
  mask(text: string): string {
    return text
      .replaceAll(this.data, "DATA")
      .replace(/\b(vk|tok|brk|call)_[0-9a-z]{22}\b/g, "$1_######################")
      .replace(/\b(vault_key_|kb_[a-z]+_)[0-9A-Za-z]{49}\b/g, `$1${"#".repeat(49)}`)
      .replace(/\b(vault_key_|kb_[a-z]+_)…[0-9A-Za-z]{4}\b/g, "$1…####")
      .replace(/\bmaster key [0-9a-f]{8}\b/g, "master key ########")
      .replace(/\b\d+ MB are free\b/g, "# MB are free");
  }
}
