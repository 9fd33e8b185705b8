/** The signals that a person or a supervisor ends programs with. */
export const END_SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

export interface Signals {
  /** Calls `handle` for each of the signals from now on, instead of what they do by themselves, until the result is called. */
  listen(handle: (signal: EndSignal) => void): () => void;
  /** Ends the process at once. */
  exit(code: number): void;
}

/** POSIX: a program ended by signal n has the exit status 128 + n in the shell. */
export const SIGNAL_NUMBERS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

export const processSignals: Signals = {
  listen: (handle) => {
    const listeners = END_SIGNALS.map((signal) => [signal, () => handle(signal)] as const);
    for (const [signal, listener] of listeners) process.on(signal, listener);
    return () => {
      for (const [signal, listener] of listeners) process.off(signal, listener);
    };
  },
  exit: (code) => process.exit(code),
};
