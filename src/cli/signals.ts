import { readFileSync } from "node:fs";
import { constants } from "node:os";

/** The signals that a person or a supervisor ends programs with. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

/**
 * What a program that stands for another one passes on: all that can be caught and that somebody may send, but for those of
 * job control, which stop and continue both of them together.
 */
export const RELAYED_SIGNALS = [
  ...END_SIGNALS,
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2",
  "SIGALRM",
  "SIGVTALRM",
  "SIGPROF",
  "SIGIO",
  "SIGURG",
  "SIGXCPU",
  "SIGXFSZ",
  "SIGWINCH",
] as const;
export type RelayedSignal = (typeof RELAYED_SIGNALS)[number];

/** Those that a terminal sends to every process in its foreground by itself. */
export const TERMINAL_SIGNALS: readonly RelayedSignal[] = ["SIGINT", "SIGQUIT", "SIGHUP", "SIGWINCH"];

export interface Signals {
  /** Calls `handle` for each of the signals from now on, instead of what they do by themselves, until the result is called. */
  listen(handle: (signal: EndSignal) => void): () => void;
  /** The same for all that can be passed on. */
  relay(handle: (signal: RelayedSignal) => void): () => void;
  /** Whether this process and those that it has started are in the foreground of a terminal. */
  isForeground(): boolean;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** POSIX: a program ended by signal n has the exit status 128 + n in the shell. */
export const SIGNAL_NUMBERS: Readonly<Record<string, number>> = constants.signals;

export const processSignals: Signals = {
  listen: (handle) => listenTo(END_SIGNALS, handle),
  relay: (handle) => listenTo(RELAYED_SIGNALS, handle),
  isForeground,
  exit: (code) => process.exit(code),
};

function listenTo<Signal extends NodeJS.Signals>(
  signals: readonly Signal[],
  handle: (signal: Signal) => void,
): () => void {
  const listeners = signals.map((signal) => [signal, () => handle(signal)] as const);
  for (const [signal, listener] of listeners) process.on(signal, listener);
  return () => {
    for (const [signal, listener] of listeners) process.off(signal, listener);
  };
}

/** Its process group is the terminal's foreground one (proc_pid_stat(5): fields 5 and 8; elsewhere ps knows). */
function isForeground(): boolean {
  const [group, foreground] = process.platform === "linux" ? groupsOfProc() : groupsOfPs();
  return group !== undefined && group === foreground;
}

function groupsOfProc(): readonly (string | undefined)[] {
  const stat = readFileSync("/proc/self/stat", "utf8");
  // The name before them, in brackets, may hold anything.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return [fields[2], fields[5]];
}

function groupsOfPs(): readonly (string | undefined)[] {
  const told = Bun.spawnSync(["ps", "-o", "pgid=,tpgid=", "-p", String(process.pid)]);
  return told.stdout.toString().trim().split(/\s+/);
}
