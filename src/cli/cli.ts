import type { Command } from "commander";
import type { Config, ConfigFlags, Environment } from "../config.ts";
import type { RemoteSetting } from "../config-remote.ts";
import type { Clock } from "../core/clock.ts";
import type { ControlPlane } from "../operate/control-plane.ts";
import type { RunningServer, ServerOptions } from "../server.ts";
import type { Guard } from "./guard.ts";
import type { Keyboard } from "./keyboard.ts";
import type { Signals } from "./signals.ts";
import type { Voice } from "./voice.ts";

/** What a command works with. Tests give their own. */
export interface Cli {
  readonly voice: Voice;
  readonly clock: Clock;
  readonly environment: Environment;
  readonly keyboard: Keyboard;
  readonly signals: Signals;
  readonly openControl: (config: Config) => Promise<OpenControl>;
  readonly openRemote: (remote: RemoteSetting) => Promise<OpenControl>;
  readonly startServer: (options: ServerOptions) => Promise<RunningServer>;
  /** Watches over a key while this process lives; `flags` say where it is. */
  readonly startGuard: (flags: readonly string[]) => Guard;
  readonly pause: (durationMs: number) => Promise<void>;
  /** What the program ends with where nothing is thrown. */
  exitCode: number;
}

/** A control plane, and what is to be closed after it. */
export interface OpenControl {
  readonly control: ControlPlane;
  /** Where it is, in words: `data directory /var/lib/keybrake`, `server https://keybrake.example`. */
  readonly place: string;
  close(): Promise<void>;
}

/** The flags that every command takes. */
export type GlobalFlags = Pick<ConfigFlags, "data" | "policies" | "store">;

export function globalFlags(command: Command): GlobalFlags {
  const { data, policies, store } = command.optsWithGlobals<GlobalFlags>();
  return { data, policies, store };
}

/** Ends the help of `command` with examples; every command has at least one. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  const title = examples.length === 1 ? "Example" : "Examples";
  return command.addHelpText("after", `\n${title}:\n${examples.map((example) => `  $ ${example}`).join("\n")}`);
}
