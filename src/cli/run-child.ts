import { type ChildProcess, spawn } from "node:child_process";
import type { Environment } from "../config.ts";
import type { IssuedKeyView } from "../operate/control-plane.ts";
import type { Cli } from "./cli.ts";
import { type RelayedSignal, SIGNAL_NUMBERS, TERMINAL_SIGNALS } from "./signals.ts";

/** Exit codes of POSIX shells for a command that is not there, and for one that cannot be run. */
const EXIT_NOT_FOUND = 127;
const EXIT_NOT_RUNNABLE = 126;

const BASE_URL = "KEYBRAKE_BASE_URL";
/** With these the command could issue itself another key, or read the vendors' secrets. */
const isWithheld = (name: string) => name.startsWith("KEYBRAKE_") || name === "CREDENTIALS_DIRECTORY";

/** What the command reads: everything of ours that opens more than its own key is taken away. */
export function commandEnvironment(environment: Environment, issued: IssuedKeyView): Environment {
  const kept = Object.entries(environment).filter(([name]) => !isWithheld(name));
  const ofVendors = Object.entries(issued.base_urls).map(([vendor, url]) => [`${BASE_URL}_${shouted(vendor)}`, url]);
  return {
    ...Object.fromEntries(kept),
    ...issued.environment,
    KEYBRAKE_VAULT_KEY: issued.vault_key,
    ...(issued.base_url === null ? {} : { [BASE_URL]: issued.base_url }),
    ...Object.fromEntries(ofVendors),
    KEYBRAKE_KEY_ID: issued.id,
    ...(issued.agent_run_label === null ? {} : { KEYBRAKE_RUN_LABEL: issued.agent_run_label }),
  };
}

/** `acme-mail` → `ACME_MAIL` */
function shouted(vendor: string): string {
  return vendor.toUpperCase().replaceAll("-", "_");
}

/** Passes the signals that reach us on to the command. */
export class SignalRelay {
  /** The first signal that ends programs; the command is not started after it. */
  received: RelayedSignal | undefined;
  child: ChildProcess | undefined;
  readonly stop: () => void;
  readonly #waiting: (() => void)[] = [];

  constructor({ signals }: Cli) {
    this.stop = signals.relay((signal) => {
      if (ENDING.includes(signal)) this.received ??= signal;
      for (const end of this.#waiting.splice(0)) end();
      // Ctrl-C on a terminal goes to the whole foreground group: the command has it already.
      if (!TERMINAL_SIGNALS.includes(signal) || !signals.isForeground()) this.child?.kill(signal);
    });
  }

  /** Resolves at the next signal. */
  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }
}

const ENDING: readonly RelayedSignal[] = ["SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT"];

/** Runs the command and resolves to its exit code: 128 + n where signal n has ended it. */
export async function runCommand(
  words: readonly string[],
  environment: Environment,
  { voice }: Cli,
  relay: SignalRelay,
): Promise<number> {
  const [file = "", ...rest] = words;
  const child = spawn(file, rest, { stdio: "inherit", env: { ...environment } });
  relay.child = child;
  return new Promise((resolve) => {
    child.once("error", (cause: NodeJS.ErrnoException) => {
      voice.error(`cannot run ${file}: ${cause.code ?? cause.message}`, "check the command after --, and the PATH");
      resolve(cause.code === "ENOENT" ? EXIT_NOT_FOUND : EXIT_NOT_RUNNABLE);
    });
    child.once("exit", (code, signal) => {
      relay.child = undefined;
      resolve(code ?? exitCodeOf(signal));
    });
  });
}

export function exitCodeOf(signal: NodeJS.Signals | null): number {
  return 128 + (SIGNAL_NUMBERS[signal ?? ""] ?? 0);
}
