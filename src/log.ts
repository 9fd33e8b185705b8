/** One JSON object a line on stderr. Values come from a fixed set of call sites; no header, body or secret is among them. */
export interface Log {
  info(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
  /** What helps to find out what happened to one call; only there where somebody has asked for it, so that nobody else pays. */
  debug?(event: string, fields?: LogFields): void;
}

export const LOG_LEVELS = ["error", "info", "debug"] as const;
/** How much is told: a level, and all before it. */
export type LogLevel = (typeof LOG_LEVELS)[number];

export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

export function jsonLog(
  now: () => number,
  write: (line: string) => void = (line) => process.stderr.write(line),
  level: LogLevel = "info",
): Log {
  const line = (of: LogLevel, event: string, fields: LogFields = {}) =>
    write(`${JSON.stringify({ time: new Date(now()).toISOString(), level: of, event, ...fields })}\n`);
  return {
    info: (event, fields) => {
      if (level !== "error") line("info", event, fields);
    },
    error: (event, fields) => line("error", event, fields),
    ...(level === "debug" ? { debug: (event: string, fields?: LogFields) => line("debug", event, fields) } : {}),
  };
}

export interface LimitedLog extends Log {
  /** Writes what is still waiting: for the end of the process. */
  flush(): void;
}

/** Calls `then` when the time is over. */
export type After = (durationMs: number, then: () => void) => void;

const FLOOD_WINDOW_MS = 1_000;
const afterMs: After = (durationMs, then) => setTimeout(then, durationMs).unref();

/** The newest line that waits for the end of its event's window, and how many came before it in there. */
interface Waiting {
  readonly fields: LogFields;
  readonly leftOut: number;
}

/**
 * Lets the first error of an event through at once, and then one a second, the newest, with the number of those that were
 * `left_out` before it. On a full disk every call fails: the log must not fill the next disk with it. What is told with
 * `info` is told in full.
 */
export function limitErrors(log: Log, after: After = afterMs): LimitedLog {
  /** By event, while its window is open; the events are those of our call sites, so there are never many. */
  const open = new Map<string, Waiting | undefined>();
  const write = (event: string, { fields, leftOut }: Waiting) =>
    log.error(event, leftOut === 0 ? fields : { ...fields, left_out: leftOut });
  const begin = (event: string) => {
    open.set(event, undefined);
    after(FLOOD_WINDOW_MS, () => end(event));
  };
  const end = (event: string) => {
    const waiting = open.get(event);
    open.delete(event);
    if (!waiting) return;
    write(event, waiting);
    begin(event);
  };
  return {
    info: (event, fields) => log.info(event, fields),
    ...(log.debug ? { debug: (event: string, fields?: LogFields) => log.debug?.(event, fields) } : {}),
    error: (event, fields = {}) => {
      if (open.has(event)) {
        const before = open.get(event);
        open.set(event, { fields, leftOut: before ? before.leftOut + 1 : 0 });
      } else {
        log.error(event, fields);
        begin(event);
      }
    },
    flush: () => {
      for (const [event, waiting] of open) {
        if (waiting) write(event, waiting);
        open.set(event, undefined);
      }
    },
  };
}

/** The text of whatever was thrown, for a log line: never the object, which may carry a request. */
export function causeText(cause: unknown): string {
  return cause instanceof Error ? `${cause.name}: ${cause.message}` : String(cause);
}
