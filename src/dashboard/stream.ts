import { Cell } from "./cell.ts";
import { ApiError, openStream } from "./client.ts";

/** One audit row as the API gives it. */
export type Row = Readonly<Record<string, unknown>> & { readonly id: string };

/** `off` where nobody is signed in, or the role may not look at the audit. */
export type StreamState = "off" | "connecting" | "live" | "broken";

export const streamState = new Cell<StreamState>("off");

type Listener = (rows: readonly Row[]) => void;
const listeners = new Set<Listener>();

/** Tells `listener` of calls as they come. Returns what ends it. */
export function onCalls(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}

/** The server says something every 15 s; a connection that is silent for longer is dead. */
const SILENCE_MS = 40_000;
const RETRY_FIRST_MS = 1000;
const RETRY_MAX_MS = 15_000;

let running: AbortController | undefined;

/** Follows the calls until `stopStream`; a connection that breaks is made again. */
export function startStream(): void {
  if (running) return;
  running = new AbortController();
  void follow(running.signal);
}

export function stopStream(): void {
  running?.abort();
  running = undefined;
  lastEventId = undefined;
  streamState.set("off");
}

async function follow(stopped: AbortSignal): Promise<void> {
  let waitMs = RETRY_FIRST_MS;
  let isAgain = false;
  while (!stopped.aborted) {
    streamState.set(isAgain ? "broken" : "connecting");
    try {
      await read(stopped, () => {
        waitMs = RETRY_FIRST_MS;
        streamState.set("live");
      });
    } catch (cause) {
      if (cause instanceof ApiError && (cause.status === 401 || cause.status === 403)) return streamState.set("off");
    }
    if (stopped.aborted) return;
    isAgain = true;
    streamState.set("broken");
    await pause(waitMs, stopped);
    waitMs = Math.min(waitMs * 2, RETRY_MAX_MS);
  }
}

/** Where to go on after a connection that broke, as the server says it. */
let lastEventId: string | undefined;

/** One connection, to its end. */
async function read(stopped: AbortSignal, opened: () => void): Promise<void> {
  const silent = new AbortController();
  let watchdog = setTimeout(() => silent.abort(), SILENCE_MS);
  try {
    const stream = await openStream("/audit/stream", AbortSignal.any([stopped, silent.signal]), lastEventId);
    opened();
    const reader = stream.pipeThrough(new TextDecoderStream() as TransformStream<Uint8Array, string>).getReader();
    let rest = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      clearTimeout(watchdog);
      watchdog = setTimeout(() => silent.abort(), SILENCE_MS);
      const events = (rest + part.value).split("\n\n");
      rest = events.pop()!;
      const rows = events.map(readEvent).flatMap(({ id, row }) => {
        lastEventId = id ?? lastEventId;
        return row ? [row] : [];
      });
      if (rows.length > 0) tell(rows);
    }
  } finally {
    clearTimeout(watchdog);
  }
}

/** One server-sent event (WHATWG HTML §9.2): its id, and the call that it is about; comments and other events have none. */
export function readEvent(text: string): { readonly id: string | undefined; readonly row: Row | undefined } {
  const fields = new Map(text.split("\n").map((line) => [line.split(":", 1)[0]!, line.replace(/^[^:]*: ?/, "")]));
  const isCall = fields.get("event") === "call";
  return { id: fields.get("id"), row: isCall ? (JSON.parse(fields.get("data") ?? "null") as Row) : undefined };
}

function tell(rows: readonly Row[]): void {
  for (const listener of [...listeners]) listener(rows);
}

function pause(durationMs: number, stopped: AbortSignal): Promise<void> {
  return new Promise((done) => {
    const timer = setTimeout(done, durationMs);
    stopped.addEventListener("abort", () => {
      clearTimeout(timer);
      done();
    });
  });
}
