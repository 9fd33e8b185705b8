import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { useCell } from "./cell.ts";
import { now } from "./now.ts";
import { onCalls, streamState } from "./stream.ts";

export interface Loaded<Value> {
  /** What was loaded last; it stays while it is loaded again. */
  readonly value: Value | undefined;
  readonly error: Error | undefined;
  readonly isLoading: boolean;
  /** How long the last answer took, in milliseconds. */
  readonly tookMs: number;
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
    const askedAt = now();
    const put = (outcome: { value: Value; error: undefined } | { error: Error }) => {
      if (stopped.signal.aborted) return;
      setState((before) => ({ ...before, ...outcome, isLoading: false, tookMs: now() - askedAt }));
    };
    load(stopped.signal).then(
      (value) => put({ value, error: undefined }),
      (error: Error) => put({ error }),
    );
    return () => stopped.abort();
  }, [question, round]);
  const reload = useCallback(() => setRound((before) => before + 1), []);
  return { ...state, reload };
}

const NOTHING = { value: undefined, error: undefined, isLoading: true, tookMs: 0 } as const;

/** Of the time, at most this part is spent on asking again: a server that takes long has calls to see to. */
const PAUSES_PER_ANSWER = 10;
/** How often a page that shows sums asks for them again while calls come, at most. */
const LIVE_EVERY_MS = 2000;
/** The same where there is no stream. */
const UNFOLLOWED_EVERY_MS = 10_000;

/**
 * Loads again when calls come, at most every two seconds and ten times as seldom as an answer takes; where calls cannot be
 * followed, every ten seconds.
 */
export function useLive({ reload, tookMs }: Pick<Loaded<unknown>, "reload" | "tookMs">): void {
  const pauseMs = useRef(LIVE_EVERY_MS);
  pauseMs.current = Math.max(LIVE_EVERY_MS, tookMs * PAUSES_PER_ANSWER);
  const state = useCell(streamState);
  const before = useRef(state);
  useEffect(() => {
    // Calls may have come before anybody listened.
    if (state === "live" && before.current !== "live") reload();
    before.current = state;
    if (state === "live") return followed(reload, () => pauseMs.current);
    const timer = setInterval(reload, UNFOLLOWED_EVERY_MS);
    return () => clearInterval(timer);
  }, [reload, state]);
}

function followed(reload: () => void, pauseMs: () => number): () => void {
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
    timer = setTimeout(rest, pauseMs());
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
