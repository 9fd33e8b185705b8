import { mkdtempSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Cli } from "../../src/cli/cli.ts";
import { openLocalControl } from "../../src/cli/local.ts";
import { openRemoteControl } from "../../src/cli/remote/open.ts";
import { runProgram } from "../../src/cli/run-program.ts";
import type { EndSignal, RelayedSignal } from "../../src/cli/signals.ts";
import { Voice } from "../../src/cli/voice.ts";
import type { Environment } from "../../src/config.ts";
import { createProgram } from "../../src/main.ts";
import type { ControlPlane } from "../../src/operate/control-plane.ts";
import type { RunningServer } from "../../src/server.ts";
import { isLocal, openDoor, splitPlace } from "./door.ts";

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
  /** Whether a terminal sends its signals to what was started, too. */
  readonly foreground?: boolean;
  /** Why this line is for the server's own machine, also where the others go to a server. */
  readonly local?: string;
}

/** Where a terminal works: on the data directory itself, or on a server that has it. */
export const PLACES = ["local", "remote"] as const;
export type Place = (typeof PLACES)[number];

/** The program in this process, on a data directory of its own, with everything outside it replaced. */
export class Terminal {
  readonly folder = realpathSync(mkdtempSync(join(tmpdir(), "keybrake-cli-")));
  readonly data = join(this.folder, "data");
  readonly exits: number[] = [];
  /** What was said to the guards of runs. */
  readonly guarded: string[] = [];
  nowMs = NOW_MS;
  place: Place;
  readonly #clock = { now: () => this.nowMs, elapsed: () => this.nowMs };
  readonly #environment = { KEYBRAKE_DATA: this.data, KEYBRAKE_POLICIES: join(this.data, "policies") };
  readonly #umask = process.umask();
  readonly #listeners = new Set<(signal: RelayedSignal) => void>();

  constructor(place: Place = "local") {
    this.place = place;
  }

  /** Runs one command line to its end. `stdin` is what is piped in. */
  async run(argv: readonly string[], stdin = "", options: TerminalOptions = {}): Promise<Run> {
    if (this.place === "local" || options.local !== undefined || isLocal(argv)) return this.#run(argv, stdin, options);
    const { rest, place } = splitPlace(argv);
    const door = await openDoor(place, { ...this.#environment, ...options.environment }, this.#clock, options.control);
    const remote = { KEYBRAKE_URL: door.remote.url, KEYBRAKE_API_KEY: door.remote.token };
    try {
      return await this.#run(rest, stdin, { ...options, environment: { ...remote, ...options.environment } });
    } finally {
      await door.close();
    }
  }

  async #run(argv: readonly string[], stdin: string, options: TerminalOptions): Promise<Run> {
    const written = { out: "", err: "" };
    const cli = this.cli(written, stdin, options);
    const code = await runProgram(createProgram(cli), argv, cli);
    return { code, ...written };
  }

  cli(written: { out: string; err: string }, stdin: string, options: TerminalOptions): Cli {
    const { columns, typed, control, server } = options;
    const environment = { ...this.#environment, ...options.environment };
    const sink = (name: "out" | "err") => ({
      write: (text: string) => {
        written[name] += text;
      },
      isTTY: columns !== undefined,
      columns,
    });
    const voice = new Voice(sink("out"), sink("err"), environment);
    const lines = (typed ?? "").split("\n");
    const clock = this.#clock;
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
          const listener = (signal: RelayedSignal) => handle(signal as EndSignal);
          this.#listeners.add(listener);
          return () => this.#listeners.delete(listener);
        },
        relay: (handle) => {
          this.#listeners.add(handle);
          return () => this.#listeners.delete(handle);
        },
        isForeground: () => options.foreground === true,
        exit: (code) => this.exits.push(code),
      },
      openControl: async (config) =>
        control === undefined
          ? openLocalControl(config, { clock, environment })
          : { control: control as ControlPlane, place: `data directory ${this.data}`, close: async () => {} },
      openRemote: async (remote) => openRemoteControl(remote, environment),
      startServer: (given) => {
        if (server === undefined) throw new Error("this test has no server");
        return server(given);
      },
      startGuard: () => ({
        watch: (keyId, expiresAtMs) => this.guarded.push(`watch ${keyId} until ${new Date(expiresAtMs).toISOString()}`),
        dismiss: () => this.guarded.push("dismiss"),
        leave: () => this.guarded.push("leave"),
      }),
      pause: async () => options.onPause?.(),
      exitCode: 0,
    };
  }

  /** What a supervisor or Ctrl-C does. */
  signal(signal: RelayedSignal): void {
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
      .replace(/^! keybrake: server http:\/\/127\.0\.0\.1:\d+$/gm, "! keybrake: data directory DATA")
      .replaceAll(this.data, "DATA")
      .replace(/\b(vk|tok|brk|call)_[0-9a-z]{22}\b/g, "$1_######################")
      .replace(/\b(vault_key_|kb_[a-z]+_)[0-9A-Za-z]{49}\b/g, `$1${"#".repeat(49)}`)
      .replace(/\b(vault_key_|kb_[a-z]+_)…[0-9A-Za-z]{4}\b/g, "$1…####")
      .replace(/\bmaster key [0-9a-f]{8}\b/g, "master key ########")
      .replace(/\bschema \d+\b/g, "schema #")
      .replace(/\b\d+ MB are free\b/g, "# MB are free");
  }
}
