import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useCell } from "./cell.ts";
import { onCalls, streamState } from "./stream.ts";

export interface Loaded<Value> {
  /** What was loaded last; it stays while it is loaded again. */
  readonly value: Value | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  reload(): void;
}

/**
 * What `load` gives, loaded anew where one of `by` changes. An answer that is overtaken by a later question is dropped.
 */
export function useLoaded<Value>(
  load: (signal: AbortSignal) => Promise<Value>,
  by: readonly (string | number | boolean | undefined)[],
): Loaded<Value> {
  const [state, setState] = useState<Omit<Loaded<Value>, "reload">>(NOTHING);
  const [round, setRound] = useState(0);
  const shownFor = useRef("");
  const question = JSON.stringify(by);
  useEffect(() => {
    const stopped = new AbortController();
    const isNew = shownFor.current !== question;
    shownFor.current = question;
    // Another question's answer must not stand under this one's heading.
    setState((before) => (isNew ? { ...NOTHING } : { ...before, isLoading: true }));
    load(stopped.signal).then(
      (value) => !stopped.signal.aborted && setState({ value, error: undefined, isLoading: false }),
      (error: Error) => !stopped.signal.aborted && setState((before) => ({ ...before, error, isLoading: false })),
    );
    return () => stopped.abort();
  }, [question, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, reload };
}

const NOTHING = { value: undefined, error: undefined, isLoading: true } as const;

/** How often a page that shows sums asks for them again while calls come. */
const LIVE_EVERY_MS = 2000;
/** The same where there is no stream. */
const UNFOLLOWED_EVERY_MS = 10_000;

/** Reloads when calls come, at most every two seconds; where they cannot be followed, every ten. */
export function useLive(reload: () => void): void {
  const state = useCell(streamState);
  const before = useRef(state);
  useEffect(() => {
    // Calls may have come before anybody listened.
    if (state === "live" && before.current !== "live") reload();
    before.current = state;
    if (state === "live") return followed(reload);
    const timer = setInterval(reload, UNFOLLOWED_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload, state]);
}

function followed(reload: () => void): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let isWaiting = false;
  const rest = () => {
    timer = undefined;
    if (!isWaiting) return;
    isWaiting = false;
    reloadNow();
  };
  const reloadNow = () => {
    reload();
    timer = setTimeout(rest, LIVE_EVERY_MS);
  };
  const stop = onCalls(() => {
    if (timer === undefined) reloadNow();
    else isWaiting = true;
  });
  return () => {
    stop();
    clearTimeout(timer);
  };
}
